"""Streams over HTTP with gzip: every piece is readable when it has come, readers share it, and the end is right."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import orjson
import pytest

from server.protocol import deflate
from server.transports import compressing
from tests.kit.deadline import deadline
from tests.kit.graphql_stream import open_graphql_stream
from tests.kit.live_server import LiveServer, live_server
from tests.kit.multipart_reader import ACCEPT, open_multipart
from tests.kit.publishing import Publisher, event
from tests.kit.raw_http import connect, exchange, request_bytes
from tests.kit.reserved_stream import reserve
from tests.kit.sse_reader import SseReader, StreamEnded, open_stream
from tests.live.boards import BOARD, make_boards

pytestmark = pytest.mark.usefixtures("clean_log")

_WAIT_UNITS = 20
_TARGET = f"/api/v1/sse?boardId={BOARD}"
_GZIP = [("Accept-Encoding", "gzip, deflate, br")]
_LONG = "a longer text, which is worth it; " * 60
_STATE = "subscription ($id: ID!) { boardState(boardId: $id) { cards { title description } } }"
_CREATE = """mutation ($i: CreateAccessTokenInput!) { createAccessToken(input: $i) {
    ... on CreateAccessTokenPayload { secret accessToken { name boards } } } }"""
_TOKEN = {"i": {"name": "n" * 200, "boards": [f"{number}" * 100 for number in range(10)], "can": ["READ"]}}
_Deflated = Callable[[bytes], bytes]


@pytest.fixture
async def live() -> AsyncIterator[LiveServer]:
    """Run a server with a board whose state is worth compressing."""
    async with live_server(direct_writes=True) as server:
        await make_boards(server.address)
        await _update(server, description=_LONG)
        yield server


async def _update(server: LiveServer, **fields: str) -> None:
    done = await exchange(server.address, "PATCH", f"/api/v1/boards/{BOARD}/cards/free", orjson.dumps(fields))
    assert done.status == 200, done


async def _line(server: LiveServer, *messages: str) -> None:
    line = {"boardId": BOARD, "attemptId": "a1", "level": "info"}
    await Publisher(server.address).publish(
        *(event("attempt.log.appended", {**line, "message": message}) for message in messages)
    )


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count what is compressed for streams: the sizes."""
    sizes: list[int] = []

    def counted(data: bytes) -> bytes:
        sizes.append(len(data))
        return deflate.deflated(data)

    monkeypatch.setattr("server.protocol.http.gzip_pieces.deflated", counted)
    return sizes


async def _opened(reader: SseReader) -> None:
    assert [(await reader.event())[0] for _ in range(2)] == ["hello", "state"]


async def _to_end(reader: SseReader) -> list[str]:
    """Read the rest; the end of a compressed body must fit all of it."""
    blocks: list[str] = []
    end: StreamEnded | None = None
    while end is None:
        try:
            blocks.append(await reader.block())
        except StreamEnded as ended:
            end = ended
    assert end.args == ("",)
    assert isinstance(end.__cause__, StopAsyncIteration)
    return blocks


