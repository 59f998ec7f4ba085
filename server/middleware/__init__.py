"""Middleware: hosts, origins, access, limits and the headers of answers.

See docs/protocol.md, "Access, hosts and origins".
"""
