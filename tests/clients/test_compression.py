"""Clients that accept compressed messages, with their defaults: npm ws, websockets, and Chromium."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import Any

import orjson
import pytest
import websockets

from tests.clients.node_script import NodeScript, run_script
from tests.clients.rest_client import BoardClient
from tests.clients.visit import START_UNITS, check_end_inside, settings_for
from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer, live_server

_LONG = "words that repeat themselves, " * 200
_NAME = "permessage-deflate"


@pytest.fixture
async def live(clients_present: None) -> AsyncGenerator[LiveServer]:
    """A new server that writes directly, for only such writes are compressed."""
    async with live_server(direct_writes=True) as server:
        yield server


def _socket_url(server_url: str, board: BoardClient) -> str:
    return server_url.replace("http", "ws", 1) + f"/api/v1/ws?boardId={board.board_id}"


def _command(board: BoardClient, title: str) -> dict[str, Any]:
    payload = {"columnId": board.column_ids[0], "title": title, "description": _LONG}
    return {"type": "create_card", "payload": payload}


def _titles(board: BoardClient, message: dict[str, Any]) -> list[str]:
    assert message["type"] == "state"
    assert all(card["description"] == _LONG for card in message["payload"]["cards"].values())
    return board.titles(message["payload"], 0)


async def _creates_cards(
    script: NodeScript, board: BoardClient, units: float, check: Callable[[dict[str, Any]], None]
) -> None:
    for expected in ("hello", "state"):
        assert (await script.wait_for("frame", units=units))["message"]["type"] == expected
    for number in range(1, 4):
        await script.order("send", message=_command(board, str(number)))
        frame = await script.wait_for("frame")
        assert frame["extensions"].startswith(_NAME)
        assert _titles(board, frame["message"]) == [str(one) for one in range(1, number + 1)]
        check(frame)


@pytest.mark.node
async def test_npm_ws_gets_and_sends_compressed_messages(server_url: str, board: BoardClient) -> None:
    def check(frame: dict[str, Any]) -> None:
        assert frame["bytesRead"] < len(_LONG)
        assert frame["bytesWritten"] < len(_LONG)

    async with run_script("compressed_socket.mjs", {"socketUrl": _socket_url(server_url, board)}) as script:
        await _creates_cards(script, board, 25, check)
        await script.finish()


@pytest.mark.chromium
@pytest.mark.timeout(240)
async def test_page_gets_and_sends_compressed_messages(server_url: str, board: BoardClient) -> None:
    settings = {**settings_for(server_url, board), "socketUrl": _socket_url(server_url, board)}
    async with run_script("compressed_page.mjs", settings) as script:
        await _creates_cards(script, board, START_UNITS, lambda frame: None)
        await check_end_inside(script, server_url)


async def test_websockets_gets_and_sends_compressed_messages(server_url: str, board: BoardClient) -> None:
    async with deadline(20), websockets.connect(_socket_url(server_url, board)) as socket:
        assert [one.name for one in socket.protocol.extensions] == [_NAME]
        assert [orjson.loads(await socket.recv())["type"] for _ in range(2)] == ["hello", "state"]
        for number in range(1, 4):
            await socket.send(orjson.dumps(_command(board, str(number))))
            message = orjson.loads(await socket.recv())
            assert _titles(board, message) == [str(one) for one in range(1, number + 1)]
