"""Clients that accept compressed messages and streams, with their defaults."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any

import orjson
import pytest
import websockets

from tests.clients.cut_proxy import CutProxy, serving
from tests.clients.graphql_clients import GraphqlClient
from tests.clients.node_script import NodeScript, run_script
from tests.clients.requirements import require_chromium, require_command
from tests.clients.rest_client import BoardClient
from tests.clients.stream_types import STREAM_TYPES
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


class _Watching(CutProxy):
    """A relay that keeps what the server sends."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.seen = b""

    async def pump_down(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            self.seen += data
            writer.write(data)
            await writer.drain()
        writer.write_eof()


@asynccontextmanager
async def _watching(server_url: str) -> AsyncGenerator[_Watching]:
    """Relay until the block ends; the client of the block must have got a stream with gzip, and few bytes."""
    proxy = _Watching(server_url)
    async with serving(proxy):
        yield proxy
        assert b"content-encoding: gzip\r\n" in proxy.seen.lower()
        assert len(proxy.seen) < len(_LONG)


async def _create(board: BoardClient, title: str) -> None:
    body = {"columnId": board.column_ids[0], "title": title, "description": _LONG}
    (await board.http.post(f"/api/v1/boards/{board.board_id}/cards", json=body)).raise_for_status()


@pytest.mark.node
@pytest.mark.timeout(240)
@pytest.mark.parametrize("client", ["eventsource", "page_eventsource"])
async def test_event_source_gets_a_compressed_stream(client: str, server_url: str, board: BoardClient) -> None:
    if client == "page_eventsource":
        require_chromium()
    async with _watching(server_url) as proxy:
        stream_url = f"{proxy.url}/api/v1/sse?boardId={board.board_id}"
        settings = {**settings_for(proxy.url, board), "streamUrl": stream_url, "types": STREAM_TYPES}
        async with run_script(f"{client}.mjs", settings) as script:
            await script.wait_for("event", type="state", units=START_UNITS)
            for number in range(1, 4):
                await _create(board, str(number))
                report = await script.wait_for("event", type="state")
                message = {"type": "state", "payload": report["data"]}
                assert _titles(board, message) == [str(one) for one in range(1, number + 1)]
            await script.finish()


@pytest.mark.node
@pytest.mark.parametrize(
    "client",
    [GraphqlClient("apollo.mjs", {"multipart": True}), GraphqlClient("graphql_sse.mjs")],
    ids=lambda client: client.script,
)
async def test_graphql_client_gets_a_compressed_stream(
    client: GraphqlClient, server_url: str, board: BoardClient
) -> None:
    query = "subscription ($id: ID!) { boardState(boardId: $id) { cards { title description } } }"
    async with _watching(server_url) as proxy, client.start(proxy.url) as script:
        await script.order("subscribe", name="one", query=query, variables={"id": board.board_id})
        for number in range(4):
            result = (await script.wait_for("next", name="one"))["result"]
            cards = result["data"]["boardState"]["cards"]
            assert [card["title"] for card in cards] == [str(one) for one in range(1, number + 1)]
            assert all(card["description"] == _LONG for card in cards)
            await _create(board, str(number + 1))
        await script.order("unsubscribe", name="one")
        await script.wait_for("unsubscribed", name="one")
        await script.finish()


async def _lines(process: asyncio.subprocess.Process) -> AsyncGenerator[str]:
    assert process.stdout is not None
    while line := await process.stdout.readline():
        yield line.decode().rstrip("\n")


async def test_curl_shows_a_compressed_stream_at_once(server_url: str, board: BoardClient) -> None:
    require_command("curl")
    async with deadline(30), _watching(server_url) as proxy:
        url = f"{proxy.url}/api/v1/sse?boardId={board.board_id}"
        curl = await asyncio.create_subprocess_exec(
            "curl", "--silent", "--no-buffer", "--compressed", url, stdout=PIPE, limit=1024 * 1024
        )
        try:
            async with aclosing(_lines(curl)) as lines:
                for number in range(4):
                    while not (line := await anext(lines)).startswith('data: {"columns"'):
                        pass
                    message = {"type": "state", "payload": orjson.loads(line.removeprefix("data: "))}
                    assert _titles(board, message) == [str(one) for one in range(1, number + 1)]
                    await _create(board, str(number + 1))
        finally:
            curl.kill()
            await curl.wait()
