"""Tokens and sessions that other nodes change: lookups of new ones, and the refresh after each change."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from typing import NamedTuple

from realtime.errors import StoreUnavailable
from realtime.messages.channels import ACCESS
from realtime.ports import HistoryReader
from realtime.tasks import retrieve

__all__ = ["NOBODY", "AccessRefresh", "Lookups", "Others"]

#: Least seconds from one refresh to the next: each reads all tokens and sessions.
PAUSE_SECONDS = 0.2

log = logging.getLogger(__name__)


class Others(NamedTuple):
    """The other nodes, for a book of tokens or sessions."""

    #: Whether there may be some.
    are_there: bool
    #: Tells them that this node has changed tokens or sessions.
    tell: Callable[[], object]


NOBODY = Others(are_there=False, tell=lambda: None)


class Lookups:
    """Reads rows by digest. Wrong tokens cost the store one query at a time, however many come."""

    def __init__(self, read: Callable[[Collection[bytes]], Awaitable[None]]) -> None:
        """Look up by `read`, which is called with several digests, and not again before it has returned."""
        self._read = read
        self._wanted: set[bytes] = set()
        self._next: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()

    async def look_up(self, digest: bytes) -> None:
        """Return once `read` has looked for this digest."""
        self._wanted.add(digest)
        if self._next is None:
            self._next = asyncio.create_task(self._read_next(), name="look up tokens")
            self._next.add_done_callback(retrieve)
        await asyncio.shield(self._next)

    async def _read_next(self) -> None:
        async with self._turn:
            wanted, self._wanted, self._next = self._wanted, set(), None
            await self._read(wanted)


class AccessRefresh:
    """Reads the books again when the head of `ACCESS` has moved."""

    def __init__(self, reader: HistoryReader, books: Sequence[Callable[[], Awaitable[None]]]) -> None:
        """Refresh by calling `books`."""
        self._reader = reader
        self._books = books
        #: The head before the last refresh, so that each change is in it or comes with a greater head.
        self._head = 0
        self._is_due = False
        self._task: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Read the books for the first time.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        await self._refresh()

    def note(self, head: int | None) -> None:
        """Refresh soon, unless the books are at `head`; None = there was a change."""
        if head is None or head != self._head:
            self._is_due = True
            if self._task is None:
                self._task = asyncio.create_task(self._run(), name="refresh tokens")

    async def aclose(self) -> None:
        """Stop; wait for the refresh that runs."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _run(self) -> None:
        try:
            while self._is_due:
                self._is_due = False
                try:
                    await self._refresh()
                except StoreUnavailable as away:
                    log.warning("tokens and sessions could not be read again, that is tried again: %s", away)
                except Exception:
                    log.exception("tokens and sessions could not be read again, that is tried again")
                await asyncio.sleep(PAUSE_SECONDS)
        finally:
            self._task = None

    async def _refresh(self) -> None:
        head = (await self._reader.heads([ACCESS]))[ACCESS]
        for refresh in self._books:
            await refresh()
        self._head = head
