"""Messages of the clients of raw kanban WebSockets: commands on a board (docs/protocol.md), none on the dashboard."""

from __future__ import annotations

import asyncio
from typing import NoReturn, assert_never

from realtime.clock import iso
from realtime.endings import BOARD_NOT_FOUND, HEARTBEAT_TIMEOUT, STORE_UNAVAILABLE
from realtime.errors import Refused, StoreUnavailable
from realtime.fanout.subscriber import Subscriber
from realtime.kanban.ids import BoardId
from realtime.messages.envelopes import Envelope
from realtime.node import Node
from realtime.streams import repaired, state_of
from server.connection.open_socket import OpenSocket, content_of
from server.protocol.kanban_messages import error, pong
from server.protocol.kanban_protocol import Execute, GetState, KanbanProtocol, Ping, Refusal, Request
from server.transports.idle_timeout import IdleTimeout, IdleTimeoutReached

__all__ = ["converse", "ignore"]


async def ignore(socket: OpenSocket) -> NoReturn:
    """Read and forget, until the client leaves."""
    while True:
        content_of(await socket.receive())


async def converse(socket: OpenSocket, board_id: BoardId, queue: Subscriber) -> NoReturn:
    """Carry out what the client asks for; replies go into `queue`.

    Raises:
        IdleTimeoutReached: it has said nothing for too long.
        WebSocketDisconnect: it left.
    """
    node, loop = socket.node, asyncio.get_running_loop()
    protocol = KanbanProtocol(loop.time(), socket.settings.heartbeat_timeout_seconds)
    heartbeat = IdleTimeout(protocol)
    try:
        while True:
            with heartbeat:
                message = content_of(await socket.receive())
            reply = await _answer(node, board_id, queue, protocol.receive(message, loop.time()))
            if reply is not None:
                queue.put_nowait((reply,))
            del message, reply
    except IdleTimeoutReached:
        queue.metrics.close_reason = HEARTBEAT_TIMEOUT
        raise
    finally:
        heartbeat.close()


async def _answer(node: Node, board_id: BoardId, queue: Subscriber, request: Request) -> Envelope | None:
    """Do what a message asks for; return what goes back to this socket alone.

    The board of this socket is the one that it was opened on: another one under the same id is none of its own.
    """
    match request:
        case None:
            return None
        case Ping():
            return pong(iso(node.clock()))
        case GetState():
            return await _state(node, board_id, queue)
        case Refusal(name, code, message):
            return error(name, code, message)
        case Execute(name, command):
            if queue.has_left_channel:
                return _board_gone(name)
            try:
                await node.bus.execute(board_id, command)
            except Refused as refused:
                return error(name, refused.code, refused.message)
            except StoreUnavailable as away:
                return error(name, STORE_UNAVAILABLE.metric, f"nothing was changed, try again: {away}")
            return None
        case _:
            assert_never(request)


async def _state(node: Node, board_id: BoardId, queue: Subscriber) -> Envelope:
    # A client may ask before its stream has the board: an answer before that could be older than the snapshot.
    await queue.registered.wait()
    try:
        await repaired(node, board_id)
    except StoreUnavailable as away:
        return error("get_state", STORE_UNAVAILABLE.metric, f"there is no state now, try again: {away}")
    state = None if queue.has_left_channel else state_of(node, board_id)
    return state or _board_gone("get_state")


def _board_gone(name: str) -> Envelope:
    return error(name, "board_not_found", BOARD_NOT_FOUND.frame().reason)
