"""Messages of the clients of raw kanban WebSockets: commands on a board (docs/protocol.md), new tokens on both."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import NoReturn, assert_never

from realtime.clock import iso
from realtime.endings import BOARD_NOT_FOUND, HEARTBEAT_TIMEOUT, STORE_UNAVAILABLE
from realtime.errors import Refused, StoreUnavailable
from realtime.fanout.subscriber import Subscriber
from realtime.kanban.commands import Command
from realtime.kanban.ids import BoardId
from realtime.messages.envelopes import Envelope, access
from realtime.service import Service
from realtime.service.access_log import note_refusal
from server.access.connected_caller import ConnectedCaller
from server.connection.open_socket import OpenSocket, content_of
from server.protocol.kanban_messages import error, pong
from server.protocol.kanban_protocol import (
    Authenticate,
    Execute,
    GetState,
    KanbanProtocol,
    Ping,
    Refusal,
    Request,
    authentication_in,
)
from server.transports.idle_timeout import IdleTimeout, IdleTimeoutReached

__all__ = ["converse", "take_tokens"]


async def take_tokens(socket: OpenSocket, client: ConnectedCaller, queue: Subscriber) -> NoReturn:
    """Take new tokens, and drop all other messages until the client leaves; replies go into `queue`."""
    while True:
        match authentication_in(content_of(await socket.receive())):
            case Authenticate(token):
                queue.put_nowait((await _authenticated(client, token),))
            case Refusal(name, code, message):
                queue.put_nowait((error(name, code, message),))


async def converse(socket: OpenSocket, client: ConnectedCaller, board_id: BoardId, queue: Subscriber) -> NoReturn:
    """Carry out the requests of the client; replies go into `queue`.

    Raises:
        IdleTimeoutReached: the client has sent no JSON for too long.
        WebSocketDisconnect: the client has left.
    """
    board, loop = _Board(socket.service, client, board_id, queue), asyncio.get_running_loop()
    protocol = KanbanProtocol(loop.time(), socket.settings.heartbeat_timeout_seconds)
    heartbeat = IdleTimeout(protocol)
    try:
        while True:
            with heartbeat:
                message = content_of(await socket.receive())
            reply = await _answer(board, protocol.receive(message, loop.time()))
            if reply is not None:
                queue.put_nowait((reply,))
            del message, reply
    except IdleTimeoutReached:
        queue.metrics.close_reason = HEARTBEAT_TIMEOUT
        raise
    finally:
        heartbeat.close()


@dataclass(frozen=True, slots=True)
class _Board:
    """The board on which a socket was opened.

    If the board is deleted and a new one gets the same id, the new one is not the board of the socket.
    """

    service: Service
    client: ConnectedCaller
    id: BoardId
    queue: Subscriber

    async def state(self) -> Envelope:
        """Return the state as the stream sends it; an `error` if the board is gone or the store does not answer."""
        # Wait until the stream has the board: an earlier answer could be older than the snapshot.
        await self.queue.registered.wait()
        try:
            state = await self.service.streams.state(self.client.caller, self.id)
        except StoreUnavailable as away:
            return error("get_state", STORE_UNAVAILABLE.metric, f"there is no state now, try again: {away}")
        return _board_gone("get_state") if state is None or self.queue.has_left_channel else state

    async def execute(self, name: str, command: Command, key: str | None) -> Envelope | None:
        """Carry out a command; return the `error` for the message `name` if it is refused, None if it is done."""
        if self.queue.has_left_channel:
            return _board_gone(name)
        try:
            await self.service.boards.execute(self.client.caller, self.id, command, key=key)
        except Refused as refused:
            note_refusal(refused)
            return error(name, refused.code, refused.message)
        except StoreUnavailable as away:
            return error(name, STORE_UNAVAILABLE.metric, f"nothing was changed, try again: {away}")
        return None


async def _answer(board: _Board, request: Request) -> Envelope | None:
    """Carry out the request of a message; return the reply to this socket; None = there is no reply."""
    match request:
        case None:
            return None
        case Ping():
            return pong(iso(board.service.clock()))
        case GetState():
            return await board.state()
        case Refusal(name, code, message):
            return error(name, code, message)
        case Authenticate(token):
            return await _authenticated(board.client, token)
        case Execute(name, command, key):
            return await board.execute(name, command, key)
        case _:
            assert_never(request)


async def _authenticated(client: ConnectedCaller, token: str) -> Envelope:
    try:
        return access(await client.authenticate(token))
    except Refused as refused:
        note_refusal(refused)
        return error("authenticate", refused.code, refused.message)
    except StoreUnavailable as away:
        return error("authenticate", STORE_UNAVAILABLE.metric, f"nothing was changed, try again: {away}")


def _board_gone(name: str) -> Envelope:
    return error(name, "board_not_found", BOARD_NOT_FOUND.frame().reason)
