"""Messages of a board over WebSocket: the same, in the same order, however the server lets them be written."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from typing import Any

import anyio
import orjson
import pytest
import uvicorn
import websockets

from server.app import create_app
from server.connections import HttpConnection, WebSocketConnection
from server.serve import bind
from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer
from tests.kit.publishing import Publisher, event
from tests.live.boards import BOARD

OURS = {"http": HttpConnection, "ws": WebSocketConnection}
#: How frames are written → what uvicorn is told.
WAYS: dict[str, dict[str, Any]] = {
    "directly": {**OURS, "ws_per_message_deflate": False},
    "compressed": {**OURS, "ws_per_message_deflate": True},
    "by ASGI": {"ws": "websockets-sansio", "ws_per_message_deflate": False},
}
LINES = 120


@asynccontextmanager
async def _served(boards: LiveServer, config: dict[str, Any]) -> AsyncIterator[str]:
    """Serve the boards once more; gives the address of a board's socket."""
    app = create_app(boards.node, boards.settings)
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None, **config))
    with closing(bind("127.0.0.1", 0)) as listening:
        async with anyio.create_task_group() as group:
            group.start_soon(server.serve, [listening])
            try:
                yield f"ws://127.0.0.1:{listening.getsockname()[1]}/api/v1/ws?boardId={BOARD}"
            finally:
                server.should_exit = True


def _lines(*numbers: int) -> list[dict[str, Any]]:
    line = {"boardId": BOARD, "attemptId": "a1", "level": "info"}
    return [event("attempt.log.appended", {**line, "message": f"{number} ü " + "x" * number}) for number in numbers]


async def _read_lines(socket: websockets.ClientConnection, count: int) -> list[str]:
    lines: list[str] = []
    while len(lines) < count:
        message = orjson.loads(await socket.recv())
        if message["type"] == "attempt_log":
            lines.append(message["payload"]["message"])
    return lines


@pytest.mark.parametrize("way", WAYS)
async def test_batches_and_replies_arrive_whole_and_in_order(way: str, boards: LiveServer) -> None:
    async with deadline(30), _served(boards, WAYS[way]) as address, websockets.connect(address) as socket:
        compressed = [type(one).__name__ for one in socket.protocol.extensions]
        assert bool(compressed) is (way == "compressed")
        publisher = Publisher(boards.address)
        assert orjson.loads(await socket.recv())["type"] == "hello"
        await publisher.publish(*_lines(*range(LINES)))
        await socket.send('{"type":"ping"}')
        await publisher.publish(*_lines(*range(LINES, LINES + 3)))
        assert await _read_lines(socket, LINES + 3) == [f"{number} ü " + "x" * number for number in range(LINES + 3)]


@pytest.mark.parametrize("way", WAYS)
async def test_close_comes_behind_what_was_written(way: str, boards: LiveServer) -> None:
    async with deadline(30), _served(boards, WAYS[way]) as address, websockets.connect(address) as socket:
        assert orjson.loads(await socket.recv())["type"] == "hello"
        deleted = event("project.deleted", {"projectId": BOARD})
        await Publisher(boards.address).publish(*_lines(1, 2), deleted)
        told = []
        with contextlib.suppress(websockets.ConnectionClosed):
            while True:
                told.append(orjson.loads(await socket.recv())["type"])
        assert told[-3:] == ["attempt_log", "attempt_log", "goodbye"]
        assert (socket.close_code, socket.close_reason) == (1008, "Board deleted")


@pytest.mark.parametrize("way", WAYS)
async def test_client_that_closes_is_answered_while_much_is_written(way: str, boards: LiveServer) -> None:
    async with deadline(30), _served(boards, WAYS[way]) as address:
        async with websockets.connect(address) as socket:
            assert orjson.loads(await socket.recv())["type"] == "hello"
            publishing = asyncio.create_task(Publisher(boards.address).publish(*_lines(*range(LINES))))
            await socket.close(1000, "bye")
            await publishing
        assert (socket.close_code, socket.close_reason) == (1000, "bye")
