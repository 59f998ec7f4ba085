"""One schema for all servers of a test process: it keeps nothing of theirs, and making it takes as long as they do."""

from __future__ import annotations

from functools import cache

from schema.root import make_schema

__all__ = ["shared_schema"]

shared_schema = cache(make_schema)
