"""Every exit × every reason for which the server ends a stream: what the reader is told, and whether to come back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from tests.kit.deadline import deadline, seconds
from tests.kit.live_server import LiveServer, live_server
from tests.kit.publishing import Publisher, event
from tests.kit.raw_http import Address, connect
from tests.live.boards import BOARD, make_boards
from tests.live.endings import End, read_to_end
from tests.live.exits import EXITS, ExitReader, open_exit

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
        # Neither error nor `complete`, which clients take as final: they come back when the connection is over.
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
        told = reason.upper() if "graphql" in self.name else reason
        assert goodbye["reason"] == told, self.name
        assert (end.word, end.detail) == word if isinstance(word, tuple) else end.word == word, (self.name, end)
        self._check_hint(end, goodbye["reconnectAfterMs"], comes_back=reason != "board_deleted")

    def _check_hint(self, end: End, hint: int, *, comes_back: bool) -> None:
        """Require the same pause in whatever place a client looks for one."""
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


def test_every_exit_is_in_the_table() -> None:
    assert set(_WORDS["server_shutdown"]) == set(_WORDS["connection_lifetime"]) == set(EXITS)
    # Raw streams outlast their board: `test_deleted_board`.
    assert set(_WORDS["board_deleted"]) == {name for name in EXITS if "graphql" in name}
