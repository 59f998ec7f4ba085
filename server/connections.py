"""uvicorn's protocol classes, with one more ASGI extension: a way to cut a connection.

A reader that takes nothing can not be closed politely: uvicorn waits until its buffer is empty, which never comes.
`scope["extensions"]["boardcast.abort"]` is a function that drops the connection and what is buffered for it.
Under another server the extension is absent, and ending the response is all there is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, MutableMapping
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

__all__ = ["HttpConnection", "WebSocketConnection", "abort"]

EXTENSION = "boardcast.abort"


def abort(scope: MutableMapping[str, Any]) -> None:
    """Cut the connection of `scope` where the server lets us."""
    cut: Callable[[], None] | None = scope.get("extensions", {}).get(EXTENSION)
    if cut is not None:
        cut()


class HttpConnection(HttpToolsProtocol):
    """HTTP/1.1 over httptools."""

    def on_message_begin(self) -> None:
        """Begin a request; its scope is new."""
        super().on_message_begin()
        _extend(self.scope, self.transport)


class WebSocketConnection(WebSocketsSansIOProtocol):
    """WebSocket over websockets' sans-I/O protocol."""

    async def run_asgi(self) -> None:
        """Run the application."""
        _extend(self.scope, self.transport)
        await super().run_asgi()


def _extend(scope: Any, transport: asyncio.Transport) -> None:
    # `Any`: uvicorn's scope types know only the extensions of the standard.
    scope.setdefault("extensions", {})[EXTENSION] = transport.abort
