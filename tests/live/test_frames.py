"""Messages of a board over WebSocket are equal and in the same order, whichever way the server writes them."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import orjson
import pytest
import websockets

from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer
from tests.kit.publishing import Publisher, event
from tests.kit.raw_http import Address
from tests.live.boards import BOARD
from tests.live.ways import WAYS, served

LINES = 120


def _url(address: Address) -> str:
    return "ws://{}:{}/api/v1/ws?boardId={}".format(*address, BOARD)


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
    async with deadline(30), served(boards, way) as address, websockets.connect(_url(address)) as socket:
        compressed = [type(one).__name__ for one in socket.protocol.extensions]
        assert bool(compressed) is (way == "compressed")
        publisher = Publisher(boards.address)
        assert orjson.loads(await socket.recv())["type"] == "hello"
        await publisher.publish(*_lines(*range(LINES)))
        await socket.send('{"type":"ping"}')
        await publisher.publish(*_lines(*range(LINES, LINES + 3)))
        assert await _read_lines(socket, LINES + 3) == [f"{number} ü " + "x" * number for number in range(LINES + 3)]


@pytest.mark.parametrize("way", WAYS)
async def test_close_comes_after_written_data(way: str, boards: LiveServer) -> None:
    async with deadline(30), served(boards, way) as address, websockets.connect(_url(address)) as socket:
        assert orjson.loads(await socket.recv())["type"] == "hello"
        await Publisher(boards.address).publish(*_lines(1, 2))
        await boards.node.lifetimes.drain(0)
        types = []
        with contextlib.suppress(websockets.ConnectionClosed):
            while True:
                types.append(orjson.loads(await socket.recv())["type"])
        assert types[-3:] == ["attempt_log", "attempt_log", "goodbye"]
        assert (socket.close_code, socket.close_reason) == (1012, "Server restarts")


@pytest.mark.parametrize("way", WAYS)
async def test_client_that_closes_is_answered_while_much_is_written(way: str, boards: LiveServer) -> None:
    async with deadline(30), served(boards, way) as address:
        async with websockets.connect(_url(address)) as socket:
            assert orjson.loads(await socket.recv())["type"] == "hello"
            publishing = asyncio.create_task(Publisher(boards.address).publish(*_lines(*range(LINES))))
            await socket.close(1000, "bye")
            await publishing
        assert (socket.close_code, socket.close_reason) == (1000, "bye")
