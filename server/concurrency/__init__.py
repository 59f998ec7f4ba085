"""Tasks and timers: side tasks, cancellation blocks, coalesced timers.

See docs/architecture.md, "Threads".
"""
