"""The raw SSE streams of a board and of the dashboard (docs/protocol.md)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import partial

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from realtime.dashboard.time_range import DEFAULT_TIME_RANGE
from realtime.endings import status_of
from realtime.errors import NotFound
from realtime.fanout.counters import ConnectionMetrics
from realtime.lifetimes.connection_lifetime import ConnectionLifetime
from realtime.messages.batches import Batch
from realtime.messages.envelopes import heartbeat
from realtime.messages.options import StreamOptions
from realtime.service import Service, has_heartbeats
from server.problem import Problem
from server.protocol.http.gzip_pieces import Piece
from server.protocol.http.sse_format import COMMENT, block, blocks
from server.settings import Settings
from server.transports.callers import caller_of, service_of
from server.transports.compressing import BLOCKS, compressed
from server.transports.direct_writers import event_stream_writer
from server.transports.gzip_stream import gzip_stream
from server.transports.http_stream import EVENT_STREAM, StreamFormat, encoded, send_stream
from server.transports.query import board_of, dashboard_options_of, options_of, required_board

__all__ = ["SseEndpoint"]


class SseEndpoint:
    """`GET /api/v1/sse`: the stream of a board, or without a board that of the dashboard. An ASGI application."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        service = service_of(request)
        settings: Settings = request.app.state.settings
        metrics = service.metrics("dashboard-sse" if board_of(request.query_params) is None else "board-sse")
        options = _options(request, service)
        lifetime = ConnectionLifetime()
        async with aclosing(_stream(request, service, metrics, options, lifetime)) as stream:
            # Read the first batch before the response begins, so that an unknown board gives 404 and not an empty
            # stream.
            try:
                first = await anext(stream)
            except NotFound as missing:
                raise Problem(status_of(missing), missing.message) from missing
            chunks = encoded(first, stream, partial(_blocks, scope), metrics)
            keep_alive, seconds = _keep_alive(service, options), settings.heartbeat_seconds
            format = StreamFormat(EVENT_STREAM, keep_alive, seconds, is_compressible=True)
            with service.lifetimes.open(lifetime, caller_of(request).credential):
                await send_stream(scope, receive, send, chunks, format, metrics, lifetime)


def _options(request: Request, service: Service) -> StreamOptions:
    read = dashboard_options_of if board_of(request.query_params) is None else options_of
    return read(request.query_params, service.limits, request.headers.get("last-event-id"))


def _stream(
    request: Request,
    service: Service,
    metrics: ConnectionMetrics,
    options: StreamOptions,
    lifetime: ConnectionLifetime,
) -> AsyncGenerator[Batch, None]:
    queue = service.streams.subscriber(metrics)
    queue.direct_writer = event_stream_writer(request.scope, metrics.counts)
    if board_of(request.query_params) is None:
        return service.streams.dashboard(caller_of(request), DEFAULT_TIME_RANGE, queue, options, lifetime=lifetime)
    queue.outlasts = True
    # An empty board id is an error; the original sent the dashboard instead (docs/departures.md, row 10).
    board = required_board(request.query_params)
    return service.streams.board(caller_of(request), board, queue, options, lifetime=lifetime)


async def _blocks(scope: Scope, batch: Batch) -> bytes | Piece:
    if gzip_stream(scope) is None:
        return batch.cached(blocks)
    return await compressed(batch, BLOCKS)


def _keep_alive(service: Service, options: StreamOptions) -> Callable[[], bytes]:
    # If the stream has its own heartbeats, a comment keeps the connection alive, which is no event.
    return (lambda: COMMENT) if has_heartbeats(options) else (lambda: block(heartbeat(service.clock())))
