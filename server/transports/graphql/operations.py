"""The operations that run on one GraphQL WebSocket, for both subprotocols."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Collection, MutableMapping
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

from starlette.websockets import WebSocketDisconnect
from strawberry import Schema

from schema.execution.context import Context
from server.protocol.graphql.request import GraphqlRequest
from server.protocol.graphql.ws_protocol import GraphqlWsProtocol, Message, Start
from server.transports.direct_writers import socket_results
from server.transports.graphql.operation import fault_body, operation_results

__all__ = ["GraphqlOperations"]

log = logging.getLogger(__name__)
#: Most seconds to wait for the clean-up of an operation.
STOP_SECONDS = 5.0


class Send(Protocol):
    """Sends a message to the client."""

    def __call__(self, message: Message, *, has_secret: bool = False) -> Awaitable[None]:
        """Send `message`; a secret in it is not compressed."""


async def _send_nothing(message: Message, *, has_secret: bool = False) -> None:
    """Stand in for the socket after its end."""


class GraphqlOperations:
    """Runs each operation in its own task, and sends its results as messages of the subprotocol."""

    def __init__(
        self,
        schema: Schema,
        context: Context,
        protocol: GraphqlWsProtocol,
        send: Send,
        scope: MutableMapping[str, Any],
    ) -> None:
        """Execute `schema`, each operation with a copy of `context`, for the WebSocket of `scope`."""
        self._schema = schema
        self._context = context
        self._protocol = protocol
        self._send = send
        self._scope = scope
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def start(self, start: Start) -> None:
        """Begin an operation; its id must be free in the protocol."""
        if before := self._tasks.get(start.id):
            await asyncio.wait([before])  # the earlier operation with this id still sends its last message
        task = asyncio.create_task(self._run(start.id, start.request), name="operation")
        self._tasks[start.id] = task
        task.add_done_callback(partial(self._forget, start.id))

    async def stop(self, id: str) -> None:
        """End an operation, and return when its generators are closed; if it has ended before, do nothing."""
        await self._end([self._tasks[id]] if id in self._tasks else [])

    async def finished(self, within_seconds: float | None) -> None:
        """Wait until all operations that run now have ended by themselves, or the time is over; None = no limit."""
        if self._tasks:
            await asyncio.wait(list(self._tasks.values()), timeout=within_seconds)

    async def aclose(self) -> None:
        """Cancel all operations and wait until they have ended; no further one may start. Allowed several times."""
        await self._end(self._tasks.values())
        self._send = _send_nothing  # the function of the socket refers to the socket, which refers to this object

    def _forget(self, id: str, ended: asyncio.Task[None]) -> None:
        if self._tasks.get(id) is ended:
            del self._tasks[id]

    async def _run(self, id: str, request: GraphqlRequest) -> None:
        try:
            # Each operation has its own context, because operations change it.
            client = self._context.connected
            caller = self._context.caller if client is None else client.caller
            context = replace(
                self._context,
                caller=caller,
                write_nowait=socket_results(self._scope, self._protocol.result_beginning(id)),
            )
            results = operation_results(request, self._schema, context)
            del request, context  # do not keep the document in memory: it may be long
            async with aclosing(results):
                async for result in results:
                    if result.reconnect_after_ms is not None:
                        return  # the close code of the connection has the reason
                    message = self._protocol.result(id, result.body, result.failed)
                    await self._send(message, has_secret=result.has_secret)
                    del message
                    if result.failed:
                        return
                    del result
            await self._send(self._protocol.completed(id))
        except WebSocketDisconnect:
            pass  # the reading side gets the same error and ends the connection
        except Exception:
            log.exception("the results of an operation could not be sent to its client")
            # Send an error, so that the client does not wait for a result for ever.
            await self._send(self._protocol.result(id, fault_body(), True))

    async def _end(self, tasks: Collection[asyncio.Task[None]]) -> None:
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(list(tasks), timeout=STOP_SECONDS)
