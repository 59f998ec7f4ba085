"""Fan-out: from one batch to the queues and sockets of all subscribers of this process.

See docs/architecture.md, "The fan-out".
"""
