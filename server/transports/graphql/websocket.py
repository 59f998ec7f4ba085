"""GraphQL over WebSocket: one connection, for both subprotocols."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NoReturn, assert_never

import orjson
from starlette.websockets import WebSocketDisconnect
from strawberry import Schema

from realtime.clock import iso
from realtime.endings import (
    ALREADY_SUBSCRIBED,
    FORBIDDEN,
    INIT_LIMITED,
    INIT_TIMEOUT,
    INIT_UNDECIDED,
    INVALID_MESSAGE,
    STORE_UNAVAILABLE,
    TOO_MANY_INITS,
    UNAUTHORIZED,
    CloseFrame,
    close_frame_of,
)
from realtime.errors import Forbidden, NotAuthenticated, Refused, StoreUnavailable
from realtime.lifetimes.connection_lifetime import ConnectionLifetime
from realtime.lifetimes.goodbyes import Goodbye
from realtime.limits import LimitReached
from realtime.rates import CLIENT
from realtime.service import Caller
from realtime.service.access_log import note_refusal
from schema.execution.context import Context
from server.access.authenticator import init_tokens
from server.access.connected_caller import ConnectedCaller
from server.concurrency.coalesced_timer import CoalescedTimer, coalesced_timers
from server.concurrency.side_tasks import SideTasks
from server.connection.connections import count_for, cut_in_time, deflates, set_metrics, write_frames, writer
from server.connection.open_socket import OpenSocket, content_of
from server.connection.progress import send_in_time
from server.protocol.graphql.ws_protocol import (
    Admit,
    Authenticate,
    Close,
    GraphqlWsProtocol,
    Message,
    Reply,
    Start,
    Step,
    Stop,
)
from server.protocol.http.framing import text_frame
from server.transports.compressing import write_text
from server.transports.graphql.operations import GraphqlOperations

__all__ = ["Admission", "GraphqlSocket"]

#: Returns the caller whose token is in the payload of `connection_init`, else that of the session; None = neither. It
#: raises `LimitReached` if too many wrong tokens came from the address, and `StoreUnavailable`.
Admission = Callable[[Mapping[str, Any]], Awaitable[Caller | None]]

log = logging.getLogger(__name__)
#: Close codes for faults of the client (graphql-ws, PROTOCOL.md).
MISTAKES = frozenset(
    one.frame().code for one in (INVALID_MESSAGE, UNAUTHORIZED, INIT_TIMEOUT, ALREADY_SUBSCRIBED, TOO_MANY_INITS)
)


class _Over(Exception):
    """The connection must be closed with `frame`."""

    def __init__(self, frame: CloseFrame) -> None:
        super().__init__(frame)
        self.frame = frame


class GraphqlSocket:
    """Reads one client's messages and carries out the steps of the protocol.

    This replaces Strawberry's handlers, of which only the constructors would remain. Measured with version 0.341.2: a
    frame with a JSON list, string or number, or an id that cannot be hashed, raises an exception without a close frame.
    A null payload of `connection_init` is refused. A syntax error or an unknown operation name closes the connection
    and all its other operations. `pong` does not repeat the payload. After `complete` the operation still runs for a
    while.
    """

    def __init__(
        self,
        socket: OpenSocket,
        schema: Schema,
        context: Context,
        protocol: GraphqlWsProtocol,
        lifetime: ConnectionLifetime,
        admission: Admission | None,
        client: ConnectedCaller,
    ) -> None:
        """Take over `socket`, with a new `protocol`, for `client`.

        `admission` decides about `connection_init`; None = the handshake has admitted the client already.
        """
        self._context = context
        self._admission = admission
        self._client = client
        self._socket = socket
        self._protocol = protocol
        self._write = writer(socket.scope)
        self._deflates = deflates(socket.scope)
        self._operations = GraphqlOperations(schema, context, protocol, self._send, socket.scope)
        self._metrics = context.metrics
        set_metrics(socket.scope, context.metrics)
        self._lifetime = lifetime
        self._settings = socket.settings
        self._side_tasks = SideTasks()
        self._timer: CoalescedTimer | None = None
        self._ends = False
        #: One message is encoded at a time, when there is room for it: the results of a hundred operations may wait.
        self._sending = asyncio.Lock()

    async def serve(self) -> None:
        """Serve until one side ends the connection; afterwards no operation runs."""
        try:
            try:
                with self._side_tasks:
                    self._beat_later()
                    self._lifetime.watch(self._leave)
                    await self._converse()
            finally:  # before the close frame, because nothing may be sent after it
                await self._stop()
        except WebSocketDisconnect:
            pass  # the client left
        except _Over as over:
            await self._close(over.frame)
        except Exception as fault:
            await self._close(close_frame_of(fault))
            raise

    async def _stop(self) -> None:
        self._lifetime.watch(None)
        self._ends = True
        if self._timer is not None:
            self._timer.cancel()
        await self._side_tasks.aclose()
        await self._operations.aclose()

    async def _converse(self) -> NoReturn:
        await self._initialised()
        while True:
            # Do not bind the message to a name: its document would stay in memory while the client is silent.
            await self._carry_out(self._protocol.receive(content_of(await self._socket.receive())))

    async def _initialised(self) -> None:
        until = asyncio.get_running_loop().time() + self._settings.graphql_init_seconds
        while not self._protocol.initialised:
            try:
                async with asyncio.timeout_at(until):
                    message = await self._socket.receive()
            except TimeoutError:
                await self._carry_out(self._protocol.init_overdue())
            else:
                await self._carry_out(self._protocol.receive(content_of(message)))

    async def _carry_out(self, steps: Iterable[Step]) -> None:
        for step in steps:
            match step:
                case Admit(payload):
                    await self._carry_out(await self._decided(payload))
                case Authenticate(token):
                    await self._send({"type": "pong", "payload": await self._authenticated(token)})
                case Reply(message, reached):
                    if reached is not None:
                        note_refusal(reached)
                    await self._send(message)
                case Start():
                    await self._operations.start(step)
                case Stop(id):
                    # Wait, so that the generators of the operation are closed before the next step.
                    await self._operations.stop(id)
                case Close(frame):
                    raise _Over(frame)
                case _:
                    assert_never(step)

    async def _decided(self, payload: Mapping[str, Any]) -> Sequence[Step]:
        try:
            is_admitted = await self._is_admitted(payload)
        except LimitReached as reached:
            note_refusal(reached)
            return self._protocol.refuse(INIT_LIMITED.frame(reached.message))
        except StoreUnavailable:
            return self._protocol.refuse(INIT_UNDECIDED.frame())
        return self._protocol.admit() if is_admitted else self._protocol.refuse(FORBIDDEN.frame())

    async def _is_admitted(self, payload: Mapping[str, Any]) -> bool:
        if self._admission is None:
            return True
        if self._protocol.initialised:
            return await self._is_admitted_again(payload)
        caller = await self._admission(payload)
        if caller is None:
            return False
        if caller is not self._client.caller:
            # Operations take the caller over when they begin, and their tasks inherit the client. A session that the
            # handshake had counts no more.
            count_for(self._socket.scope, caller.client or "")
            self._client.caller = caller
            CLIENT.set(caller.client)
            self._context.service.lifetimes.refresh(self._lifetime, caller.credential, caller.grants)
        return True

    async def _is_admitted_again(self, payload: Mapping[str, Any]) -> bool:
        # Only the older subprotocol allows another `connection_init`. Its token is a new one in place.
        try:
            for token in init_tokens(payload)[:1]:
                await self._client.authenticate(token)
        except (NotAuthenticated, Forbidden) as refused:
            note_refusal(refused)
            return False
        return True

    async def _authenticated(self, token: str) -> Message:
        try:
            expires_at = await self._client.authenticate(token)
        except Refused as refused:
            note_refusal(refused)
            return {"code": refused.code.upper(), "message": refused.message}
        except StoreUnavailable:
            return {"code": STORE_UNAVAILABLE.graphql_code, "message": STORE_UNAVAILABLE.graphql_message}
        return {"expiresAt": None if expires_at is None else iso(expires_at)}

    def _beat_later(self) -> None:
        if not self._ends:
            self._timer = coalesced_timers().set(self._settings.graphql_ping_seconds, self._beat)

    def _beat(self) -> None:
        # Scripts in browsers see this message, but not the pings of WebSocket itself. Only those pings decide whether
        # the client is still there, because every client answers them.
        message = self._protocol.keep_alive
        if message is None or (self._write is not None and self._write(text_frame(orjson.dumps(message)))):
            self._beat_later()
        else:
            self._side_tasks.start(self._keep_alive(message))

    async def _keep_alive(self, message: Message) -> None:
        await self._send(message)
        self._beat_later()

    def _leave(self, goodbye: Goodbye) -> None:
        cut_in_time(self._socket.scope, goodbye)
        self._side_tasks.start(self._expire(goodbye))

    async def _expire(self, goodbye: Goodbye) -> NoReturn:
        # The running operations have got their goodbye. Send no error or `complete` after it, which clients take as
        # final: they reconnect by themselves when the connection has ended.
        await self._operations.finished(goodbye.operation_seconds)
        raise _Over(close_frame_of(goodbye.reason, of_graphql=True))

    async def _send(self, message: Message, *, has_secret: bool = False) -> None:
        async with self._sending:
            text = orjson.dumps(message)
            if self._deflates and await self._write_text(text, has_secret=has_secret):
                return
            await self._in_time(self._socket.send_text(text.decode()))

    async def _write_text(self, text: bytes, *, has_secret: bool) -> bool:
        if has_secret:
            return await write_frames(self._socket.scope, text_frame(text))
        return await write_text(self._socket.scope, text)

    async def _in_time(self, sending: Awaitable[None]) -> None:
        try:
            await send_in_time(self._socket.scope, self._metrics, sending)
        except TimeoutError:
            # As if the client had left: this ends the operations and the reading side.
            raise WebSocketDisconnect(1006) from None

    async def _close(self, frame: CloseFrame) -> None:
        if frame.code in MISTAKES:
            log.info("a GraphQL socket is closed for what its client sent: %d %s", frame.code, frame.reason)
        with suppress(WebSocketDisconnect):  # the client has left meanwhile
            await self._in_time(self._socket.close(frame.code, frame.reason))
