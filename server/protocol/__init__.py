"""What the raw exits say, byte for byte: pure, without sockets and without `await`.

See docs/protocol.md.
"""
