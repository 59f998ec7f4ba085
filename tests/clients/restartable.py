"""A server that is stopped and started again at the same address and on the same database file."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from realtime.node import Node
from tests.kit.live_server import LiveServer, live_server

__all__ = ["RestartableServer", "restartable_server"]


class RestartableServer:
    """Made by `restartable_server`; between two of its calls it is running."""

    def __init__(self, folder: Path, stack: AsyncExitStack) -> None:
        """Keep the database in `folder`; `stack` stops what runs at the end."""
        self._database_url = f"sqlite:///{folder}/boardcast.db"
        self._running = stack
        self._live: LiveServer
        self._port = 0

    @property
    def url(self) -> str:
        """The address, the same after each start, without a slash at the end."""
        return self._live.url

    @property
    def node(self) -> Node:
        """The node of the server that runs now."""
        return self._live.node

    async def start(self) -> None:
        """Start it; called once by `restartable_server`."""
        running = live_server(port=self._port, database_url=self._database_url)
        self._live = await self._running.enter_async_context(running)
        self._port = self._live.address[1]

    async def restart(self) -> None:
        """Stop it as an operator does, with a goodbye for everybody, and start it again."""
        await self._running.aclose()
        await self.start()

    async def crash(self) -> None:
        """End every connection without a word, as when the process dies, and start it again."""
        for listening in self._live.server.servers:
            listening.close()  # first, or who is cut would be back before it stops
        for connection in list(self._live.server.server_state.connections):
            connection.transport.abort()
        await self.restart()


@asynccontextmanager
async def restartable_server(folder: Path) -> AsyncGenerator[RestartableServer]:
    """Run a server for the length of the block."""
    async with AsyncExitStack() as stack:
        server = RestartableServer(folder, stack)
        await server.start()
        yield server
