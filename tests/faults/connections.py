"""A writer's connections to servers that may disappear at any moment."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from itertools import cycle
from typing import TypeVar

from tests.equivalence.callers import Caller
from tests.equivalence.raw_subscribers import RawBoardSocket
from tests.faults.disconnects import DISCONNECTS
from tests.faults.processes import ManagedServer

__all__ = ["Connections"]

_T = TypeVar("_T")
#: After so many calls at one server, the writer goes on at the next one.
_CALLS_AT_ONE = 4


class Connections:
    """Connections that are opened when needed, and opened again for each new process of the server.

    With several servers the writer moves on after some calls, and when a server did not answer.
    """

    def __init__(self, servers: Sequence[ManagedServer]) -> None:
        """Connect to one of the servers of a cluster at a time."""
        self._servers = cycle(servers)
        self._count = len(servers)
        self._server = next(self._servers)
        self.caller = Caller(self._server.address)
        self._up = self._server.up
        self._calls = 0
        self._socket: RawBoardSocket | None = None

    async def unless_disconnected(self, call: Callable[[], Awaitable[_T]]) -> _T | None:
        """Make a call once a server serves. Return its answer, or None if the server ended before it answered.

        Raises:
            AssertionError: the answer was wrong or missing, although nothing had ended the server.
        """
        self._calls += 1
        if self._count > 1 and self._calls % _CALLS_AT_ONE == 0:
            await self._move()
        up = await self._server.serving()
        if up is not self._up:
            await self.close()
            self._up = up
        try:
            return await call()
        except DISCONNECTS:
            await self.close()
            if self._server.has_been_up_since(up):
                raise
            await self._move()
            return None

    async def _move(self) -> None:
        await self.close()
        self._server = next(self._servers)
        self.caller.address = self._server.address
        self._up = self._server.up

    async def socket(self, board_id: str) -> RawBoardSocket:
        """Return a raw socket of a board, the open one if there is one."""
        if self._socket is None:
            self._socket = RawBoardSocket(self._server.address, board_id)
            await self._socket.open()
        return self._socket

    async def close(self) -> None:
        """Close the open connection."""
        await self.caller.aclose()
        if self._socket is not None:
            await self._socket.aclose()
            self._socket = None
