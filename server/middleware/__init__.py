"""Middleware: hosts, origins, access, limits and the headers of answers."""
