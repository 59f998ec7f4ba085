"""Views: the present of watched boards and dashboards, and what their readers are told.

See docs/architecture.md, "The life of a stream".
"""
