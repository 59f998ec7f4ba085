"""Pure parsers and formatters of the wire protocols, without sockets and without `await`.

See docs/protocol.md.
"""
