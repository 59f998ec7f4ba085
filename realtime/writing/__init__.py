"""The write path: one unit at a time, in order, into the log; and how long the log is kept.

See docs/architecture.md, "The write path".
"""
