"""Connections: HTTP/1.1 and WebSocket as uvicorn runs them, their deadlines and their bounds.

See docs/operating.md, "Limits".
"""
