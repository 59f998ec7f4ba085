"""Connections of a revoked token that are between streams: idle, at work, or not open yet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import pytest
from pydantic import SecretStr

from realtime.backends.sql.store import SqlStore
from tests.kit.access_tokens import ADMIN, Admin
from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer, live_server
from tests.kit.raw_http import connect
from tests.kit.reserved_stream import ReservedStream, reserve
from tests.kit.sse_reader import StreamEnded
from tests.kit.token_relay import relay_with_token
from tests.live.boards import BOARD, make_boards
from tests.live.graphql.client import ACK, Client, open_client, subscribe_message

_WAIT_UNITS = 20
_REVOKED = (4403, "Token revoked")
_PROJECTS = "{ projects { nodes { name } } }"
_EVENTS = "subscription ($id: ID!) { boardEvents(boardId: $id) { __typename ... on Goodbye { reason } } }"

pytestmark = pytest.mark.usefixtures("clean_log")


@pytest.fixture
async def guarded() -> AsyncIterator[LiveServer]:
    """A server with two boards and one static secret, on which an operation may take as long as it wants."""
    async with live_server(tokens=SecretStr(ADMIN), graphql_timeout_seconds=600) as live:
        async with relay_with_token(live.address, ADMIN) as address:
            await make_boards(address)
        yield live


@asynccontextmanager
async def _initialised(live: LiveServer, secret: str) -> AsyncIterator[Client]:
    async with open_client(live.address) as client:
        await client.send({"type": "connection_init", "payload": {"token": secret}})
        await client.expect(ACK)
        yield client


async def test_idle_socket_of_its_init_is_closed(guarded: LiveServer) -> None:
    admin = Admin(guarded.address)
    token, other = await admin.make("Ada"), await admin.make("Bo")
    async with (
        deadline(_WAIT_UNITS),
        _initialised(guarded, token.secret) as client,
        _initialised(guarded, other.secret) as unharmed,
    ):
        await admin.revoke(token)
        assert await client.closed() == _REVOKED
        await unharmed.expect_nothing()


async def test_admin_that_revokes_its_own_token_gets_the_answer(guarded: LiveServer) -> None:
    admin = Admin(guarded.address)
    token = await admin.make(can=["admin"])
    mutation = f'mutation {{ revokeAccessToken(tokenId: "{token.id}") {{ __typename }} }}'
    async with deadline(_WAIT_UNITS), _initialised(guarded, token.secret) as client:
        await client.send(subscribe_message("1", mutation))
        answer = await client.message()
        assert answer["payload"]["data"] == {"revokeAccessToken": {"__typename": "RevokeAccessTokenPayload"}}
        await client.expect({"id": "1", "type": "complete"})
        assert await client.closed() == _REVOKED
    again = await admin.make(can=["admin"])
    assert await Admin(guarded.address, again.secret).revoke(again) == 204


def _hold_back_projects(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Let each read of projects wait for ever; return the event of the first."""
    reached = asyncio.Event()

    async def wait(*_: object) -> Any:
        reached.set()
        await asyncio.get_running_loop().create_future()

    monkeypatch.setattr(SqlStore, "projects", wait)
    return reached


async def test_operation_that_does_not_end_keeps_no_socket_open(
    guarded: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = Admin(guarded.address)
    token = await admin.make()
    reached = _hold_back_projects(monkeypatch)
    async with deadline(_WAIT_UNITS), _initialised(guarded, token.secret) as client:
        await client.send(subscribe_message("1", _PROJECTS))
        await reached.wait()
        await admin.revoke(token)
        assert await client.closed() == _REVOKED


@asynccontextmanager
async def _reserved(live: LiveServer, secret: str) -> AsyncIterator[ReservedStream]:
    async with relay_with_token(live.address, secret) as address:
        yield await reserve(address)


async def _begin_with(live: LiveServer, stream: ReservedStream, secret: str, query: str, id: str) -> int:
    """Begin an operation on a reserved stream with another token than that of the stream."""
    async with relay_with_token(live.address, secret) as address:
        return (await ReservedStream(address, stream.token).begin(id, query, {"id": BOARD})).status


async def _read_to_end(stream: ReservedStream) -> list[str]:
    """Return the types of the events of a reserved stream until it ends."""
    names: list[str] = []
    with suppress(StreamEnded):
        while True:
            block = await stream.stream.block()
            if block.event == "next":
                names.append(block.json()["payload"]["data"]["boardEvents"]["__typename"])
    return names


@pytest.mark.parametrize("is_open", [True, False], ids=["open", "not-open"])
async def test_operation_of_a_revoked_token_ends_the_reserved_stream_of_another(
    is_open: bool, guarded: LiveServer
) -> None:
    admin = Admin(guarded.address)
    owner, helper = await admin.make("owner"), await admin.make("owner")  # one subject, two tokens
    async with deadline(_WAIT_UNITS), AsyncExitStack() as stack:
        stream = await stack.enter_async_context(_reserved(guarded, owner.secret))
        connection = await stack.enter_async_context(connect(stream.address))
        if is_open:
            await stream.open_on(connection)
        assert await _begin_with(guarded, stream, helper.secret, _EVENTS, "1") == 202
        await admin.revoke(helper)
        if not is_open:
            await stream.open_on(connection)
        assert (await _read_to_end(stream))[-1] == "Goodbye"


async def test_operation_that_does_not_end_keeps_no_reserved_stream_open(
    guarded: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = Admin(guarded.address)
    owner, helper = await admin.make("owner"), await admin.make("owner")  # one subject, two tokens
    reached = _hold_back_projects(monkeypatch)
    async with deadline(_WAIT_UNITS), AsyncExitStack() as stack:
        stream = await stack.enter_async_context(_reserved(guarded, owner.secret))
        await stream.open_on(await stack.enter_async_context(connect(stream.address)))
        asking = asyncio.create_task(_begin_with(guarded, stream, helper.secret, _PROJECTS, "1"))
        await reached.wait()
        await admin.revoke(owner)
        assert await _read_to_end(stream) == []
        await asking
