"""The requests of the cases: boards, cards and numbered log lines, over one keep-alive connection.

Requests are built before the clock starts. While it runs, this process only writes the time into a request, sends it
and reads the answer.
"""

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
    "new_board",
    "new_boards",
    "posting",
    "stamped",
    "titled",
]

EVENTS_PATH = "/api/v1/events"
FIRST_COLUMN = "col-1"
SECOND_COLUMN = "col-2"
_IDLE_SECONDS = 1.0
#: Most events of one request (docs/ingest.md).
MAX_EVENTS = 1000

_UPDATE_CARD = """mutation ($board: ID!, $card: ID!, $title: String!) {
  updateCard(boardId: $board, input: { cardId: $card, title: $title }) {
    __typename ... on UpdateCardPayload { cursor card { id title updatedAt } }
  }
}"""
_AT = "2025-01-02T03:04:05.678Z"
#: Makes a WebSocket message of about 200 bytes, including its cursor.
_LINE_CHARS = 48
_STAMP = " @%019d"
_NO_STAMP = (_STAMP % 0).encode()


class Poster:
    """Sends requests one after the other, on one connection while the pauses are short."""

    def __init__(self, address: Address, open_connections: AsyncExitStack) -> None:
        """Send to `address`."""
        self._address = address
        self._open = open_connections
        self._connection: Connection | None = None
        self._used = 0.0

    def request(self, method: str, path: str, body: bytes = b"") -> bytes:
        """Return a request that can be sent any number of times."""
        host = "{}:{}".format(*self._address)
        headers = [("Host", host), ("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        return request_bytes(method, path, headers, body)

    def events(self, events: Iterable[Json]) -> bytes:
        """Return the request that publishes a batch of events."""
        return self.request("POST", EVENTS_PATH, orjson.dumps(list(events)))

    def lines(self, boards: Iterable[str], numbers: Iterable[int]) -> bytes:
        """Return the request that publishes numbered log lines to each of the boards; see `stamped`."""
        attempt = {"attemptId": "att-bench", "level": "info"}
        texts = [f"#{number:06}{_STAMP % 0} ".ljust(_LINE_CHARS, ".") for number in numbers]
        lines = [{"boardId": board, **attempt, "message": text, "ts": _AT} for board in boards for text in texts]
        return self.events(event("attempt.log.appended", line) for line in lines)

    def cards(self, board: str, count: int) -> bytes:
        """Return the request that gives a board some cards, all of them in `FIRST_COLUMN`."""
        return self.events([event("board.state.changed", {"boardId": board, "state": _state(count)}, _AT)])

    def card_change(self, board: str, card: str, **fields: object) -> bytes:
        """Return the request that changes a card."""
        return self.request("PATCH", f"/api/v1/boards/{board}/cards/{card}", orjson.dumps(fields))

    def mutation(self, board: str, card: str, title: str) -> bytes:
        """Return the request that gives a card another title by GraphQL."""
        variables = {"board": board, "card": card, "title": title}
        return self.request("POST", "/graphql", orjson.dumps({"query": _UPDATE_CARD, "variables": variables}))

    async def connect(self) -> None:
        """Open a new connection before the clock starts, so that no request waits for one."""
        # Servers close a connection after some idle seconds, and opening thousands of subscriptions takes longer.
        if self._connection is None or time.monotonic() - self._used > _IDLE_SECONDS:
            self._connection = await self._open.enter_async_context(connect(self._address))
            self._used = time.monotonic()

    async def send(self, request: bytes) -> None:
        """Send one request and read its answer, which must be of the 2xx kind."""
        await self.connect()
        assert self._connection is not None
        await self._connection.send(request)
        head = await self._connection.read_head()
        answer = await self._connection.read_body(head)
        self._used = time.monotonic()
        if head.status // 100 != 2:
            asked = request.partition(b"\r\n")[0].decode()
            raise RuntimeError(f"expected the server to accept {asked}, got {head.status} {answer!r:.500}")


@asynccontextmanager
async def posting(server: BenchServer) -> AsyncIterator[Poster]:
    """Connect until the block ends."""
    async with AsyncExitStack() as stack:
        yield Poster(server.address, stack)


async def new_board(poster: Poster, cards: int = 0) -> str:
    """Make a new board and return its id. With `cards`, all of them are in `FIRST_COLUMN`."""
    board = f"bench-{uuid4()}"
    events = [_created(board)]
    if cards:
        events.append(event("board.state.changed", {"boardId": board, "state": _state(cards)}, _AT))
    await poster.send(poster.events(events))
    return board


async def new_boards(poster: Poster, count: int) -> str:
    """Make many boards; return their common prefix, which each number in six digits completes to an id."""
    prefix = f"bench-{uuid4()}-"
    for start in range(0, count, MAX_EVENTS):
        numbers = range(start, min(start + MAX_EVENTS, count))
        await poster.send(poster.events(_created(f"{prefix}{number:06}") for number in numbers))
    return prefix


def stamped(request: bytes, published_ns: int) -> bytes:
    """Return a request of log lines with the time of publication in each line."""
    return request.replace(_NO_STAMP, (_STAMP % published_ns).encode())


def titled(number: int) -> str:
    """Return the title that the load client counts."""
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
