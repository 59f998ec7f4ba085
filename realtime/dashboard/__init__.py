"""The dashboard's overview: pure functions from figures to JSON, without I/O and without `await`.

See docs/protocol.md, "Types of the dashboard's stream".
"""
