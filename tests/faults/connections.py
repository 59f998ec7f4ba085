"""A writer's connections to a server that may disappear at any moment."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from tests.equivalence.callers import Caller
from tests.equivalence.raw_subscribers import RawBoardSocket
from tests.faults.disconnects import DISCONNECTS
from tests.faults.processes import ManagedServer

__all__ = ["Connections"]

_T = TypeVar("_T")


class Connections:
    """Connections that are opened when needed, and opened again for each new process of the server."""

    def __init__(self, server: ManagedServer) -> None:
        """Connect to `server`."""
        self.caller = Caller(server.address)
        self._server = server
        self._up = server.up
        self._socket: RawBoardSocket | None = None

    async def unless_disconnected(self, call: Callable[[], Awaitable[_T]]) -> _T | None:
        """Make a call once the server serves. Return its answer, or None if the server ended before it answered.

        Raises:
            AssertionError: the answer was wrong or missing, although nothing had ended the server.
        """
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
            return None

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
