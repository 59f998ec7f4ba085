"""`--access-log`: a line for each request, and one for each stream when it ends, on every exit."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.kit.deadline import deadline
from tests.kit.graphql_transports import TRANSPORTS, subscribe
from tests.kit.raw_http import exchange
from tests.kit.raw_socket import open_socket
from tests.live.command import Process, running
from tests.live.scrape import key, samples

_WAIT_UNITS = 60
_FLAGS = ("--access-log", "--log-format", "json")
_TOKEN = "a-secret-of-the-operator"


async def _lines(server: Process) -> list[dict[str, Any]]:
    """Stop the server and return its lines about requests and streams."""
    server.send_signal(signal.SIGTERM)
    end = await server.wait()
    assert end.code == 0, end
    found = [orjson.loads(line) for line in end.err.splitlines()]
    return [line for line in found if line["logger"] == "access.requests"]


async def _board(server: Process) -> str:
    made = await exchange(server.address, "POST", "/api/v1/projects", b'{"name":"P","repositoryPath":"/r"}')
    board: str = orjson.loads(made.body)["id"]
    return board


async def test_every_request_is_a_line_with_its_answer(tmp_path: Path) -> None:
    environment = {"BOARDCAST_TOKENS": _TOKEN}
    async with running(tmp_path, *_FLAGS, env=environment) as server, deadline(_WAIT_UNITS):
        asked = [("GET", "/api/v1/healthz", 200), ("GET", "/api/v1/projects", 401), ("PUT", "/api/v1/version", 405)]
        ids = []
        for method, target, status in asked:
            answer = await exchange(server.address, method, f"{target}?access_token={'x' * 20}")
            assert answer.status == status
            ids.append(answer.header("X-Request-Id"))
        lines = await _lines(server)
    assert [(one["method"], one["path"], one["status"]) for one in lines] == asked
    assert [one["request"] for one in lines] == ids
    assert {one["event"] for one in lines} == {"request"}
    assert {one["subject"] for one in lines} == {"anonymous"}
    assert all(one["duration_ms"] > 0 and "xxxx" not in str(one) for one in lines)


async def test_every_stream_is_a_line_with_its_messages_and_its_end(tmp_path: Path) -> None:
    async with running(tmp_path, *_FLAGS) as server, deadline(_WAIT_UNITS):
        board = await _board(server)
        address = f"/api/v1/ws?boardId={board}"
        async with open_socket(server.address, address) as one, open_socket(server.address, address) as other:
            for socket in (one, other):
                assert [orjson.loads(await socket.receive_text())["type"] for _ in range(2)] == ["hello", "state"]
            await one.close()
            await exchange(server.address, "DELETE", f"/api/v1/projects/{board}")
            assert orjson.loads(await other.receive_text())["type"] == "goodbye"
            await other.close()
            while (await samples(server.address)).get(key("readers", exit="board-ws")):
                pass
        lines = await _lines(server)
    streams = [one for one in lines if one["event"] == "stream"]
    assert [(one["exit"], one["reason"], one["messages"]) for one in streams] == [
        ("board-ws", "client_left", 2),
        ("board-ws", "client_left", 3),
    ]
    assert all(one["path"] == "/api/v1/ws" and one["subject"] == "anonymous" for one in streams)
    shaken = [one["request"] for one in lines if one["event"] == "request" and one["status"] == 101]
    assert [one["request"] for one in streams] == shaken


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_stream_of_graphql_is_a_line_too(transport: str, tmp_path: Path) -> None:
    query = "subscription ($b: ID!) { boardEvents(boardId: $b) { __typename } }"
    async with running(tmp_path, *_FLAGS) as server, deadline(_WAIT_UNITS):
        board = await _board(server)
        async with subscribe(transport, server.address, query, {"b": board}) as subscription:
            for name in ("Hello", "State"):
                assert (await subscription.data())["boardEvents"]["__typename"] == name
            lines = await _lines(server)
    (stream,) = [one for one in lines if one["event"] == "stream"]
    assert stream["reason"] == "server_shutdown"
    assert stream["messages"] in {2, 3}  # where the transport has no word for it, `Goodbye` is a message
    assert stream["exit"].endswith(("ws", "sse", "single", "multipart"))


async def test_without_the_setting_there_is_no_such_line(tmp_path: Path) -> None:
    async with running(tmp_path, "--log-format", "json") as server, deadline(_WAIT_UNITS):
        await _board(server)
        assert await _lines(server) == []
