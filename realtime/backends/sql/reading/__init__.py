"""Reads of the SQL store: boards, attempts, history, pages and the figures of the dashboard.

See docs/architecture.md, "Threads".
"""
