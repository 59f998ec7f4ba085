"""Messages: envelopes, their batches, channels, positions and options. Pure."""
