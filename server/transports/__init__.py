"""The exits and doors over HTTP and WebSocket: thin, they deliver what the streams yield and decide nothing.

See docs/protocol.md, "Addresses".
"""
