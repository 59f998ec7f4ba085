"""Descriptions of the server for programs, made of its routes, models and payloads (docs/rest.md, docs/protocol.md)."""
