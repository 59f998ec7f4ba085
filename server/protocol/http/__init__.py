"""HTTP/1.1, SSE and the WebSocket handshake without input or output.

See docs/protocol.md, "Addresses".
"""
