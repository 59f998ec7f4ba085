"""Checkpoints: they copy the write-ahead log into the database file, and the writer does not wait for them.

By default SQLite makes a checkpoint in the commit that finds 1,000 pages in the log, and that commit waits for the
disk. Of batches of 100 lines, which take 9 ms, about one in ten took 35 ms. Here a connection of its own makes the
checkpoints, a second after a write, while others keep writing.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import closing, nullcontext

from sqlalchemy import Engine

from realtime.backends.sql.connections import Connections
from realtime.backends.sql.file.carried import Carried
from realtime.backends.sql.file.file_guard import FileAway, FileGuard

__all__ = ["CHECKPOINT_SECONDS", "Checkpoints", "checkpoint"]

#: Seconds from a commit to the checkpoint that includes it.
CHECKPOINT_SECONDS = 1.0
#: Longest pause before a failed checkpoint is tried again; each pause is twice as long as the last.
RETRY_SECONDS = 60.0
log = logging.getLogger(__name__)


class Checkpoints:
    """Makes the checkpoints of one database; call `start` before use, `aclose` after."""

    def __init__(self, connections: Connections, guard: FileGuard | None = None) -> None:
        """Make checkpoints with `connections`, which nobody else uses, of the files that `guard` guards."""
        self.connections = connections
        self._guard = guard
        self._written = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to wait for commits."""
        self._task = asyncio.create_task(self._run(), name="checkpoints")

    async def aclose(self, *, as_they_are: bool = False) -> None:
        """Stop. Closing the last connection to a database makes a last checkpoint, unless `as_they_are`."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self.connections.aclose(as_they_are=as_they_are)

    def note_commit(self) -> None:
        """Request a checkpoint of everything that is committed so far."""
        self._written.set()

    async def make(self) -> None:
        """Make a checkpoint of everything that is committed so far; readers and writers do not wait for it.

        Raises:
            sqlite3.Error: it failed; nothing is lost, because the log still has what the main file lacks.
            FileAway: the files are not those that were opened.
        """
        await self.connections.call(lambda engine: checkpoint(engine, self._guard))

    async def _run(self) -> None:
        pause = CHECKPOINT_SECONDS
        while True:
            await self._written.wait()
            await asyncio.sleep(pause)
            self._written.clear()
            try:
                await self.make()
            except FileAway:
                self._written.set()  # the caller that wanted to use the files has logged it already
            except Exception:
                pause = min(pause * 2, RETRY_SECONDS)
                log.exception("the write-ahead log grows, for no checkpoint could be made; again in %s s", pause)
                self._written.set()
            else:
                pause = CHECKPOINT_SECONDS


def checkpoint(engine: Engine, guard: FileGuard | None) -> None:
    """Make a checkpoint with a connection of `engine`, in its thread; see `Checkpoints.make`."""
    # Not through SQLAlchemy: it would begin a transaction, in which no checkpoint is possible.
    with closing(engine.raw_connection()) as connection, guard.changing() if guard else nullcontext():
        salts = guard.salts() if guard else b""
        _, _, frames = connection.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        if guard is not None and salts == guard.salts():
            guard.carried = Carried(salts, frames)
