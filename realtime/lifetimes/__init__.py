"""Lifetimes: how the connections of this process end, with their tokens or before.

See docs/access.md and docs/protocol.md, "How a stream ends".
"""
