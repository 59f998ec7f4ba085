"""What runs behind one reservation of graphql-sse: its operations, and the blocks that wait for its reader."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import partial
from typing import Any, NoReturn

from realtime.fanout.connection_lifetimes import ConnectionLifetime
from realtime.fanout.counters import ConnectionMetrics
from realtime.node import Limits
from server.protocol.graphql.events import KEEP_ALIVE, complete_block, operation_block, retry_block
from server.protocol.graphql.reservations import Reservation
from server.protocol.graphql.response import was_refused
from server.transports.graphql.operation import OperationResult, fault_body

__all__ = ["OperationStopped", "ReservedStream"]

#: Most seconds to wait for the first result before an operation counts as accepted.
BEGIN_SECONDS = 1.0
#: Blocks that wait for an open stream's reader; what its operations have beyond that waits in queues of their own.
OPEN_BLOCKS = 1
#: Most seconds to wait for operations to clean up after themselves.
STOP_SECONDS = 5.0

log = logging.getLogger(__name__)

_Results = AsyncGenerator[OperationResult, None]


class OperationStopped(Exception):
    """The operation was stopped before it had begun."""


class ReservedStream:
    """Runs operations, each in a task of its own, and queues what they tell.

    What waits is bounded. While a reader is there, operations wait for it, and what becomes of one whose own queue
    overflows meanwhile is its own matter, as on a socket. Before one is there, nobody can be waited for: too much
    ends all.
    """

    def __init__(
        self, reservation: Reservation, metrics: ConnectionMetrics, limits: Limits, forget: Callable[[], None]
    ) -> None:
        """Keep what `limits` has for one reader; `forget` is called when nobody can use the reservation any more."""
        self.reservation = reservation
        #: Of the connection that is to come, and from the first operation on.
        self.lifetime = ConnectionLifetime()
        self.metrics = metrics
        self._limits = limits
        self._forget = forget
        self._early: deque[bytes] = deque()
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue(OPEN_BLOCKS)
        self._is_over = False
        self._operations: dict[str, asyncio.Task[None]] = {}

    async def begin(self, id: str, results: _Results) -> dict[str, Any] | None:
        """Run an operation that has taken `id`; return its response if it is refused, of which the stream has nothing.

        Raises:
            OperationStopped: `stop` came first.
        """
        begun: asyncio.Future[dict[str, Any] | None] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(self._run(id, results, begun), name="operation")
        self._operations[id] = task
        task.add_done_callback(partial(self._ended, id))
        await asyncio.wait([begun], timeout=BEGIN_SECONDS)
        if begun.cancelled():
            raise OperationStopped(id)
        if not begun.done():
            begun.set_result(None)
        return begun.result()

    async def stop(self, id: str) -> None:
        """End an operation, with its generators; unknown ids may have ended by themselves."""
        task = self._operations.get(id)
        if task is None:
            return
        task.cancel()
        await asyncio.wait([task], timeout=STOP_SECONDS)
        if task.cancelled():
            await self._put(complete_block(id))

    async def blocks(self) -> AsyncGenerator[bytes, None]:
        """Yield what the operations have told and tell; ends after `say_goodbye`."""
        # As the reference does, "because some browsers (like Firefox and Safari) dont accept the header flush".
        yield KEEP_ALIVE
        while self._early:
            early = self._early.popleft()
            self.reservation.client.early_bytes -= len(early)
            yield early
        while (block := await self._queue.get()) is not None:
            yield block

    async def say_goodbye(self) -> NoReturn:
        """Wait until the server ends the connection, then end the stream behind the last words of its operations."""
        goodbye = await self.lifetime.ended()
        self._forget()
        if self._operations:
            await asyncio.wait(list(self._operations.values()))
        await self._queue.put(retry_block(goodbye.reconnect_after_ms))
        await self._queue.put(None)
        while True:
            await asyncio.get_running_loop().create_future()  # the answer ends by itself

    def drop(self) -> None:
        """Make the reservation worthless and cancel what runs."""
        self._forget()
        self.reservation.client.early_bytes -= sum(map(len, self._early))
        self._early.clear()
        for task in self._operations.values():
            task.cancel()

    async def aclose(self) -> None:
        """Drop, and wait until the generators of all operations are closed."""
        self.drop()
        if self._operations:
            await asyncio.wait(list(self._operations.values()), timeout=STOP_SECONDS)
        # Nobody reads any more; who waits for room (`stop`, in a request of its own) would wait for ever.
        self._is_over = True
        while not self._queue.empty():
            self._queue.get_nowait()
            await asyncio.sleep(0)  # let the next of them have the room

    async def _run(self, id: str, results: _Results, begun: asyncio.Future[dict[str, Any] | None]) -> None:
        try:
            async with aclosing(results):
                async for result in results:
                    if not begun.done():
                        refused = was_refused(result.body)
                        begun.set_result(result.body if refused else None)
                        if refused:
                            return
                    if result.reconnect_after_ms is not None:
                        return  # the end of the stream tells it
                    await self._put(operation_block(id, result.body))
                    del result
            await self._put(complete_block(id))
        except Exception:
            log.exception("an operation could not be told to its reader")
            await self._fail(id, begun)
        finally:
            begun.cancel()

    async def _fail(self, id: str, begun: asyncio.Future[dict[str, Any] | None]) -> None:
        """End an operation by our own fault: its reader must not wait for what does not come."""
        if not begun.done():
            begun.set_result(fault_body())
            return
        await self._put(operation_block(id, fault_body()))
        await self._put(complete_block(id))

    async def _put(self, block: bytes) -> None:
        if self._is_over:
            return
        if self.reservation.is_open:
            await self._queue.put(block)
            return
        self._early.append(block)
        client = self.reservation.client
        client.early_bytes += len(block)
        # The bytes are those of all reservations of the client together.
        if len(self._early) > self._limits.queued_envelopes or client.early_bytes > self._limits.queued_bytes:
            self.drop()
            await asyncio.sleep(0)  # who puts is cancelled too, here if its results never wait for anything

    def _ended(self, id: str, task: asyncio.Task[None]) -> None:
        del self._operations[id]
        self.reservation.finish(id)
        if not task.cancelled():
            task.result()  # a fault of ours goes to the loop's handler, which logs it
