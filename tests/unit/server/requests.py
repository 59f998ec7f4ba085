"""Requests without a server, for code that reads only its request."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.requests import Request
from starlette.types import Message, Scope

__all__ = ["request_with", "scope_with"]


def scope_with(*headers: tuple[str, str]) -> Scope:
    """Return the scope of a POST."""
    raw = [(name.lower().encode(), value.encode()) for name, value in headers]
    return {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": raw}


def request_with(chunks: Iterable[bytes], content_type: str | None = "application/json") -> Request:
    """Return a request whose body comes in `chunks`."""
    parts = list(chunks) or [b""]

    async def receive() -> Message:
        body = parts.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(parts)}

    return Request(scope_with(*([("Content-Type", content_type)] if content_type else [])), receive)
