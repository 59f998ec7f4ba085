"""Tasks and timers: side tasks, cancellation blocks, coalesced timers."""
