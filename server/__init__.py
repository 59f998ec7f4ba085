"""The process: settings, wiring, transports and pages around `realtime` and `schema`.

See docs/operating.md.
"""
