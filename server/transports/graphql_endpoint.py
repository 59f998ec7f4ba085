"""`/graphql`: who wants one answer, who a stream, who which WebSocket subprotocol, and how long a send may take."""

from __future__ import annotations

import asyncio
from pathlib import Path

from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry import Schema

from realtime.counters import SEND_TIMEOUT, Account
from realtime.node import Node
from schema.context import Context
from server.close_codes import UNKNOWN_SUBPROTOCOL
from server.connections import abort
from server.open_socket import OpenSocket
from server.protocol.graphql_conversation import GraphqlConversation
from server.protocol.graphql_transport_ws import GraphqlTransportWs
from server.protocol.graphql_ws import GraphqlWs
from server.settings import Settings
from server.transports.graphql_http import GraphqlHttp, media_type_of
from server.transports.graphql_socket import GraphqlSocket
from server.transports.graphql_streaming import STREAMS, GraphqlStreaming
from server.websocket_connection import serve_session

__all__ = ["GraphqlEndpoint"]

#: What the subprotocols are counted as.
EXITS: dict[type[GraphqlConversation], str] = {GraphqlTransportWs: "graphql-ws", GraphqlWs: "older-graphql-ws"}


class GraphqlEndpoint:
    """`/graphql`: every operation over HTTP and over WebSocket, GraphiQL for browsers."""

    def __init__(self, schema: Schema, node: Node, settings: Settings, streaming: GraphqlStreaming, page: Path) -> None:
        """Execute `schema` on `node`; `streaming` answers who wants a stream, `page` is GraphiQL's HTML."""
        self._schema = schema
        self._node = node
        self._http = GraphqlHttp(schema, node, settings, page)
        self._limits = settings.operation_limits
        self._streaming = streaming

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or socket; a client that takes nothing for too long is cut."""
        if scope["type"] == "http":
            await self._serve_http(scope, receive, send)
        else:
            await self._serve_socket(scope, receive, send)

    async def _serve_http(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        stream = await self._streaming.media_type_for(request, media_type_of(request, STREAMS))
        if stream is not None:
            await self._streaming.serve(request, send, stream)  # which has a limit of its own on each send
        else:
            response = await self._http.respond(request)
            await response(scope, receive, _patient(send, scope, Account()))

    async def _serve_socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        settings: Settings = scope["app"].state.settings
        spoken: tuple[type[GraphqlConversation], ...] = (GraphqlTransportWs,)
        if settings.legacy_graphql_ws:
            spoken = (GraphqlTransportWs, GraphqlWs)
        by_name = {kind.SUBPROTOCOL: kind for kind in spoken}
        kind = next((by_name[name] for name in scope["subprotocols"] if name in by_name), None)
        account = self._node.account(EXITS[kind]) if kind else Account()
        socket = WebSocket(scope, receive, _patient(send, scope, account))
        if kind is None:
            # By a close code, not before the upgrade: browsers show scripts nothing of an answer over HTTP.
            await socket.accept()
            await socket.close(UNKNOWN_SUBPROTOCOL.code, UNKNOWN_SUBPROTOCOL.reason)
            return
        conversation = kind(settings.max_operations, socket.state.may_connect)
        await socket.accept(subprotocol=kind.SUBPROTOCOL)
        await serve_session(socket, lambda opened: self._converse(opened, conversation, account))

    async def _converse(self, socket: OpenSocket, conversation: GraphqlConversation, account: Account) -> None:
        with self._node.leases.open() as lease:
            context = Context(self._node, account=account, lease=lease, limits=self._limits)
            await GraphqlSocket(socket, self._schema, context, conversation, lease).serve()


def _patient(send: Send, scope: Scope, account: Account) -> Send:
    """Return `send`, which cuts the connection when it takes too long, and tells `account`.

    Whoever waits in it then meets the same as when the client had left; nothing here needs to know what that is.
    """
    settings: Settings = scope["app"].state.settings

    def give_up() -> None:
        account.leaves = SEND_TIMEOUT
        abort(scope)

    async def sent(message: Message) -> None:
        cut = asyncio.get_running_loop().call_later(settings.send_timeout_seconds, give_up)
        try:
            await send(message)
        finally:
            cut.cancel()

    return sent
