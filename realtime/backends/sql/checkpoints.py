"""Checkpoints: what is in the write-ahead log goes into the database's file, beside the writer.

By itself SQLite does so in the commit that finds 1,000 pages in the log, and that commit waits for the disk: of batches
of 100 lines, which take 9 ms, one in ten or so took 35. Here a connection of its own does it, a second after something
was written, while others write on.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import closing

from sqlalchemy import Engine

from realtime.backends.sql.connections import Connections

__all__ = ["CHECKPOINT_SECONDS", "Checkpoints"]

#: From a commit to the checkpoint that has it.
CHECKPOINT_SECONDS = 1.0
#: Longest pause before one that failed is tried again; the pauses double.
RETRY_SECONDS = 60.0
log = logging.getLogger(__name__)


class Checkpoints:
    """The checkpoints of one database; `start` before use, `aclose` after."""

    def __init__(self, connections: Connections) -> None:
        """Make them by `connections`, which nobody else uses."""
        self._connections = connections
        self._written = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look out for what is written."""
        self._task = asyncio.create_task(self._run(), name="checkpoints")

    async def aclose(self) -> None:
        """Make no more; who closes the last connection to a database makes the last one."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self._connections.aclose()

    def note_commit(self) -> None:
        """Have a checkpoint made of what is committed by now."""
        self._written.set()

    async def make(self) -> None:
        """Make one of what is committed by now; nobody who reads or writes waits for it.

        Raises:
            sqlite3.Error: it failed; nothing is lost, the log has what the database has not.
        """
        await self._connections.call(_checkpoint)

    async def _run(self) -> None:
        pause = CHECKPOINT_SECONDS
        while True:
            await self._written.wait()
            await asyncio.sleep(pause)
            self._written.clear()
            try:
                await self.make()
            except Exception:
                pause = min(pause * 2, RETRY_SECONDS)
                log.exception("the write-ahead log grows, for no checkpoint could be made; again in %s s", pause)
                self._written.set()
            else:
                pause = CHECKPOINT_SECONDS


def _checkpoint(engine: Engine) -> None:
    # Past SQLAlchemy, which would begin a transaction, and in one there can be no checkpoint.
    with closing(engine.raw_connection()) as connection:
        connection.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)")
