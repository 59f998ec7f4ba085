"""The process: settings, wiring, transports and pages around `realtime` and `schema`."""
