"""Brokers between nodes: one that sends hints as texts, and the lines on which it sends them.

See docs/decisions/0059-nodes-follow-the-log.md.
"""
