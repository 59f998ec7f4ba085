"""Views: the current state of watched boards and dashboards, and the delivery to their subscribers.

See docs/architecture.md, "The life of a stream".
"""
