"""`GET /api/v1/openapi.json` and `GET /api/v1/asyncapi.json`: for programs, and for the page `/docs`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from server.concurrency.worker_thread import computed
from server.routing import resource
from server.transports.descriptions.asyncapi import asyncapi
from server.transports.descriptions.openapi import openapi

__all__ = ["DESCRIPTIONS", "description_routes"]

#: Address below the prefix of the API → what makes the document.
DESCRIPTIONS: Mapping[str, Callable[[], dict[str, Any]]] = {"/openapi.json": openapi, "/asyncapi.json": asyncapi}


def description_routes() -> list[BaseRoute]:
    """Return the routes."""
    return [resource(path, get=_handler(path)) for path in DESCRIPTIONS]


def _handler(path: str) -> Callable[[Request], Any]:
    async def document(request: Request) -> Response:
        """Answer with the document; it needs no token, because it says nothing about boards."""
        # The first time takes a fifth of a second, in which the loop must not stand still.
        content = await computed(lambda: _encoded(path))
        return Response(content, media_type="application/json", headers={"Cache-Control": "no-cache"})

    return document


@cache
def _encoded(path: str) -> bytes:
    return orjson.dumps(DESCRIPTIONS[path]())
