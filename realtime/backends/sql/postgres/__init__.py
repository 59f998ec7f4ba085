"""PostgreSQL: its connections, the locks of its write units, and the forms of its values.

Imported only if a URL names such a database, because its driver is optional. See docs/operating.md, "PostgreSQL".
"""
