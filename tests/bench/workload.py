"""What the cases send: boards, cards, numbered log lines, over one connection that is kept.

Every line and title begins with `#` and its number; the marks that `readers` look for are made here too.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from uuid import uuid4

import orjson

from tests.bench.readers import Reader
from tests.bench.servers import BenchServer
from tests.kit.publishing import event
from tests.kit.raw_http import Address, Connection, connect, request_bytes
from tests.kit.recordings import Json

__all__ = [
    "EVENTS_PATH",
    "FIRST_COLUMN",
    "STRAY_LINE",
    "Poster",
    "card_body",
    "card_marks",
    "line_marks",
    "lines_body",
    "new_board",
    "posting",
]

EVENTS_PATH = "/api/v1/events"
FIRST_COLUMN = "col-1"
#: In a message that is not the next in turn this is a line that was lost, repeated or overtaken.
STRAY_LINE = b'"message":"#'

_AT = "2025-01-02T03:04:05.678Z"
#: Makes a WebSocket frame of about 200 bytes, cursor included.
_LINE_CHARS = 43


class Poster:
    """Sends requests one after the other on one connection."""

    def __init__(self, connection: Connection, address: Address) -> None:
        """Send on `connection`."""
        self._connection = connection
        self._host = f"{address[0]}:{address[1]}"

    async def post(self, path: str, body: bytes) -> None:
        """Send one request and read its answer, which must be of the 2xx kind."""
        headers = [("Host", self._host), ("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        await self._connection.send(request_bytes("POST", path, headers, body))
        head = await self._connection.read_head()
        answer = await self._connection.read_body(head, method="POST")
        if head.status // 100 != 2:
            raise RuntimeError(f"expected the server to accept {path}, got {head.status} {answer!r:.500}")


@asynccontextmanager
async def posting(server: BenchServer) -> AsyncIterator[Poster]:
    """Connect for the length of the block."""
    async with connect(server.address) as connection:
        yield Poster(connection, server.address)


async def new_board(poster: Poster, cards: int = 0) -> str:
    """Make a board that nobody knows yet and return its id; with `cards`, all of them are in `FIRST_COLUMN`."""
    board = f"bench-{uuid4()}"
    project = {"projectId": board, "name": "Bench", "repositoryPath": f"/repositories/{board}"}
    events = [event("project.created", project, _AT)]
    if cards:
        events.append(event("board.state.changed", {"boardId": board, "state": _state(cards)}, _AT))
    await poster.post(EVENTS_PATH, orjson.dumps(events))
    return board


def lines_body(board: str, numbers: Iterable[int]) -> bytes:
    """Return the body of a batch of numbered log lines."""
    attempt = {"boardId": board, "attemptId": "att-bench", "level": "info"}
    texts = (f"#{number:06} ".ljust(_LINE_CHARS, ".") for number in numbers)
    return orjson.dumps([event("attempt.log.appended", {**attempt, "message": text, "ts": _AT}) for text in texts])


def line_marks(kind: type[Reader], count: int) -> list[bytes]:
    """Return the marks of the snapshot and of `count` lines, as `kind` gets them."""
    return [kind.snapshot, *(b'"message":"#%06d ' % number for number in range(count))]


def card_body(number: int) -> bytes:
    """Return the body that creates a numbered card."""
    return orjson.dumps({"columnId": FIRST_COLUMN, "title": f"#{number:06} a new card"})


def card_marks(kind: type[Reader], count: int) -> list[bytes]:
    """Return the marks of the snapshot and of the states that first hold each of `count` cards."""
    return [kind.snapshot, *(b'"title":"#%06d ' % number for number in range(count))]


def _state(cards: int) -> Json:
    ids = [f"card-{number:06}" for number in range(cards)]
    columns = {FIRST_COLUMN: {"id": FIRST_COLUMN, "title": "Backlog", "cardIds": ids}}
    return {"columns": columns, "columnOrder": [FIRST_COLUMN], "cards": {id: _card(id) for id in ids}}


def _card(id: str) -> Json:
    texts = {"title": f"Title of {id}", "description": "Some words about what is to be done here. " * 3}
    number = id.removeprefix("card-").lstrip("0") or "0"
    return {"id": id, "ticketKey": f"B-{number}", "ticketType": "feat", **texts, "createdAt": _AT, "updatedAt": _AT}