@pytest.mark.parametrize("is_slow", [False, True], ids=["by the loop", "by the thread"])
async def test_compressed_readers_share_pieces_and_get_what_plain_ones_get(
    is_slow: bool, live: LiveServer, made: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with deadline(_WAIT_UNITS), AsyncExitStack() as stack:
        readers = [
            await stack.enter_async_context(open_stream(live.address, _TARGET, headers))
            for headers in ([], _GZIP, _GZIP, _GZIP)
        ]
        for reader in readers:
            await _opened(reader)
        assert [one.response.header("Content-Encoding") for one in readers] == [None, "gzip", "gzip", "gzip"]
        if is_slow:
            monkeypatch.setattr(compressing, "QUICK_BYTES", 0)
        made.clear()
        read: list[list[str]] = [[] for _ in readers]
        for number in range(10):
            await _update(live, title=f"title {number}")
            await _line(live, f"short {number}")
            # Read before the next update: while the thread compresses a state, a newer one would replace it.
            for blocks, reader in zip(read, readers, strict=True):
                blocks += [await reader.block(), await reader.block()]
        await _line(live, *(f"one of many {number}" for number in range(50)))
        await live.node.lifetimes.drain(0)
        plain, *packed = [blocks + await _to_end(reader) for blocks, reader in zip(read, readers, strict=True)]
    # Each client gets another time to come back.
    assert all(blocks.pop().startswith("event: goodbye") for blocks in (plain, *packed))
    assert plain == packed[0] == packed[1] == packed[2]
    assert len(plain) == 10 * 2 + 50
    assert len(made) == 10 + 1, made


async def test_slow_reader_gets_a_whole_body(live: LiveServer) -> None:
    text = "".join(f"{number:x}" for number in range(8000))
    async with deadline(_WAIT_UNITS * 2), connect(live.address, 4096) as connection:
        await connection.send(request_bytes("GET", _TARGET, [("Host", "127.0.0.1"), *_GZIP]))
        reader = SseReader(connection, await connection.read_head())
        for number in range(60):
            await _update(live, description=f"{number} {text[number:]}")
            await _line(live, f"line {number}")
        await live.node.lifetimes.drain(5)
        blocks = await _to_end(reader)
    lines = [block for block in blocks if block.startswith("event: attempt_log")]
    assert len(lines) == 60
    assert blocks[-1].startswith("event: goodbye")
    states = [orjson.loads(block.split("\n")[1].removeprefix("data: ")) for block in blocks if "event: state" in block]
    assert states[-1]["cards"]["free"]["description"].startswith("59 ")


async def test_signs_of_life_are_not_held_back() -> None:
    async with live_server(direct_writes=True, heartbeat_seconds=0.1) as live, deadline(_WAIT_UNITS):
        await make_boards(live.address)
        async with open_stream(live.address, _TARGET, _GZIP) as reader:
            await _opened(reader)
            assert [(await reader.event())[0] for _ in range(3)] == ["heartbeat"] * 3
            await _line(live, "between")
            assert "attempt_log" in {(await reader.event())[0] for _ in range(5)}


async def test_graphql_readers_share_pieces_on_both_streams(live: LiveServer, made: list[int]) -> None:
    variables = {"id": BOARD}
    async with deadline(_WAIT_UNITS), AsyncExitStack() as stack:
        events = [
            await stack.enter_async_context(open_graphql_stream(live.address, _STATE, variables, headers=headers))
            for headers in ([], _GZIP, _GZIP)
        ]
        parts = [
            await stack.enter_async_context(
                open_multipart(live.address, _STATE, variables, [("Accept", ACCEPT), *headers])
            )
            for headers in ([], _GZIP, _GZIP)
        ]
        codings = [one.response.header("Content-Encoding") for one in events]
        assert codings == [one.response.header("Content-Encoding") for one in parts] == [None, "gzip", "gzip"]

        async def results() -> list[Any]:
            """Return the next result of each."""
            return [
                *[(await reader.block()).json() for reader in events],
                *[(await reader.part())["payload"] for reader in parts],
            ]

        assert (await results())[0]["data"]["boardState"]["cards"][0]["description"] == _LONG
        await _update(live, title="mark")
        await results()  # after this one, all of them wait for the next state
        made.clear()
        await _update(live, title="shared")
        got = await results()
        assert all(one == got[0] for one in got)
        assert got[0]["data"]["boardState"]["cards"][0]["title"] == "shared"
        assert len(made) == 2


async def test_reserved_stream_is_compressed(live: LiveServer) -> None:
    async with deadline(_WAIT_UNITS), connect(live.address) as connection:
        stream = await reserve(live.address)
        await stream.open_on(connection, *_GZIP)
        assert stream.stream.response.header("Content-Encoding") == "gzip"
        assert (await stream.begin("one", _STATE, {"id": BOARD})).status == 202
        _, payload = await stream.result()
        assert payload["data"]["boardState"]["cards"][0]["description"] == _LONG


@pytest.mark.parametrize("accept", ["text/event-stream", ACCEPT])
async def test_secret_of_a_new_token_is_not_compressed(accept: str, live: LiveServer) -> None:
    body = orjson.dumps({"query": _CREATE, "variables": _TOKEN})
    headers = [("Content-Type", "application/json"), ("Accept", accept), *_GZIP]
    async with deadline(_WAIT_UNITS):
        answer = await exchange(live.address, "POST", "/graphql", body, headers)
    assert b'"secret":"boardcast_' in answer.body
    assert b"9" * 100 in answer.body


async def test_reserved_stream_does_not_compress_a_secret(live: LiveServer) -> None:
    async with deadline(_WAIT_UNITS), connect(live.address) as connection:
        stream = await reserve(live.address)
        headers = [("Host", "127.0.0.1"), ("Accept", "text/event-stream"), *_GZIP]
        await connection.send(request_bytes("GET", f"/graphql/stream?token={stream.token}", headers))
        head = await connection.read_head()
        assert (head.status, head.header("Content-Encoding")) == (200, "gzip")
        assert (await stream.begin("one", _CREATE, _TOKEN)).status == 202
        read = b""
        async for chunk in connection.chunks():
            read += chunk
            if b'"secret":"boardcast_' in read and b"9" * 100 in read:
                break


@pytest.mark.parametrize(
    ("headers", "version"),
    [
        ([], "1.1"),
        ([("Accept-Encoding", "gzip;q=0")], "1.1"),
        ([("Accept-Encoding", "identity")], "1.1"),
        (_GZIP, "1.0"),
    ],
)
async def test_stream_is_plain_where_it_must_be(headers: list[tuple[str, str]], version: str, live: LiveServer) -> None:
    sent = request_bytes("GET", _TARGET, [("Host", "127.0.0.1"), *headers]).replace(
        b"HTTP/1.1", f"HTTP/{version}".encode()
    )
    async with deadline(_WAIT_UNITS), connect(live.address) as connection:
        await connection.send(sent)
        head = await connection.read_head()
        assert head.header("Content-Encoding") is None
        assert "Accept-Encoding" in (head.header("Vary") or "")


@pytest.mark.parametrize("setting", ["compression", "direct_writes"])
async def test_settings_leave_streams_plain(setting: str) -> None:
    settings = {"direct_writes": True, setting: False}
    async with live_server(**settings) as live, deadline(_WAIT_UNITS):
        await make_boards(live.address)
        async with open_stream(live.address, _TARGET, _GZIP) as reader:
            assert reader.response.header("Content-Encoding") is None
            await _opened(reader)


async def test_head_of_a_stream_says_how_it_would_come(live: LiveServer) -> None:
    async with deadline(_WAIT_UNITS), connect(live.address) as connection:
        for _ in range(2):
            await connection.send(request_bytes("HEAD", _TARGET, [("Host", "127.0.0.1"), *_GZIP]))
            head = await connection.read_head()
            assert (head.status, head.header("Content-Encoding")) == (200, "gzip")
