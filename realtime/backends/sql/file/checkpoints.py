"""Checkpoints: what is in the write-ahead log goes into the database's file, beside the writer.

By itself SQLite does so in the commit that finds 1,000 pages in the log, and that commit waits for the disk: of batches
of 100 lines, which take 9 ms, one in ten or so took 35. Here a connection of its own does it, a second after something
was written, while others write on.
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

#: From a commit to the checkpoint that has it.
CHECKPOINT_SECONDS = 1.0
#: Longest pause before one that failed is tried again; the pauses double.
RETRY_SECONDS = 60.0
log = logging.getLogger(__name__)


class Checkpoints:
    """The checkpoints of one database; `start` before use, `aclose` after."""

    def __init__(self, connections: Connections, guard: FileGuard | None = None) -> None:
        """Make them by `connections`, which nobody else uses, of files that are guarded by `guard`."""
        self.connections = connections
        self._guard = guard
        self._written = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look out for what is written."""
        self._task = asyncio.create_task(self._run(), name="checkpoints")

    async def aclose(self, *, as_they_are: bool = False) -> None:
        """Make no more; closing the last connection to a database makes the last one, unless `as_they_are`."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self.connections.aclose(as_they_are=as_they_are)

    def note_commit(self) -> None:
        """Have a checkpoint made of what is committed by now."""
        self._written.set()

    async def make(self) -> None:
        """Make one of what is committed by now; nobody who reads or writes waits for it.

        Raises:
            sqlite3.Error: it failed; nothing is lost, the log has what the database has not.
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
                self._written.set()  # told already, by whoever wanted to use them
            except Exception:
                pause = min(pause * 2, RETRY_SECONDS)
                log.exception("the write-ahead log grows, for no checkpoint could be made; again in %s s", pause)
                self._written.set()
            else:
                pause = CHECKPOINT_SECONDS


def checkpoint(engine: Engine, guard: FileGuard | None) -> None:
    """Make one with a connection of `engine`, in its thread; see `Checkpoints.make`."""
    # Past SQLAlchemy, which would begin a transaction, and in one there can be no checkpoint.
    with closing(engine.raw_connection()) as connection, guard.changing() if guard else nullcontext():
        salts = guard.salts() if guard else b""
        _, _, frames = connection.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        if guard is not None and salts == guard.salts():
            guard.carried = Carried(salts, frames)
