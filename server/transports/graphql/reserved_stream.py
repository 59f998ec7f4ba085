"""The operations of one reservation of graphql-sse, and the blocks that wait for its stream."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import partial
from typing import Any, NoReturn

from realtime.fanout.counters import ConnectionMetrics
from realtime.lifetimes.connection_lifetime import ConnectionLifetime
from realtime.node import Limits
from server.protocol.graphql.events import KEEP_ALIVE, complete_block, operation_block, retry_block
from server.protocol.graphql.reservations import Reservation
from server.protocol.graphql.response import was_refused
from server.transports.graphql.operation import MAX_EXECUTING, OperationResult, fault_body
from server.transports.gzip_stream import Secret

__all__ = ["OperationStopped", "ReservedStream"]

#: Most seconds to wait for the first result before an operation counts as accepted.
BEGIN_SECONDS = 1.0
#: Most blocks that wait for an open stream. Further results wait in the queues of the operations.
OPEN_BLOCKS = 1
#: Most seconds to wait for the clean-up of operations.
STOP_SECONDS = 5.0

log = logging.getLogger(__name__)

_Results = AsyncGenerator[OperationResult, None]


class OperationStopped(Exception):
    """The operation was stopped before it had begun."""


class ReservedStream:
    """Runs operations, each in its own task, and queues their results.

    The queue is bounded. While the stream is open, operations wait for it (backpressure); if the queue of an operation
    overflows meanwhile, the slow policy of that operation applies, as on a socket. Before the stream is open,
    operations cannot wait for it: too many results end the reservation with all its operations.
    """

    def __init__(
        self, reservation: Reservation, metrics: ConnectionMetrics, limits: Limits, forget: Callable[[], None]
    ) -> None:
        """Queue as much as `limits` allows for one subscriber; call `forget` when the reservation has ended."""
        self.reservation = reservation
        #: The lifetime of the future connection; it begins with the first operation.
        self.lifetime = ConnectionLifetime()
        self.metrics = metrics
        #: See `Context.turns`.
        self.turns = asyncio.Semaphore(MAX_EXECUTING)
        self._limits = limits
        self._forget = forget
        self._early: deque[bytes] = deque()
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue(OPEN_BLOCKS)
        #: One block is encoded at a time, when there is room for it: the results of a hundred operations may wait.
        self._encoding = asyncio.Lock()
        self._is_over = False
        self._operations: dict[str, asyncio.Task[None]] = {}

    async def begin(self, id: str, results: _Results) -> dict[str, Any] | None:
        """Run an operation with the reserved `id`; return its response if it was refused, else None.

        A refused operation sends nothing on the stream.

        Raises:
            OperationStopped: `stop` was called first.
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
        """End an operation and its generators. An unknown id is ignored: its operation may have ended by itself."""
        task = self._operations.get(id)
        if task is None:
            return
        task.cancel()
        await asyncio.wait([task], timeout=STOP_SECONDS)
        if task.cancelled():
            await self._put(partial(complete_block, id))

    async def blocks(self) -> AsyncGenerator[bytes, None]:
        """Yield the earlier and the coming results of the operations; ends after `say_goodbye`."""
        # The reference implementation does so too, "because some browsers (like Firefox and Safari) dont accept the
        # header flush".
        yield KEEP_ALIVE
        while self._early:
            early = self._early.popleft()
            self.reservation.client.early_bytes -= len(early)
            yield early
        while (block := await self._queue.get()) is not None:
            yield block

    async def say_goodbye(self) -> NoReturn:
        """Wait until the server ends the connection, then end the stream after the last results of its operations.

        Operations that take longer than the goodbye allows are cancelled when the stream is closed.
        """
        goodbye = await self.lifetime.ended()
        self._forget()
        if self._operations:
            await asyncio.wait(list(self._operations.values()), timeout=goodbye.operation_seconds)
        await self._queue.put(retry_block(goodbye.reconnect_after_ms))
        await self._queue.put(None)
        while True:
            await asyncio.get_running_loop().create_future()  # wait for ever: the answer ends by itself

    def drop(self) -> None:
        """Remove the reservation and cancel its operations."""
        self._forget()
        self.reservation.client.early_bytes -= sum(map(len, self._early))
        self._early.clear()
        for task in self._operations.values():
            task.cancel()

    async def aclose(self) -> None:
        """Call `drop`, and wait until the generators of all operations are closed."""
        self.drop()
        if self._operations:
            await asyncio.wait(list(self._operations.values()), timeout=STOP_SECONDS)
        # Nothing reads the queue any more, so empty it: otherwise a `stop` of another request would wait for room for
        # ever.
        self._is_over = True
        while not self._queue.empty():
            self._queue.get_nowait()
            await asyncio.sleep(0)  # let the next waiting task put its block

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
                        return  # the client learns it from the end of the stream
                    await self._put(partial(_block_of, id, result))
                    del result
            await self._put(partial(complete_block, id))
        except Exception:
            log.exception("the results of an operation could not be sent to its stream")
            await self._fail(id, begun)
        finally:
            begun.cancel()

    async def _fail(self, id: str, begun: asyncio.Future[dict[str, Any] | None]) -> None:
        """End an operation after a fault of the server, so that the client does not wait for ever."""
        if not begun.done():
            begun.set_result(fault_body())
            return
        await self._put(partial(operation_block, id, fault_body()))
        await self._put(partial(complete_block, id))

    async def _put(self, encode: Callable[[], bytes]) -> None:
        if self.reservation.is_open:
            async with self._encoding:
                if not self._is_over:
                    await self._queue.put(encode())
        elif not self._is_over:
            await self._put_early(encode())

    async def _put_early(self, block: bytes) -> None:
        self._early.append(block)
        client = self.reservation.client
        client.early_bytes += len(block)
        # The limit of bytes is for all reservations of the client together.
        if len(self._early) > self._limits.queued_envelopes or client.early_bytes > self._limits.queued_bytes:
            self.drop()
            await asyncio.sleep(0)  # the calling task is cancelled too: here, if its results never wait

    def _ended(self, id: str, task: asyncio.Task[None]) -> None:
        del self._operations[id]
        self.reservation.finish(id)
        if not task.cancelled():
            task.result()  # raises a fault of the server to the loop's handler, which logs it


def _block_of(id: str, result: OperationResult) -> bytes:
    block = operation_block(id, result.body)
    return Secret(block) if result.has_secret else block
