"""The kanban domain: pure models, events, commands and projections, without I/O and without `await`.

See docs/protocol.md, "Commands".
"""
