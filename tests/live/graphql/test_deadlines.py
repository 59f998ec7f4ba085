"""An operation over HTTP has a deadline, and ends when its client leaves. One over a socket has the deadline too."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from realtime.backends.sql.store import SqlStore
from tests.kit.deadline import deadline
from tests.kit.live_server import live_server
from tests.kit.raw_http import connect, exchange, request_bytes
from tests.live.graphql.client import connected, subscribe_message

_QUERY = "{ projects { nodes { id } } }"


@pytest.fixture(autouse=True)
def no_fault_is_logged(clean_log: None) -> None:
    """Fail if a fault was logged: no client may cause one."""


class _Away:
    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.left = asyncio.Event()

    async def read(self, *_: object) -> Any:
        self.asked.set()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self.left.set()


@pytest.fixture
async def away(monkeypatch: pytest.MonkeyPatch) -> _Away:
    """Block the store's answers about projects."""
    found = _Away()
    monkeypatch.setattr(SqlStore, "projects", found.read)
    return found


@pytest.mark.parametrize(("accept", "status"), [("application/graphql-response+json", 503), ("application/json", 200)])
async def test_operation_over_http_has_a_deadline(accept: str, status: int, away: _Away) -> None:
    async with live_server(graphql_timeout_seconds=0.05) as live, deadline(10):
        body = orjson.dumps({"query": _QUERY})
        answer: Any = await exchange(live.address, "POST", "/graphql", body, [("Accept", accept)])
        assert answer.status == status
        assert [error["extensions"]["code"] for error in answer.json()["errors"]] == ["TIMEOUT"]
        await away.left.wait()


async def test_operation_over_a_socket_has_a_deadline_of_its_own(away: _Away) -> None:
    async with live_server(graphql_timeout_seconds=0.05) as live, deadline(10), connected(live.address) as client:
        await client.send(subscribe_message("1", _QUERY))
        answer = await client.message()
        assert (answer["id"], answer["type"]) == ("1", "error")
        assert answer["payload"][0]["extensions"] == {"code": "TIMEOUT", "timeoutSeconds": 0.05}
        await client.expect_nothing()


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream", "*/*"])
async def test_operation_ends_when_its_client_leaves(accept: str, away: _Away) -> None:
    async with live_server(graphql_timeout_seconds=600) as live, deadline(10):
        async with connect(live.address) as connection:
            body = orjson.dumps({"query": _QUERY})
            headers = [("Host", "127.0.0.1"), ("Accept", accept), ("Content-Type", "application/json")]
            headers.append(("Content-Length", str(len(body))))
            await connection.send(request_bytes("POST", "/graphql", headers, body))
            await away.asked.wait()
            assert not away.left.is_set()
        await away.left.wait()
