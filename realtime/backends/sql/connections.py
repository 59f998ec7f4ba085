"""Connections to one database, and the threads in which they are used."""

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
#: Most seconds that somebody waits for a connection.
TURN_SECONDS = 30.0
_T = TypeVar("_T")


class Connections:
    """So many connections to one database, and as many threads to use them in.

    A caller that is cancelled leaves what it asked for to its end: a thread can not be stopped, and the next in turn
    gets the connection when it is free.
    """

    def __init__(self, engine: Engine, count: int, on_end: Callable[[], None] | None = None) -> None:
        """Use `engine`, whose pool has `count` connections; nothing is opened.

        `on_end` is called on the loop when a thread is through with something, whoever still waits for it.
        """
        self._on_end = on_end
        self._engine = engine
        self._count = count
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="sqlite")
        self._turns = asyncio.Semaphore(count)
        self._closed = False

    async def call(self, work: Callable[[Engine], _T]) -> _T:
        """Return `work(engine)`, called in a thread once a connection is free.

        Raises:
            TimeoutError: none became free.
        """
        if self._closed:
            raise RuntimeError("the database is closed")
        async with asyncio.timeout(TURN_SECONDS):
            await self._turns.acquire()
        return await self._submit(work)

    @asynccontextmanager
    async def all_taken(self) -> AsyncIterator[Engine]:
        """Wait until all connections are free, and let nobody have one for the length of the block.

        Raises:
            TimeoutError: they did not become free.
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
        """Close the connections, once all are free, and end the threads; twice is allowed.

        `as_they_are` leaves the files as a crash would: the last connection to a database writes when it is closed.
        """
        if not self._closed:
            self._closed = True
            for _ in range(self._count):
                await self._turns.acquire()
            # In the thread: a database in memory belongs to the one that made it.
            await self._submit(_never_close if as_they_are else Engine.dispose)
            await asyncio.to_thread(self._threads.shutdown)

    def _submit(self, work: Callable[[Engine], _T]) -> asyncio.Future[_T]:
        # Not `run_in_executor`: it takes two more turns of the loop, which under load are what a small write waits for.
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
                log.exception("what follows a use of the database failed")  # whoever waits is answered all the same
        error = done.exception()
        if answer.cancelled():
            return
        if error is None:
            answer.set_result(done.result())
        else:
            answer.set_exception(error)


def _never_close(engine: Engine) -> None:
    # One that is collected, at the end of the process too, is closed. There is no other way to keep this version of
    # `sqlite3` from the checkpoint that SQLite makes then (SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE).
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(engine))
