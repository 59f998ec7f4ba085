"""Workers: several processes that share one port, and the supervisor that keeps them alive.

See docs/scaling.md, "Workers".
"""
