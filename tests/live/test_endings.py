"""Every exit × every reason for which the server ends a stream: the last events, and whether to reconnect."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import NoReturn

import pytest
from pydantic import SecretStr

from realtime.backends.sql.store import SqlStore
from realtime.endings import FAULT, STORE_UNAVAILABLE, Ending
from realtime.errors import StoreUnavailable
from realtime.service import Action
from tests.kit.access_tokens import ADMIN, Admin
from tests.kit.deadline import deadline, seconds
from tests.kit.json_web_tokens import SECRET, claims_of, signed
from tests.kit.live_server import LiveServer, live_server
from tests.kit.publishing import Publisher, event
from tests.kit.raw_http import Address, connect, exchange
from tests.kit.sessions import sign_in, sign_out
from tests.kit.sse_reader import open_stream
from tests.kit.token_relay import relay_with_cookie, relay_with_token
from tests.live.boards import BOARD, make_boards
from tests.live.endings import End, read_to_end
from tests.live.exits import EXITS, ExitSubscriber, open_behind, open_exit

_WAIT_UNITS = 20
_LIFETIME_UNITS = 1.5
_REVOCATION_UNITS = 1

#: Exit → the last word of its stream, by the reason of the goodbye before it. None = the answer ends without one.
_WORDS: dict[str, dict[str, tuple[int, str] | str | None]] = {
    "board_deleted": {
        "graphql-ws": "complete",
        "older-graphql-ws": "complete",
        "graphql-sse": "complete",
        "graphql-sse-single": "complete",
        "graphql-multipart": "complete",
    },
    "server_shutdown": {
        "board-ws": (1012, "Server restarts"),
        "dashboard-ws": (1012, "Server restarts"),
        "board-sse": None,
        "dashboard-sse": None,
        # Neither error nor `complete`, which clients take as final: they reconnect when the connection ends.
        "graphql-ws": (1012, "Server restarts"),
        "older-graphql-ws": (1012, "Server restarts"),
        "graphql-sse": None,
        "graphql-sse-single": None,
        "graphql-multipart": "SERVER_SHUTDOWN",
    },
    "connection_lifetime": {
        "board-ws": (1012, "Connection lifetime reached"),
        "dashboard-ws": (1012, "Connection lifetime reached"),
        "board-sse": None,
        "dashboard-sse": None,
        "graphql-ws": (1012, "Connection lifetime reached"),
        "older-graphql-ws": (1012, "Connection lifetime reached"),
        "graphql-sse": None,
        "graphql-sse-single": None,
        "graphql-multipart": "CONNECTION_LIFETIME",
    },
    "token_expired": {
        "board-ws": (4401, "Token expired"),
        "dashboard-ws": (4401, "Token expired"),
        "board-sse": None,
        "dashboard-sse": None,
        # Not 4401, after which npm graphql-ws never reconnects.
        "graphql-ws": (4403, "Token expired"),
        "older-graphql-ws": (4403, "Token expired"),
        "graphql-sse": None,
        "graphql-sse-single": None,
        "graphql-multipart": "UNAUTHENTICATED",
    },
    "token_revoked": {
        "board-ws": (4401, "Token revoked"),
        "dashboard-ws": (4401, "Token revoked"),
        "board-sse": None,
        "dashboard-sse": None,
        "graphql-ws": (4403, "Token revoked"),
        "older-graphql-ws": (4403, "Token revoked"),
        "graphql-sse": None,
        "graphql-sse-single": None,
        "graphql-multipart": "UNAUTHENTICATED",
    },
}


#: The dashboard's WebSocket accepts no cursor.
_RESUMING = [name for name in EXITS if name != "dashboard-ws"]


class _FaultOfOurs(Exception):
    pass


@dataclass(frozen=True)
class _Subscriber:
    name: str
    subscriber: ExitSubscriber

    async def check_end(self, reason: str, *before: str) -> None:
        """Require events of the types `before`, the goodbye with `reason`, the word of the exit, and nothing else."""
        async with deadline(_WAIT_UNITS):
            end = await read_to_end(self.subscriber)
        word = _WORDS[reason][self.name]
        assert [type_ for type_, _ in end.events] == [*before, "goodbye"], self.name
        _, goodbye = end.events[-1]
        expected = reason.upper() if "graphql" in self.name else reason
        assert goodbye["reason"] == expected, self.name
        assert (end.word, end.detail) == word if isinstance(word, tuple) else end.word == word, (self.name, end)
        self._check_hint(end, goodbye["reconnectAfterMs"], comes_back=reason != "board_deleted")

    def _check_hint(self, end: End, hint: int, *, comes_back: bool) -> None:
        """Require the same delay in each place where a client may look for one."""
        assert (hint > 0) == comes_back, self.name
        is_stream = "sse" in self.name
        assert end.retry_ms == (hint if is_stream and comes_back else None), self.name
        if self.name == "graphql-multipart" and comes_back:
            assert end.detail == hint


@asynccontextmanager
async def _subscribers(address: Address, reason: str) -> AsyncIterator[list[_Subscriber]]:
    async with AsyncExitStack() as stack:
        await make_boards(address)
        connections = {name: await stack.enter_async_context(connect(address)) for name in _WORDS[reason]}
        async with deadline(_WAIT_UNITS):
            subscribers = [
                _Subscriber(name, await open_exit(name, connection)) for name, connection in connections.items()
            ]
        yield subscribers


async def test_deleted_board_ends_its_subscriptions_for_good(live: LiveServer, clean_log: None) -> None:
    async with _subscribers(live.address, "board_deleted") as subscribers:
        await Publisher(live.address).publish(event("project.deleted", {"projectId": BOARD}))
        for subscriber in subscribers:
            await subscriber.check_end("board_deleted")


async def test_server_that_stops_ends_every_stream_for_a_while(clean_log: None) -> None:
    async with AsyncExitStack() as stack:
        async with live_server(shutdown_grace_seconds=seconds(_WAIT_UNITS)) as live:
            subscribers = await stack.enter_async_context(_subscribers(live.address, "server_shutdown"))
        for subscriber in subscribers:
            await subscriber.check_end("server_shutdown")


async def test_lifetime_ends_every_stream_for_a_moment(clean_log: None) -> None:
    async with (
        live_server(max_connection_seconds=seconds(_LIFETIME_UNITS)) as live,
        _subscribers(live.address, "connection_lifetime") as subscribers,
    ):
        for subscriber in subscribers:
            await subscriber.check_end("connection_lifetime")


async def test_token_that_expires_ends_every_stream_at_its_end(clean_log: None) -> None:
    async with AsyncExitStack() as stack:
        live = await stack.enter_async_context(live_server(jwt_key=SecretStr(SECRET)))
        everything = signed(claims_of(can=list(Action)))
        await make_boards(await stack.enter_async_context(relay_with_token(live.address, everything)))
        end = time.time() + seconds(_LIFETIME_UNITS) + 1  # `exp` has whole seconds
        short = signed(claims_of(can=["read", "dashboard"], exp=int(end)))
        address = await stack.enter_async_context(relay_with_token(live.address, short))
        connections = {name: await stack.enter_async_context(connect(address)) for name in _WORDS["token_expired"]}
        async with deadline(_WAIT_UNITS):
            subscribers = [
                _Subscriber(name, await open_exit(name, connection)) for name, connection in connections.items()
            ]
        for subscriber in subscribers:
            await subscriber.check_end("token_expired", "access")  # the warning comes at once
        assert time.time() >= int(end)
        refused = await exchange(address, "GET", f"/api/v1/boards/{BOARD}")
        assert refused.status == 401


async def _opened(stack: AsyncExitStack, address: Address) -> list[_Subscriber]:
    connections = {name: await stack.enter_async_context(connect(address)) for name in EXITS}
    async with deadline(_WAIT_UNITS):
        return [_Subscriber(name, await open_exit(name, connection)) for name, connection in connections.items()]


async def test_token_that_is_revoked_ends_its_streams_and_no_others(clean_log: None) -> None:
    async with AsyncExitStack() as stack:
        live = await stack.enter_async_context(live_server(tokens=SecretStr(ADMIN)))
        admin = Admin(live.address)
        everything = await stack.enter_async_context(relay_with_token(live.address, ADMIN))
        await make_boards(everything)
        tokens = [await admin.make(name) for name in ("Ada", "Bo")]
        addresses = [await stack.enter_async_context(relay_with_token(live.address, one.secret)) for one in tokens]
        revoked, others = [await _opened(stack, address) for address in addresses]
        began = time.monotonic()
        assert await admin.revoke(tokens[0]) == 204
        for subscriber in revoked:
            await subscriber.check_end("token_revoked")
        assert time.monotonic() - began < seconds(_REVOCATION_UNITS)
        assert (await exchange(addresses[0], "GET", f"/api/v1/boards/{BOARD}")).status == 401
        await Publisher(everything).mark("after")
        async with deadline(_WAIT_UNITS):
            for one in others:  # nothing came before the mark
                assert await one.subscriber.event() == ("agent_registered", _Label("after"))
            for one in revoked:
                await _check_resumed(one, addresses[1], "after")


async def test_session_that_ends_ends_its_streams_and_no_others(clean_log: None) -> None:
    async with AsyncExitStack() as stack:
        live = await stack.enter_async_context(live_server(tokens=SecretStr(ADMIN)))
        everything = await stack.enter_async_context(relay_with_token(live.address, ADMIN))
        await make_boards(everything)
        token = await Admin(live.address).make("Ada")
        cookies = [await sign_in(live.address, token.secret) for _ in range(2)]
        addresses = [await stack.enter_async_context(relay_with_cookie(live.address, one)) for one in cookies]
        ended, others = [await _opened(stack, address) for address in addresses]
        by_token = await _opened(stack, await stack.enter_async_context(relay_with_token(live.address, token.secret)))
        began = time.monotonic()
        assert await sign_out(live.address, cookies[0]) == 204
        for subscriber in ended:
            await subscriber.check_end("token_revoked")
        assert time.monotonic() - began < seconds(_REVOCATION_UNITS)
        assert (await exchange(addresses[0], "GET", f"/api/v1/boards/{BOARD}")).status == 401
        await Publisher(everything).mark("after")
        async with deadline(_WAIT_UNITS):
            for one in (*others, *by_token):  # nothing came before the mark
                assert await one.subscriber.event() == ("agent_registered", _Label("after"))
            for one in ended:
                await _check_resumed(one, addresses[1], "after")
        assert await Admin(live.address).revoke(token) == 204
        for subscriber in (*others, *by_token):
            await subscriber.check_end("token_revoked")


class _Label:
    """Equal to each form of the event of an agent with this label."""

    def __init__(self, label: str) -> None:
        self._label = label

    def __eq__(self, other: object) -> bool:
        return isinstance(other, dict) and other["label"] == self._label

    def __hash__(self) -> int:
        return hash(self._label)


async def _check_resumed(ended: _Subscriber, address: Address, label: str) -> None:
    """Require that the stream goes on where it ended, with another token."""
    if ended.name not in _RESUMING:
        return
    async with connect(address) as connection:
        subscriber = await open_behind(ended.name, connection, ended.subscriber.cursor)
        events = [await subscriber.event()]
        assert events == [("agent_registered", _Label(label))], ended.name


async def _cursor(live: LiveServer, target: str) -> str:
    async with open_stream(live.address, target) as stream:
        name, hello = await stream.event()
    assert name == "hello"
    assert isinstance(hello, dict)
    return str(hello["cursor"])


async def _end_of_resumption(name: str, fault: Exception, monkeypatch: pytest.MonkeyPatch, reason: str) -> End:
    """Return the end of a resumed stream if the log, which has the missed events, fails with `fault`."""

    async def fail(*_: object) -> NoReturn:
        raise fault

    async with live_server() as live, deadline(_WAIT_UNITS), connect(live.address) as connection:
        await make_boards(live.address)
        is_dashboard = name.startswith("dashboard")
        after = await _cursor(live, "/api/v1/sse" if is_dashboard else f"/api/v1/sse?boardId={BOARD}")
        await Publisher(live.address).mark("missed")
        monkeypatch.setattr(SqlStore, "events", fail)
        end = await read_to_end(await open_behind(name, connection, after))
        assert live.node.counters.exit(name).ended == {reason: 1}
    assert end.events == []
    return end


def _word_of(row: Ending, name: str) -> tuple[int | str | None, str | None]:
    """Return the last word of the exit `name` from the table."""
    if "graphql" in name:
        return row.graphql_code, None
    return row.frame() if name.endswith("ws") else (None, None)


@pytest.mark.parametrize("name", _RESUMING)
async def test_store_that_is_away_ends_a_stream_without_goodbye(
    name: str, monkeypatch: pytest.MonkeyPatch, clean_log: None
) -> None:
    end = await _end_of_resumption(name, StoreUnavailable("away"), monkeypatch, "store_unavailable")
    assert (end.word, end.detail) == _word_of(STORE_UNAVAILABLE, name)


@pytest.mark.parametrize("name", _RESUMING)
async def test_fault_of_the_server_ends_a_stream_and_is_logged(
    name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    end = await _end_of_resumption(name, _FaultOfOurs("secret"), monkeypatch, "internal_error")
    assert (end.word, end.detail) == _word_of(FAULT, name)
    assert any(record.exc_info and isinstance(record.exc_info[1], _FaultOfOurs) for record in caplog.records)


def test_every_exit_is_in_the_table() -> None:
    assert set(_WORDS["server_shutdown"]) == set(_WORDS["connection_lifetime"]) == set(EXITS)
    # Raw streams outlive their board: `test_deleted_board`.
    assert set(_WORDS["board_deleted"]) == {name for name in EXITS if "graphql" in name}
