"""The write path: one group of units at a time, in order, into the log; and how long the log is kept.

See docs/architecture.md, "The write path".
"""
