"""A server that is stopped and started again at the same address and on the same database file."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from realtime.node import Node
from tests.kit.live_server import LiveServer, live_server

__all__ = ["RestartableServer", "restartable_server"]


class RestartableServer:
    """Made by `restartable_server`. Outside its calls it is running."""

    def __init__(self, folder: Path, stack: AsyncExitStack, **options: Any) -> None:
        """Use a database in `folder`; `stack` stops the server at the end; `options` are those of `live_server`."""
        self._options = options
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
        """The node of the current server."""
        return self._live.node

    async def start(self) -> None:
        """Start it; called once by `restartable_server`."""
        running = live_server(port=self._port, database_url=self._database_url, **self._options)
        self._live = await self._running.enter_async_context(running)
        self._port = self._live.address[1]

    async def restart(self) -> None:
        """Stop it as an operator does, with a goodbye to all clients, and start it again."""
        await self._running.aclose()
        await self.start()

    async def crash(self) -> None:
        """Cut every connection, as when the process dies, and start it again."""
        for listening in self._live.server.servers:
            listening.close()  # first, because otherwise a client would reconnect before the server stops
        for connection in list(self._live.server.server_state.connections):
            connection.transport.abort()
        await self.restart()


@asynccontextmanager
async def restartable_server(folder: Path, **options: Any) -> AsyncGenerator[RestartableServer]:
    """Run a server until the block ends; `options` as for `live_server`."""
    async with AsyncExitStack() as stack:
        server = RestartableServer(folder, stack, **options)
        await server.start()
        yield server
