"""Access tokens while the database is away: a node cannot tell a wrong one from one that another node has made."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.kit.access_tokens import ADMIN
from tests.kit.deadline import deadline
from tests.kit.postgres_server import running_postgres
from tests.kit.raw_http import exchange
from tests.live.command import Process, running
from tests.live.graphql.client import ACK, OLDER, Client, open_client

Sockets = tuple[Process, Client, Client, Client]
_UNKNOWN = f"boardcast_{'A' * 43}"
_NEWER = "graphql-transport-ws"
_KNOWN = {"type": "connection_init", "payload": {"token": ADMIN}}
_INIT = {"type": "connection_init", "payload": {"token": _UNKNOWN}}
_AWAY = (1013, "Store unavailable")


@pytest.fixture
async def cut_off(tmp_path: Path) -> AsyncIterator[Sockets]:
    """A server whose database is away, with three sockets from before: a raw one, and one of each subprotocol."""
    with running_postgres() as database:
        flags = ("--database-url", database.url("postgres"), "--tokens", ADMIN)
        target = f"/api/v1/ws/dashboard?access_token={ADMIN}"
        async with (
            deadline(60),
            running(tmp_path, *flags) as server,
            open_client(server.address, None, target=target) as raw,
            open_client(server.address, _NEWER) as newer,
            open_client(server.address, OLDER) as older,
        ):
            for one in (newer, older):
                await one.send(_KNOWN)
                await one.expect(ACK)
            await older.expect({"type": "ka"})
            assert (await raw.message())["type"] == "hello"
            database.stop()
            yield server, raw, newer, older
        assert "Traceback" not in server.errors.read_text()


async def test_token_in_place_is_refused_for_now_and_the_connection_stays(cut_off: Sockets) -> None:
    _, raw, newer, older = cut_off
    await raw.send({"type": "authenticate", "payload": {"token": _UNKNOWN}})
    while (error := await raw.message())["type"] != "error":
        pass
    assert error["payload"]["code"] == "store_unavailable"
    await raw.send({"type": "authenticate", "payload": {"token": ADMIN}})
    assert (await raw.message())["type"] == "access"
    await newer.send({"type": "ping", "payload": {"token": _UNKNOWN}})
    answer = await newer.message()
    assert answer["payload"]["code"] == "STORE_UNAVAILABLE"
    await newer.expect_nothing()
    await older.send(_INIT)
    await older.expect({"type": "connection_error", "payload": {"message": _AWAY[1]}})
    assert await older.closed() == _AWAY


@pytest.mark.parametrize("subprotocol", [_NEWER, OLDER])
async def test_token_of_an_init_closes_so_that_the_client_comes_back(subprotocol: str, cut_off: Sockets) -> None:
    server, *_ = cut_off
    async with open_client(server.address, subprotocol) as client:
        await client.send(_INIT)
        if subprotocol == OLDER:
            await client.expect({"type": "connection_error", "payload": {"message": _AWAY[1]}})
        assert await client.closed() == _AWAY
    answer = await exchange(server.address, "GET", "/api/v1/session", headers=[("Authorization", f"Bearer {_UNKNOWN}")])
    assert (answer.status, answer.header("Retry-After")) == (503, "1")
