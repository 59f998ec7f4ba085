"""`/graphql`: chooses between a single answer, a stream, and the WebSocket subprotocols."""

from __future__ import annotations

import asyncio
from pathlib import Path

from starlette.requests import Request
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry import Schema

from realtime.endings import UNKNOWN_SUBPROTOCOL
from realtime.fanout.counters import ConnectionMetrics
from realtime.service import Caller, Service
from schema.execution.context import Context
from server.access.authenticator import Authenticator
from server.access.connected_caller import ConnectedCaller
from server.connection.open_socket import OpenSocket
from server.connection.websocket_connection import serve_session
from server.protocol.graphql.transport_ws import GraphqlTransportWs
from server.protocol.graphql.ws import GraphqlWs
from server.protocol.graphql.ws_protocol import GraphqlWsProtocol
from server.settings import Settings
from server.transports.callers import caller_of
from server.transports.graphql.operation import MAX_EXECUTING
from server.transports.graphql.over_http import GraphqlHttp, media_type_of
from server.transports.graphql.streaming import STREAMS, GraphqlStreaming
from server.transports.graphql.websocket import Admission, GraphqlSocket

__all__ = ["GraphqlEndpoint"]

#: Subprotocol → the name of its exit in the metrics.
EXITS: dict[type[GraphqlWsProtocol], str] = {GraphqlTransportWs: "graphql-ws", GraphqlWs: "older-graphql-ws"}


class GraphqlEndpoint:
    """`/graphql`: every operation over HTTP and over WebSocket, GraphiQL for browsers."""

    def __init__(
        self, schema: Schema, service: Service, settings: Settings, streaming: GraphqlStreaming, page: Path
    ) -> None:
        """Execute `schema` on `service`; `streaming` answers with streams, and `page` is GraphiQL's HTML."""
        self._schema = schema
        self._service = service
        self._http = GraphqlHttp(schema, service, settings, page)
        self._limits = settings.operation_limits
        self._streaming = streaming

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or socket."""
        if scope["type"] == "http":
            await self._serve_http(scope, receive, send)
        else:
            await self._serve_socket(scope, receive, send)

    async def _serve_http(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        stream = await self._streaming.media_type_for(request, media_type_of(request, STREAMS))
        if stream is not None:
            await self._streaming.serve(request, send, stream)
        else:
            response = await self._http.respond(request)
            await response(scope, receive, send)

    async def _serve_socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        settings: Settings = scope["app"].state.settings
        spoken: tuple[type[GraphqlWsProtocol], ...] = (GraphqlTransportWs,)
        if settings.legacy_graphql_ws:
            spoken = (GraphqlTransportWs, GraphqlWs)
        by_name = {kind.SUBPROTOCOL: kind for kind in spoken}
        kind = next((by_name[name] for name in scope["subprotocols"] if name in by_name), None)
        socket = WebSocket(scope, receive, send)
        if kind is None:
            await socket.accept()
            frame = UNKNOWN_SUBPROTOCOL.frame()
            await socket.close(frame.code, frame.reason)
            return
        metrics = self._service.metrics(EXITS[kind])
        caller = caller_of(socket)
        protocol = kind(settings.max_operations)
        admission: Admission | None = scope["state"].get("admission")
        access: Authenticator = scope["app"].state.access
        await socket.accept(subprotocol=kind.SUBPROTOCOL)
        await serve_session(socket, lambda opened: self._converse(opened, caller, access, protocol, metrics, admission))

    async def _converse(
        self,
        socket: OpenSocket,
        caller: Caller,
        access: Authenticator,
        protocol: GraphqlWsProtocol,
        metrics: ConnectionMetrics,
        admission: Admission | None,
    ) -> None:
        with self._service.lifetimes.open(credential=caller.credential) as lifetime:
            client = ConnectedCaller(caller, self._service, access, lifetime)
            context = Context(
                self._service,
                caller,
                metrics=metrics,
                lifetime=lifetime,
                limits=self._limits,
                connected=client,
                turns=asyncio.Semaphore(MAX_EXECUTING),
            )
            await GraphqlSocket(socket, self._schema, context, protocol, lifetime, admission, client).serve()
