"""A writer's connections to a server that may be gone at any moment."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from tests.equivalence.doors import Caller
from tests.equivalence.raw_readers import RawBoardSocket
from tests.faults.lost import LOST
from tests.faults.processes import Life

__all__ = ["Line"]

_T = TypeVar("_T")


class Line:
    """Connections that are opened when they are needed, and anew for each server."""

    def __init__(self, life: Life) -> None:
        """Call the server of `life`."""
        self.caller = Caller(life.address)
        self._life = life
        self._up = life.up
        self._socket: RawBoardSocket | None = None

    async def unless_lost(self, call: Callable[[], Awaitable[_T]]) -> _T | None:
        """Make a call once the server serves; return its answer, None when the server went before it answered.

        Raises:
            AssertionError: it did not answer as it must, although nobody told it to go.
        """
        up = await self._life.serving()
        if up is not self._up:
            await self.hang_up()
            self._up = up
        try:
            return await call()
        except LOST:
            await self.hang_up()
            if self._life.has_been_up_since(up):
                raise
            return None

    async def socket(self, board_id: str) -> RawBoardSocket:
        """Return a raw socket of a board, an open one if there is."""
        if self._socket is None:
            self._socket = RawBoardSocket(self._life.address, board_id)
            await self._socket.open()
        return self._socket

    async def hang_up(self) -> None:
        """Close what is open."""
        await self.caller.aclose()
        if self._socket is not None:
            await self._socket.aclose()
            self._socket = None
