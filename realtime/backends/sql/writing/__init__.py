"""Writes of the SQL store: one transaction, its events and their effects on the rows.

See docs/architecture.md, "The write path".
"""
