"""The process: logs, metrics, file descriptors, and tuning of the interpreter.

See docs/operating.md, "Logs".
"""
