"""GraphQL over WebSocket, subprotocol graphql-transport-ws: one connection and the operations that run on it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import NoReturn, assert_never

import orjson
from starlette.websockets import WebSocket, WebSocketDisconnect
from strawberry import Schema

from schema.context import Context
from server.close_codes import INIT_TIMEOUT, Ending, ending_of
from server.protocol.graphql_conversation import (
    PING,
    SUBPROTOCOL,
    Close,
    GraphqlConversation,
    Reply,
    Start,
    Step,
    Stop,
    complete_message,
    error_message,
    next_message,
)
from server.tasks import first_to_end
from server.transports.graphql_operation import OperationResult, operation_results

__all__ = ["GraphqlSocket"]

#: Seconds in which a client must send `connection_init`.
INIT_SECONDS = 10.0
#: Seconds between two `ping` messages, which scripts in browsers can see, unlike those of WebSocket itself. Whether
#: the client is still there is decided by the latter, which no client can forget to answer.
PING_SECONDS = 20.0
#: Operations that may run at the same time on one connection.
MAX_OPERATIONS = 100
#: Most seconds to wait for an operation to clean up after itself.
STOP_SECONDS = 5.0


class _Over(Exception):
    """The connection is to be closed, and how."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending)
        self.ending = ending


class GraphqlSocket:
    """Reads one client's messages, runs its operations, each in a task of its own, and sends what comes of them.

    Not Strawberry's handler, of which only the constructor would be left. Version 0.341.2, measured: a frame that is a
    JSON list, string or number and an id that cannot be hashed end in an exception and no close frame; a null payload
    of `connection_init` is refused; a syntax error or an unknown operation name closes the connection and all its
    other operations; `pong` does not repeat the payload; after `complete` the operation still runs for a while.
    """

    def __init__(self, socket: WebSocket, schema: Schema, context: Context) -> None:
        """Take over `socket`, which is not accepted yet."""
        self._socket = socket
        self._schema = schema
        self._context = context
        self._conversation = GraphqlConversation(MAX_OPERATIONS)
        self._operations: dict[str, asyncio.Task[None]] = {}

    async def serve(self) -> None:
        """Serve until one side ends it; afterwards no operation is left."""
        await self._socket.accept(subprotocol=SUBPROTOCOL)
        try:
            try:
                await first_to_end(self._converse(), self._keep_alive())
            finally:  # before the close frame: behind that, nobody may send
                await self._stop(self._operations.values())
        except WebSocketDisconnect:
            pass  # the client left
        except _Over as over:
            await self._close(over.ending)
        except Exception as fault:
            await self._close(ending_of(fault))
            raise

    async def _converse(self) -> NoReturn:
        init_until = asyncio.get_running_loop().time() + INIT_SECONDS
        while True:
            try:
                async with asyncio.timeout_at(None if self._conversation.initialised else init_until):
                    data = await self._receive()
            except TimeoutError as error:
                raise _Over(INIT_TIMEOUT) from error
            await self._carry_out(self._conversation.receive(data))

    async def _carry_out(self, step: Step) -> None:
        match step:
            case None:
                pass
            case Reply(message):
                await self._send(orjson.dumps(message).decode())
            case Start():
                await self._start(step)
            case Stop(id):
                # Waited for, so that its generators are closed before whatever the client says next.
                await self._stop([self._operations[id]] if id in self._operations else [])
            case Close(ending):
                raise _Over(ending)
            case _:
                assert_never(step)

    async def _start(self, start: Start) -> None:
        if before := self._operations.get(start.id):
            await asyncio.wait([before])  # it is sending the last message that carries this id
        task = asyncio.create_task(self._run(start), name="operation")
        self._operations[start.id] = task
        task.add_done_callback(partial(self._forget, start.id))

    def _forget(self, id: str, ended: asyncio.Task[None]) -> None:
        if self._operations.get(id) is ended:
            del self._operations[id]

    async def _run(self, start: Start) -> None:
        try:
            # A context of its own: operations write into theirs.
            results = operation_results(start.request, self._schema, replace(self._context))
            async with aclosing(results):
                async for result in results:
                    if result.failed:
                        self._conversation.finish(start.id)
                    await self._send(_text(start.id, result))
                    if result.failed:
                        return
            self._conversation.finish(start.id)
            await self._send(orjson.dumps(complete_message(start.id)).decode())
        except WebSocketDisconnect:
            pass  # who reads finds out too

    async def _stop(self, tasks: Collection[asyncio.Task[None]]) -> None:
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(list(tasks), timeout=STOP_SECONDS)

    async def _keep_alive(self) -> NoReturn:
        while True:
            await asyncio.sleep(PING_SECONDS)
            await self._send(orjson.dumps(PING).decode())

    async def _receive(self) -> str | bytes:
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005))
        text: str | None = message.get("text")
        return text if text is not None else message["bytes"]

    async def _send(self, text: str) -> None:
        try:
            await self._socket.send_text(text)
        except RuntimeError as closed:  # uvicorn has sent its own close meanwhile
            raise WebSocketDisconnect(1006) from closed

    async def _close(self, ending: Ending) -> None:
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):  # it left meanwhile
            await self._socket.close(ending.code, ending.reason)


def _text(id: str, result: OperationResult) -> str:
    message = error_message(id, result.body["errors"]) if result.failed else next_message(id, result.body)
    return orjson.dumps(message).decode()
