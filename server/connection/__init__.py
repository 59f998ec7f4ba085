"""Connections: uvicorn's HTTP/1.1 and WebSocket protocols with deadlines and limits of our own.

See docs/operating.md, "Limits".
"""
