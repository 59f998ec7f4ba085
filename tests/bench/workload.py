"""What the cases send: boards, cards and numbered log lines, over one connection that is kept."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import uuid4

import orjson

from tests.bench.servers import BenchServer
from tests.kit.publishing import event
from tests.kit.raw_http import Address, Connection, connect, request_bytes
from tests.kit.recordings import Json

__all__ = [
    "FIRST_COLUMN",
    "MAX_EVENTS",
    "SECOND_COLUMN",
    "Poster",
    "lines_body",
    "new_board",
    "new_boards",
    "posting",
    "titled",
]

EVENTS_PATH = "/api/v1/events"
FIRST_COLUMN = "col-1"
SECOND_COLUMN = "col-2"
_IDLE_SECONDS = 1.0
#: Most events of one request (contract §6).
MAX_EVENTS = 1000

_AT = "2025-01-02T03:04:05.678Z"
#: Makes a WebSocket frame of about 200 bytes, cursor included.
_LINE_CHARS = 43


class Poster:
    """Sends requests one after the other, on one connection while they come close together."""

    def __init__(self, address: Address, open_connections: AsyncExitStack) -> None:
        """Send to `address`."""
        self._address = address
        self._open = open_connections
        self._connection: Connection | None = None
        self._used = 0.0

    async def send(self, method: str, path: str, body: bytes) -> None:
        """Send one request and read its answer, which must be of the 2xx kind."""
        connection = await self._connected()
        host = "{}:{}".format(*self._address)
        headers = [("Host", host), ("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        await connection.send(request_bytes(method, path, headers, body))
        head = await connection.read_head()
        answer = await connection.read_body(head, method=method)
        self._used = time.monotonic()
        if head.status // 100 != 2:
            raise RuntimeError(f"expected the server to accept {path}, got {head.status} {answer!r:.500}")

    async def _connected(self) -> Connection:
        # Servers close what is idle for some seconds, and seating thousands of readers takes longer.
        if self._connection is None or time.monotonic() - self._used > _IDLE_SECONDS:
            self._connection = await self._open.enter_async_context(connect(self._address))
        return self._connection

    async def publish(self, body: bytes) -> None:
        """Publish a batch of events."""
        await self.send("POST", EVENTS_PATH, body)

    async def change_card(self, board: str, card: str, **fields: object) -> None:
        """Change a card."""
        await self.send("PATCH", f"/api/v1/boards/{board}/cards/{card}", orjson.dumps(fields))


@asynccontextmanager
async def posting(server: BenchServer) -> AsyncIterator[Poster]:
    """Connect for the length of the block."""
    async with AsyncExitStack() as stack:
        yield Poster(server.address, stack)


async def new_board(poster: Poster, cards: int = 0) -> str:
    """Make a board that nobody knows yet and return its id; with `cards`, all of them are in `FIRST_COLUMN`."""
    board = f"bench-{uuid4()}"
    events = [_created(board)]
    if cards:
        events.append(event("board.state.changed", {"boardId": board, "state": _state(cards)}, _AT))
    await poster.publish(orjson.dumps(events))
    return board


async def new_boards(poster: Poster, count: int) -> str:
    """Make many boards; their ids are what is returned, each with its number in six digits behind it."""
    prefix = f"bench-{uuid4()}-"
    for start in range(0, count, MAX_EVENTS):
        numbers = range(start, min(start + MAX_EVENTS, count))
        await poster.publish(orjson.dumps([_created(f"{prefix}{number:06}") for number in numbers]))
    return prefix


def lines_body(boards: Iterable[str], numbers: Iterable[int]) -> bytes:
    """Return the body of a batch of numbered log lines, which say when they are published: now."""
    attempt = {"attemptId": "att-bench", "level": "info"}
    stamp = f" @{time.perf_counter_ns():019}"
    texts = [f"#{number:06}{stamp} ".ljust(_LINE_CHARS, ".") for number in numbers]
    lines = [{"boardId": board, **attempt, "message": text, "ts": _AT} for board in boards for text in texts]
    return orjson.dumps([event("attempt.log.appended", line) for line in lines])


def titled(number: int) -> str:
    """Return the title by which readers count."""
    return f"#{number:06} a new title"


def _created(board: str) -> Json:
    return event("project.created", {"projectId": board, "name": "Bench", "repositoryPath": f"/r/{board}"}, _AT)


def _state(cards: int) -> Json:
    ids = [f"card-{number:06}" for number in range(cards)]
    columns = {
        FIRST_COLUMN: {"id": FIRST_COLUMN, "title": "Backlog", "cardIds": ids},
        SECOND_COLUMN: {"id": SECOND_COLUMN, "title": "Later", "cardIds": []},
    }
    return {"columns": columns, "columnOrder": list(columns), "cards": {id: _card(id) for id in ids}}


def _card(id: str) -> Json:
    texts = {"title": f"Title of {id}", "description": "Some words about what is to be done here. " * 3}
    number = id.removeprefix("card-").lstrip("0") or "0"
    return {"id": id, "ticketKey": f"B-{number}", "ticketType": "feat", **texts, "createdAt": _AT, "updatedAt": _AT}
