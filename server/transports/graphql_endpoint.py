"""`/graphql`: who wants one answer, who a stream, who which WebSocket subprotocol, and how long a send may take."""

from __future__ import annotations

import asyncio
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry import Schema
from strawberry.asgi import GraphQL

from realtime.node import Node
from schema.context import Context
from server.close_codes import UNKNOWN_SUBPROTOCOL
from server.connections import abort
from server.protocol.graphql_conversation import SUBPROTOCOL
from server.settings import Settings
from server.transports.graphql_http import GraphqlHttp, media_type_of
from server.transports.graphql_socket import GraphqlSocket
from server.transports.graphql_streaming import STREAMS, GraphqlStreaming

__all__ = ["GraphqlEndpoint"]


class GraphqlEndpoint(GraphQL[Context, None]):
    """`/graphql`: every operation over HTTP and over WebSocket, GraphiQL for browsers."""

    def __init__(self, schema: Schema, node: Node, settings: Settings, page: Path) -> None:
        """Execute `schema` on `node`; `page` is GraphiQL's HTML."""
        # `server.origins` has decided who may connect, by one rule for all exits.
        super().__init__(schema, allowed_origins=("*",))
        self._schema = schema
        self._node = node
        self._http = GraphqlHttp(schema, node, page)
        self._streaming = GraphqlStreaming(schema, node, settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or socket; a client that takes nothing for too long is cut."""
        settings: Settings = scope["app"].state.settings
        patient = _patient(send, scope, settings.send_timeout_seconds)
        if scope["type"] == "http":
            await self._serve_http(scope, receive, send, patient)
        else:
            await self._serve_socket(WebSocket(scope, receive, patient))

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:
        """Return what resolvers get."""
        return Context(self._node)

    async def _serve_http(self, scope: Scope, receive: Receive, send: Send, patient: Send) -> None:
        request = Request(scope, receive)
        if media_type_of(request, STREAMS) in STREAMS:
            await self._streaming.serve(scope, receive, send)  # which has a limit of its own on each send
        else:
            response = await self._http.respond(request)
            await response(scope, receive, patient)

    async def _serve_socket(self, socket: WebSocket) -> None:
        subprotocol = await self.pick_websocket_subprotocol(socket)
        if subprotocol == SUBPROTOCOL:
            await GraphqlSocket(socket, self._schema, Context(self._node)).serve()
        elif subprotocol is None:
            # By a close code, not before the upgrade: browsers show scripts nothing of an answer over HTTP.
            await socket.accept()
            await socket.close(UNKNOWN_SUBPROTOCOL.code, UNKNOWN_SUBPROTOCOL.reason)
        else:
            await self.run(socket)  # the older `graphql-ws`, by Strawberry


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
