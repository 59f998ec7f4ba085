"""A real server on a real socket in the process of the test: uvicorn, the whole application, a new database.

The test itself binds the socket, listens, and passes the socket to the server. So no test polls for the start: a
connection waits in the backlog until the server accepts it. At the end no subscriber, task or socket may be left.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from socket import socket
from typing import Any

import anyio

from realtime.node import Node
from realtime.service import Service
from server.app import create_app
from server.runtime.listening import bind
from server.serve import Server, make_server
from server.settings import Settings
from server.wiring import open_node
from tests.kit.blocked_tasks import other_tasks_blocked
from tests.kit.deadline import deadline, seconds
from tests.kit.raw_http import Address
from tests.kit.shared_schema import shared_schema
from tests.kit.write_path import are_writes_direct

__all__ = ["LiveServer", "live_server"]

_STOP_UNITS = 20


@dataclass(frozen=True)
class LiveServer:
    """A server that accepts connections at `address`."""

    address: Address
    node: Node
    settings: Settings
    server: Server

    @property
    def url(self) -> str:
        """The server's address as a URL without a slash at the end."""
        host, port = self.address
        return f"http://{host}:{port}"


@asynccontextmanager
async def live_server(**overrides: Any) -> AsyncIterator[LiveServer]:
    """Run a server until the block ends.

    `overrides` are fields of `Settings`. The database is in memory unless they set another.
    """
    usual = {"database_url": "sqlite://", "port": 0, "direct_writes": are_writes_direct()}
    settings = Settings(**{**usual, **overrides})
    tasks_before = asyncio.all_tasks()
    with closing(bind(settings.host, settings.port)) as listening:
        host, port = listening.getsockname()[:2]
        async with open_node(settings) as node:
            server = make_server(create_app(Service(node), settings, shared_schema()), settings)
            async with anyio.create_task_group() as group:
                stopped = anyio.Event()
                group.start_soon(_serve, server, listening, stopped)
                try:
                    yield LiveServer((host, port), node, settings, server)
                finally:
                    server.should_exit = True
                    # A failed test cancels the group. A cancelled server would leave its socket in the event loop.
                    with anyio.move_on_after(seconds(_STOP_UNITS), shield=True):
                        await stopped.wait()
            _check_no_subscriber_is_left(node)
    await _check_no_task_is_left(tasks_before)


async def _serve(server: Server, listening: socket, stopped: anyio.Event) -> None:
    try:
        await server.serve([listening])
    finally:
        stopped.set()


def _check_no_subscriber_is_left(node: Node) -> None:
    statistics = node.hub.statistics()
    assert statistics.subscribers == 0, f"subscribers are left: {statistics}"
    assert statistics.channels == 0, f"channels are left: {statistics}"
    assert len(node.lifetimes) == 0, f"connections are left: {len(node.lifetimes)}"


async def _check_no_task_is_left(tasks_before: set[asyncio.Task[Any]]) -> None:
    async with deadline(_STOP_UNITS):
        await other_tasks_blocked()
    new = asyncio.all_tasks() - tasks_before
    left = {task for task in new if not task.done() and not _is_kept_by_a_library(task)}
    assert not left, f"tasks are left: {left}"


def _is_kept_by_a_library(task: asyncio.Task[Any]) -> bool:
    """Whether the task belongs to the event loop of the tests and not to the server.

    anyio's pytest plugin runs all fixtures and tests in one task. sse-starlette has one watcher for each event loop.
    """
    name: str = getattr(task.get_coro(), "__qualname__", "")
    return name.startswith("TestRunner.") or name == "_shutdown_watcher"
