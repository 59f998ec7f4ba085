"""Transports over HTTP and WebSocket: thin adapters that deliver the streams and make no decisions.

See docs/protocol.md, "Addresses".
"""
