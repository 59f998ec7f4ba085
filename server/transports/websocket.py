"""The raw kanban WebSockets of a board and of the dashboard (docs/protocol.md)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing
from functools import partial
from typing import Any, NoReturn

from starlette.websockets import WebSocket, WebSocketDisconnect

from realtime.dashboard.time_range import DEFAULT_TIME_RANGE
from realtime.endings import HEARTBEAT_TIMEOUT, CloseFrame, close_frame_of, is_fault
from realtime.fanout.counters import ConnectionMetrics
from realtime.fanout.subscriber import Subscriber
from realtime.lifetimes.connection_lifetime import ConnectionLifetime
from realtime.messages.batches import Batch
from realtime.messages.options import StreamOptions
from realtime.service.access_log import note_refusal
from server.concurrency.tasks import first_to_end
from server.connection.connections import abort, cut_in_time, set_metrics
from server.connection.open_socket import OpenSocket
from server.connection.progress import send_in_time
from server.connection.websocket_connection import serve_session
from server.problem import Problem
from server.protocol.kanban_messages import text
from server.transports.callers import asked_by, connected
from server.transports.compressing import write_batch
from server.transports.direct_writers import socket_writer
from server.transports.idle_timeout import IdleTimeoutReached
from server.transports.query import options_of, required_board
from server.transports.socket_reading import converse, take_tokens

__all__ = ["board_socket", "dashboard_socket"]


async def board_socket(socket: WebSocket) -> None:
    """Serve one board to one client, and carry out its commands."""
    service, caller = asked_by(socket)
    try:
        board_id, options = required_board(socket.query_params), options_of(socket.query_params, service.limits)
    except Problem as refused:
        await socket.send_denial_response(refused.response())
        return
    await _accept(socket)
    # Replies and the batches of the stream go through one queue, so they keep their order.
    queue = service.streams.subscriber(service.metrics("board-ws"))
    queue.outlasts = True
    lifetime = ConnectionLifetime()
    client = connected(socket, lifetime)
    stream = service.streams.board(caller, board_id, queue, options, lifetime=lifetime)

    async def session(opened: OpenSocket) -> None:
        with service.lifetimes.open(lifetime, caller.credential):
            lifetime.watch(partial(cut_in_time, opened.scope))
            await _serve(opened, queue, stream, converse(opened, client, board_id, queue))

    await serve_session(socket, session)


async def dashboard_socket(socket: WebSocket) -> None:
    """Serve the dashboard to one client; all its messages but new tokens are ignored."""
    await _accept(socket)
    service, caller = asked_by(socket)
    queue = service.streams.subscriber(service.metrics("dashboard-ws"))
    # The recordings show that the original ignored options in this address, so the defaults hold.
    options = StreamOptions(slow=service.limits.slow_policy(None))
    lifetime = ConnectionLifetime()
    client = connected(socket, lifetime)
    stream = service.streams.dashboard(caller, DEFAULT_TIME_RANGE, queue, options, lifetime=lifetime)

    async def session(opened: OpenSocket) -> None:
        with service.lifetimes.open(lifetime, caller.credential):
            lifetime.watch(partial(cut_in_time, opened.scope))
            await _serve(opened, queue, stream, take_tokens(opened, client, queue))

    await serve_session(socket, session)


async def _accept(socket: WebSocket) -> None:
    # Echo the first offered subprotocol (docs/protocol.md, "Addresses").
    await socket.accept(subprotocol=next(iter(socket.scope["subprotocols"]), None))


async def _serve(
    socket: OpenSocket,
    queue: Subscriber,
    stream: AsyncGenerator[Batch, None],
    reading: Coroutine[Any, Any, NoReturn],
) -> None:
    """Run both directions until one ends, then close the socket with the reason."""
    queue.direct_writer = socket_writer(socket.scope, queue.metrics.counts)
    set_metrics(socket.scope, queue.metrics)
    try:
        async with aclosing(stream):
            await first_to_end(reading, _write(socket, stream, queue.metrics))
    except (WebSocketDisconnect, TimeoutError):
        pass  # the client left, or was cut because it takes nothing
    except IdleTimeoutReached:
        await _close(socket, HEARTBEAT_TIMEOUT.frame(), queue.metrics)
    except Exception as error:  # each cause has its row in `realtime.endings`
        note_refusal(error)
        await _close(socket, close_frame_of(error), queue.metrics)
        if is_fault(error):
            raise


async def _write(socket: OpenSocket, stream: AsyncGenerator[Batch, None], metrics: ConnectionMetrics) -> None:
    async for batch in stream:
        metrics.sent_batch(batch)
        await send_in_time(socket.scope, metrics, _send(socket, batch))
        del batch  # otherwise a sleeping stream would keep it in memory


async def _send(socket: OpenSocket, batch: Batch) -> None:
    if not await write_batch(socket.scope, batch):
        for envelope in batch:
            await socket.send_text(envelope.cached(text))


async def _close(socket: OpenSocket, frame: CloseFrame, metrics: ConnectionMetrics) -> None:
    try:
        await send_in_time(socket.scope, metrics, socket.close(frame.code, frame.reason))
    except (TimeoutError, WebSocketDisconnect):
        # The client does not take the close frame, or has left meanwhile.
        abort(socket.scope)
