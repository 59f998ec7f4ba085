"""The database file: its lock, its guard while the server runs, its repair and its checkpoints.

See docs/operating.md, "Files of the database".
"""
