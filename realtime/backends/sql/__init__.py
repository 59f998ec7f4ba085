"""The store in a relational database through SQLAlchemy: SQLite (WAL); PostgreSQL is to follow the same tables.

See docs/architecture.md, "Threads".
"""
