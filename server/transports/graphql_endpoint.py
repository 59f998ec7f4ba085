"""GraphQL over HTTP and WebSocket: Strawberry's ASGI view with our context, JSON and GraphiQL."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import orjson
from cross_web import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry import Schema
from strawberry.asgi import GraphQL

from realtime.node import Node
from schema.context import Context
from server.connections import abort
from server.problem import problem
from server.settings import Settings

__all__ = ["GraphqlEndpoint"]

#: Seconds in which a client must send `connection_init` (graphql-transport-ws: 4408 after that).
INIT_SECONDS = 10


class GraphqlEndpoint(GraphQL[Context, None]):
    """`/graphql`: queries and mutations over HTTP, everything over WebSocket, GraphiQL for browsers."""

    def __init__(self, schema: Schema, node: Node, page: Path) -> None:
        """Execute `schema` on `node`; `page` is GraphiQL's HTML."""
        super().__init__(
            schema,
            connection_init_wait_timeout=timedelta(seconds=INIT_SECONDS),
            # `server.origins` has decided that already, by one rule for all exits.
            allowed_origins=("*",),
        )
        self._node = node
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or socket; a client that takes nothing for too long is cut."""
        settings: Settings = scope["app"].state.settings
        patient = _patient(send, scope, settings.send_timeout_seconds)
        if scope["type"] != "http":
            await super().__call__(scope, receive, patient)
            return
        try:
            response = await self.run(Request(scope, receive))
        except HTTPException as refused:
            response = problem(refused.status_code, refused.reason)
        await response(scope, receive, patient)

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:
        """Return what resolvers get."""
        return Context(self._node)

    async def render_graphql_ide(self, request: Request) -> Response:
        """Return GraphiQL; its assets are under `/static`, none from the network."""
        return FileResponse(self._page)

    def encode_json(self, data: object) -> str:
        """Encode with orjson."""
        return orjson.dumps(data).decode()

    def decode_json(self, data: str | bytes) -> object:
        """Decode with orjson, whose errors are `json.JSONDecodeError` too."""
        return orjson.loads(data)


def _patient(send: Send, scope: Scope, seconds: float) -> Send:
    """Return `send`, which cuts the connection when it takes longer than `seconds`.

    Whoever waits in it then meets the same as when the client had left; nothing here needs to know what that is.
    """

    async def sent(message: Message) -> None:
        cut = asyncio.get_running_loop().call_later(seconds, abort, scope)
        try:
            await send(message)
        finally:
            cut.cancel()

    return sent
