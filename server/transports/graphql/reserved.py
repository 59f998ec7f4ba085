"""`/graphql/stream`: one SSE connection for all operations of a client (graphql-sse, "Single connection mode")."""

from __future__ import annotations

import asyncio
import secrets

import orjson
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send
from strawberry import Schema

from realtime.service import Service
from schema.execution.context import Context
from server.problem import Problem
from server.protocol.graphql.events import KEEP_ALIVE
from server.protocol.graphql.request import described, names_operation
from server.protocol.graphql.reservations import Reservation, ReservationRefused, Reservations, operation_id
from server.protocol.graphql.response import PLAIN_JSON
from server.protocol.http.media_types import preferred
from server.settings import Settings
from server.transports.callers import caller_of
from server.transports.graphql.operation import operation_results
from server.transports.graphql.parameters import allowed_by, asked_operation, read_request
from server.transports.graphql.reserved_stream import OperationStopped, ReservedStream
from server.transports.graphql.streaming import GraphqlStreaming
from server.transports.http_stream import EVENT_STREAM, StreamFormat, send_stream

__all__ = ["GraphqlReserved"]

METHODS = ("GET", "POST", "PUT", "DELETE")
TOKEN_HEADER, TOKEN_PARAMETER = "x-graphql-event-stream-token", "token"
#: Seconds after which a reservation lapses if the client has not opened its stream.
RESERVATION_SECONDS = 30.0
#: Reservations that may wait for their stream at the same time.
MAX_UNOPENED = 1000


class GraphqlReserved:
    """Reserves and opens streams, and runs the operations of separate requests on them. An ASGI application."""

    def __init__(self, schema: Schema, service: Service, settings: Settings, distinct: GraphqlStreaming) -> None:
        """Execute `schema` on `service`; `distinct` serves clients that open a stream here without a reservation."""
        self._schema = schema
        self._service = service
        self._distinct = distinct
        self._limits = settings.operation_limits
        seconds = settings.heartbeat_seconds
        self._format = StreamFormat(EVENT_STREAM, lambda: KEEP_ALIVE, seconds, "Accept", is_compressible=True)
        self._reservations = Reservations(
            MAX_UNOPENED,
            settings.max_operations,
            self._make_token,
            max_per_client=settings.max_reservations,
            lapse_seconds=int(RESERVATION_SECONDS),
        )
        self._streams: dict[Reservation, ReservedStream] = {}
        self._has_workers = settings.workers > 1

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        try:
            self._check_node(_token(request))
            if request.method in ("GET", "POST") and _wants_stream(request):
                await self._serve_stream(request, send)
            else:
                response = await self._respond(request)
                await response(scope, receive, send)
        except ReservationRefused as refused:
            after = refused.retry_after_seconds
            headers = {} if after is None else {"Retry-After": str(after)}
            raise Problem(refused.status, refused.sentence, headers=headers) from refused

    async def _respond(self, request: Request) -> Response:
        match request.method:
            case "PUT":
                return self._reserve(request, _token(request))
            case "DELETE":
                return await self._stop(request, self._stream(request))
            case "GET" | "POST":
                return await self._begin(request)
            case _:
                raise Problem(405, headers={"Allow": ", ".join(METHODS)})

    def _make_token(self) -> str:
        # The name of the node lets a proxy find it.
        name = f"{self._service.identity.name}." if self._service.has_neighbours else ""
        return name + secrets.token_urlsafe()

    def _check_node(self, token: str | None) -> None:
        """Refuse a token of another node, whose streams this one does not have (RFC 9110 §15.5.20)."""
        node, dot, _ = (token or "").partition(".")
        if dot and self._service.has_neighbours and node != self._service.identity.name:
            found = f"this token is of the server {described(node)}, and this is {self._service.identity.name!r}"
            raise ReservationRefused(421, f"{found}: a proxy must route by the token")

    def _stream(self, request: Request) -> ReservedStream:
        return self._streams[self._reservations.find(_token(request), caller_of(request).subject)]

    def _reserve(self, request: Request, token: str | None) -> Response:
        if preferred(request.headers.get("accept"), ("text/plain",)) is None:
            raise Problem(406, "Accept: expected text/plain, the token is nothing else")
        if self._has_workers:
            sentence = "several workers share this port, and no request finds the one with its stream"
            raise Problem(501, f"{sentence}: use distinct connections, at /graphql")
        caller = caller_of(request)
        reservation = self._reservations.reserve(token, caller.client or "", caller.subject)
        metrics = self._service.metrics("graphql-sse-single")
        stream = ReservedStream(reservation, metrics, self._service.limits, lambda: self._forget(reservation))
        self._streams[reservation] = stream
        asyncio.get_running_loop().call_later(RESERVATION_SECONDS, _lapse, stream)
        return PlainTextResponse(reservation.token, 201)

    def _forget(self, reservation: Reservation) -> None:
        self._reservations.forget(reservation)
        self._streams.pop(reservation, None)

    async def _serve_stream(self, request: Request, send: Send) -> None:
        try:
            stream = self._stream(request)
        except ReservationRefused:
            if request.method == "GET" and not names_operation(request.query_params):
                raise
            # "If event stream is not registered, process it directly": distinct connections, at the same address.
            await self._distinct.serve(request, send, EVENT_STREAM)
            return
        self._reservations.open(stream.reservation)
        try:
            with self._service.lifetimes.open(stream.lifetime, caller_of(request).credential):
                goodbye = stream.say_goodbye()
                chunks = stream.blocks()
                await send_stream(
                    request.scope, request.receive, send, chunks, self._format, stream.metrics, stream.lifetime, goodbye
                )
        finally:
            await stream.aclose()

    async def _begin(self, request: Request) -> Response:
        self._stream(request)
        if preferred(request.headers.get("accept"), (PLAIN_JSON,)) is None:
            raise Problem(406, f"Accept: expected {PLAIN_JSON}, or {EVENT_STREAM} to open the stream")
        asked = await read_request(request)
        id = operation_id(asked)
        await asked_operation(asked, request.method, self._limits.documents)
        stream = self._stream(request)  # again: it may have ended while the body came
        stream.reservation.start(id)
        caller, lifetime = caller_of(request), stream.lifetime
        context = Context(self._service, caller, metrics=stream.metrics, lifetime=lifetime, limits=self._limits)
        context.turns = stream.turns
        results = operation_results(asked, self._schema, context, allowed_by(request.method))
        try:
            refused = await stream.begin(id, results)
        except OperationStopped:
            return Response(status_code=204)
        if refused is None:
            return Response(status_code=202)
        return Response(orjson.dumps(refused), 400, media_type=PLAIN_JSON)

    async def _stop(self, request: Request, stream: ReservedStream) -> Response:
        id = request.query_params.get("operationId")
        if not id:
            raise ReservationRefused(400, "Operation ID is missing: expected ?operationId=")
        await stream.stop(id)
        return Response()


def _wants_stream(request: Request) -> bool:
    return preferred(request.headers.get("accept"), (PLAIN_JSON, EVENT_STREAM)) == EVENT_STREAM


def _token(request: Request) -> str | None:
    return request.headers.get(TOKEN_HEADER) or request.query_params.get(TOKEN_PARAMETER)


def _lapse(stream: ReservedStream) -> None:
    if not stream.reservation.is_open:
        stream.drop()
