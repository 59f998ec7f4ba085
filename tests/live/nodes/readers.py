"""Readers of a board on one node, at any exit: they collect the log lines and check their order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.kit.graphql_socket import open_subscription
from tests.kit.publishing import Publisher, event
from tests.kit.raw_http import Address
from tests.live.boards import BOARD
from tests.live.raw_board import RAW_EXITS, open_board

__all__ = ["EXITS", "Reader", "line", "reading", "write_lines"]

_GRAPHQL = "graphql"
EXITS = (*RAW_EXITS, _GRAPHQL)
_EVENTS = """subscription ($board: ID!, $after: String) { boardEvents(boardId: $board, after: $after) {
  __typename ... on StreamEvent { cursor } ... on AttemptLogAppended { message } ... on Gap { reason } } }"""


@dataclass
class Reader:
    """What one reader has got."""

    #: The message of each log line, with the offset of its event.
    lines: list[tuple[int, str]] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    cursor: str = ""
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, type: str, payload: Any, cursor: str | None) -> None:
        """Note an event; each line must come once and in order."""
        self.cursor = cursor or self.cursor
        if type in ("state", "State"):
            self.ready.set()
        elif type in ("gap", "Gap"):
            self.gaps.append(payload["reason"])
        elif type in ("attempt_log", "AttemptLogAppended"):
            offset = int((cursor or "").split("-")[2])
            assert not self.lines or offset > self.lines[-1][0], f"{offset} after {self.lines[-1]}"
            self.lines.append((offset, payload["message"]))
            self.news.set()

    async def has(self, messages: Collection[str]) -> None:
        """Wait until all of these lines have come."""
        while not set(messages) <= {message for _, message in self.lines}:
            self.news.clear()
            await self.news.wait()


async def _read(address: Address, exit: str, reader: Reader) -> None:
    if exit == _GRAPHQL:
        async with open_subscription(address, _EVENTS, {"board": BOARD}) as socket:
            while True:
                got = (await socket.data())["boardEvents"]
                reader.take(got["__typename"], got, got["cursor"])
    async with open_board(address, exit) as raw:
        while True:
            reader.take(*await raw.envelope())


@asynccontextmanager
async def reading(*addresses: Address) -> AsyncIterator[list[Reader]]:
    """Read at every exit of every node until the block ends; each reader has its first state when it begins."""
    async with AsyncExitStack() as stack:
        readers = []
        for address in addresses:
            for exit in EXITS:
                reader = Reader()
                task = asyncio.create_task(_read(address, exit, reader), name=f"read {exit} at {address}")
                stack.push_async_callback(_cancel, task)
                await reader.ready.wait()
                readers.append(reader)
        yield readers


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    # A reader that has failed fails the test.
    (end,) = await asyncio.gather(task, return_exceptions=True)
    if not isinstance(end, asyncio.CancelledError) and end is not None:
        raise end


def line(message: str) -> dict[str, Any]:
    """Return an event that every exit delivers by itself."""
    return event("attempt.log.appended", {"attemptId": "a1", "boardId": BOARD, "level": "info", "message": message})


async def write_lines(address: Address, writer: str, count: int) -> list[str]:
    """Write lines one after the other at a node; return their messages."""
    messages = [f"{writer} {n}" for n in range(count)]
    for message in messages:
        await Publisher(address).publish(line(message))
    return messages
