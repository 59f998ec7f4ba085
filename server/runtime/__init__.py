"""The process: logs, metrics, descriptors, and how the interpreter is tuned.

See docs/operating.md, "Logs".
"""
