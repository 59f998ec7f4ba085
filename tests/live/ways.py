"""A second server for a board, by uvicorn with our protocol classes and without them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from typing import Any

import anyio
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from realtime.service import Service
from server.app import create_app
from server.connection.http_connection import HttpConnection
from server.connection.websocket_connection import WebSocketConnection
from server.runtime.listening import bind
from server.settings import Settings
from tests.kit.live_server import LiveServer
from tests.kit.raw_http import Address
from tests.kit.shared_schema import shared_schema

__all__ = ["WAYS", "Sends", "served"]

_OURS = {"http": HttpConnection, "ws": WebSocketConnection}
#: Name of the way → the arguments of uvicorn.
WAYS: dict[str, dict[str, Any]] = {
    "directly": {**_OURS, "ws_per_message_deflate": False},
    "compressed": {**_OURS, "ws_per_message_deflate": True},
    "by ASGI": {"http": "httptools", "ws": "websockets-sansio", "ws_per_message_deflate": False},
}


class Sends:
    """Counts the ASGI sends of an application."""

    def __init__(self) -> None:
        """Begin at 0."""
        self.count = 0

    def of(self, app: ASGIApp) -> ASGIApp:
        """Return `app`, with its sends counted."""

        async def counted(scope: Scope, receive: Receive, send: Send) -> None:
            async def sent(message: Message) -> None:
                self.count += message["type"] in ("websocket.send", "http.response.body")
                await send(message)

            await app(scope, receive, sent)

        return counted


@asynccontextmanager
async def served(
    boards: LiveServer, way: str, sends: Sends | None = None, settings: Settings | None = None
) -> AsyncIterator[Address]:
    """Serve the boards in one of `WAYS` until the block ends; yield the address."""
    settings = settings or boards.settings.model_copy(update={"direct_writes": True})
    app: ASGIApp = create_app(Service(boards.node), settings, shared_schema())
    if sends is not None:
        app = sends.of(app)
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None, **WAYS[way]))
    with closing(bind("127.0.0.1", 0)) as listening:
        async with anyio.create_task_group() as group:
            group.start_soon(server.serve, [listening])
            try:
                yield listening.getsockname()
            finally:
                server.should_exit = True
