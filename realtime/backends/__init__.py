"""Back-ends that implement `realtime.ports`; chosen by `server.wiring` and by nobody else.

See docs/architecture.md, "The write path".
"""
