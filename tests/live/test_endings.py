"""Every exit × every reason for which the server ends a stream: the last events, and whether to reconnect."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import NoReturn

import pytest

from realtime.backends.sql.store import SqlStore
from realtime.endings import FAULT, STORE_UNAVAILABLE, Ending
from realtime.errors import StoreUnavailable
from tests.kit.deadline import deadline, seconds
from tests.kit.live_server import LiveServer, live_server
from tests.kit.publishing import Publisher, event
from tests.kit.raw_http import Address, connect
from tests.kit.sse_reader import open_stream
from tests.live.boards import BOARD, make_boards
from tests.live.endings import End, read_to_end
from tests.live.exits import EXITS, ExitReader, open_behind, open_exit

_WAIT_UNITS = 20
_LIFETIME_UNITS = 1.5

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
}


#: The dashboard's WebSocket accepts no cursor.
_RESUMING = [name for name in EXITS if name != "dashboard-ws"]


class _FaultOfOurs(Exception):
    pass


@dataclass(frozen=True)
class _Reader:
    name: str
    reader: ExitReader

    async def check_end(self, reason: str) -> None:
        """Require the goodbye with `reason`, then the word of the exit, and nothing else."""
        async with deadline(_WAIT_UNITS):
            end = await read_to_end(self.reader)
        word = _WORDS[reason][self.name]
        assert [type_ for type_, _ in end.events] == ["goodbye"], self.name
        _, goodbye = end.events[0]
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
async def _readers(address: Address, reason: str) -> AsyncIterator[list[_Reader]]:
    async with AsyncExitStack() as stack:
        await make_boards(address)
        connections = {name: await stack.enter_async_context(connect(address)) for name in _WORDS[reason]}
        async with deadline(_WAIT_UNITS):
            readers = [_Reader(name, await open_exit(name, connection)) for name, connection in connections.items()]
        yield readers


async def test_deleted_board_ends_its_subscriptions_for_good(live: LiveServer, clean_log: None) -> None:
    async with _readers(live.address, "board_deleted") as readers:
        await Publisher(live.address).publish(event("project.deleted", {"projectId": BOARD}))
        for reader in readers:
            await reader.check_end("board_deleted")


async def test_server_that_stops_ends_every_stream_for_a_while(clean_log: None) -> None:
    async with AsyncExitStack() as stack:
        async with live_server(shutdown_grace_seconds=seconds(_WAIT_UNITS)) as live:
            readers = await stack.enter_async_context(_readers(live.address, "server_shutdown"))
        for reader in readers:
            await reader.check_end("server_shutdown")


async def test_lifetime_ends_every_stream_for_a_moment(clean_log: None) -> None:
    async with (
        live_server(max_connection_seconds=seconds(_LIFETIME_UNITS)) as live,
        _readers(live.address, "connection_lifetime") as readers,
    ):
        for reader in readers:
            await reader.check_end("connection_lifetime")


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
