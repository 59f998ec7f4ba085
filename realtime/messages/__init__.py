"""Messages: envelopes, their batches, channels, positions and options. Pure.

See docs/protocol.md, "Envelopes".
"""
