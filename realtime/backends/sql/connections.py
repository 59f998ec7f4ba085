"""Connections to one database, and the threads that use them."""

from __future__ import annotations

import asyncio
import ctypes
import logging
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeVar

from sqlalchemy import Engine

__all__ = ["Connections"]

log = logging.getLogger(__name__)
#: Most seconds that a caller waits for a free connection.
TURN_SECONDS = 30.0
_T = TypeVar("_T")


class Connections:
    """A fixed number of connections to one database, and as many threads to use them.

    If a caller is cancelled, its work continues to the end, because a thread can not be stopped. Its connection becomes
    free only then.
    """

    def __init__(self, engine: Engine, count: int, on_end: Callable[[], None] | None = None) -> None:
        """Use `engine`, whose pool has `count` connections; no connection is opened yet.

        `on_end` is called on the event loop whenever a thread has finished its work, even if the caller was cancelled.
        """
        self._on_end = on_end
        self._engine = engine
        self._count = count
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="database")
        self._turns = asyncio.Semaphore(count)
        self._closed = False
        #: Calls that had to wait for a connection.
        self.waits = 0

    async def call(self, work: Callable[[Engine], _T]) -> _T:
        """Return `work(engine)`, called in a thread once a connection is free.

        Raises:
            TimeoutError: no connection became free in time.
        """
        if self._closed:
            raise RuntimeError("the database is closed")
        if self._turns.locked():
            self.waits += 1
            async with asyncio.timeout(TURN_SECONDS):
                await self._turns.acquire()
        else:
            await self._turns.acquire()  # at once, without the cost of a timeout
        return await self._submit(work)

    @asynccontextmanager
    async def all_taken(self) -> AsyncIterator[Engine]:
        """Wait until all connections are free, and reserve them for the length of the block.

        Raises:
            TimeoutError: they did not become free in time.
        """
        taken = 0
        try:
            async with asyncio.timeout(TURN_SECONDS):
                while taken < self._count:
                    await self._turns.acquire()
                    taken += 1
            yield self._engine
        finally:
            for _ in range(taken):
                self._turns.release()

    async def aclose(self, *, as_they_are: bool = False) -> None:
        """Close the connections once all are free, and end the threads; twice is allowed.

        `as_they_are` leaves the files as a crash would; without it, closing the last connection writes into them.
        """
        if not self._closed:
            self._closed = True
            for _ in range(self._count):
                await self._turns.acquire()
            # In the thread, because a database in memory belongs to the thread that made it.
            await self._submit(_never_close if as_they_are else Engine.dispose)
            await asyncio.to_thread(self._threads.shutdown)

    def _submit(self, work: Callable[[Engine], _T]) -> asyncio.Future[_T]:
        # Not `run_in_executor`: it takes two more turns of the loop, for which a small write waits longest under load.
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[_T] = loop.create_future()
        working = self._threads.submit(work, self._engine)
        working.add_done_callback(lambda done: loop.call_soon_threadsafe(self._answer, answer, done))
        return answer

    def _answer(self, answer: asyncio.Future[_T], done: Future[_T]) -> None:
        self._turns.release()
        if self._on_end is not None:
            try:
                self._on_end()
            except Exception:
                log.exception("what follows a use of the database failed")  # the caller gets its result all the same
        error = done.exception()
        if answer.cancelled():
            return
        if error is None:
            answer.set_result(done.result())
        else:
            answer.set_exception(error)


def _never_close(engine: Engine) -> None:
    # A collected engine closes its connections, even at the end of the process. This version of `sqlite3` has no other
    # way to prevent the checkpoint that SQLite makes then (SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE).
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(engine))
