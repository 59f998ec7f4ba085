"""One schema for all servers of a test process: it has no state of theirs, and building it is as slow as a server."""

from __future__ import annotations

from functools import cache

from schema.root import make_schema

__all__ = ["shared_schema"]

shared_schema = cache(make_schema)
