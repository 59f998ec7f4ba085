"""The cases: what is run beside whom, and what is to be reached. How each is measured is in `measures`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from tests.bench.exits import BOARD_STATE, NUMBER, board_socket, board_stream, graphql_socket
from tests.bench.measures import FanOut, Figures, Idle, ManyBoards, MovedCard, RenamedCard
from tests.bench.overviews import Overviews
from tests.bench.servers import BenchServer

__all__ = ["CASES", "Case"]

#: A peer that takes minutes for what takes the others a second is run once.
_ONCE = 1
_USUAL = 1000


@dataclass(frozen=True)
class Case:
    """A table: what is run, and whom beside."""

    title: str
    run: Callable[[BenchServer], Awaitable[Figures]]
    #: What the first column is to reach.
    reach: str
    #: Name of each peer → most runs.
    peers: Mapping[str, int] = field(default_factory=dict)


def _distinct(board: str) -> str:
    # Another name for a field makes another document, with the same work behind it.
    return BOARD_STATE.replace("cards {", f"cards{NUMBER} : cards {{")


CASES = {
    "websocket": Case(
        "Raw WebSocket: 1,000 sockets on one board, 1,000 attempt_log of 200 bytes in batches of 100",
        FanOut(board_socket, readers=1000, events=1000, batch=100).run,
        "2,000,000 delivered per second, 0.5 µs server CPU per delivered",
        {"node": _USUAL},
    ),
    "websocket-paced": Case(
        "Raw WebSocket: 1,000 sockets on one board, 400 attempt_log, one each 5 ms",
        FanOut(board_socket, readers=1000, events=400, batch=1, pause_seconds=0.005).run,
        "at most Node's CPU per delivered, p99 of 20 ms",
        {"node": _USUAL},
    ),
    "sse": Case(
        "Raw SSE: 1,000 streams of one board, 1,000 attempt_log in batches of 100",
        FanOut(board_stream, readers=1000, events=1000, batch=100).run,
        "within 1.2 × of our raw WebSocket",
        {"node": _USUAL},
    ),
    "sse-paced": Case(
        "Raw SSE: 1,000 streams of one board, 400 attempt_log, one each 5 ms",
        FanOut(board_stream, readers=1000, events=400, batch=1, pause_seconds=0.005).run,
        "within 1.2 × of our raw WebSocket",
        {"node": _USUAL},
    ),
    "graphql": Case(
        "GraphQL boardState of 200 cards: 1,000 equal subscriptions over graphql-transport-ws, 3 titles changed",
        RenamedCard(graphql_socket, readers=1000, cards=200, renamed=3).run,
        "CPU per delivered: a 300th of stock Strawberry's, a 20th of Yoga's and Mercurius'",
        {"yoga": _USUAL, "mercurius": _USUAL, "strawberry": _ONCE},
    ),
    "graphql-documents": Case(
        "GraphQL boardState of 200 cards: 100 documents, 10 subscriptions each, 3 titles changed",
        RenamedCard(lambda board: graphql_socket(board, _distinct(board), 10), readers=1000, cards=200, renamed=3).run,
        "at most graphql-js' CPU per execution",
        {"graphql-js": _USUAL},
    ),
    "move": Case(
        "A card moved on a board of 2,000 (10 in turn), 100 raw WebSockets with delivery=state",
        MovedCard(board_socket, '{"type":"state"', begins_with=1, readers=100, cards=2000, moves=10).run,
        "15 ms to the last reader",
    ),
    "dashboard": Case(
        "The dashboard over 100,000 attempts of 60 days, on 50 boards with 10,000 cards",
        Overviews(attempts=100_000, looks=30).run,
        "20 ms per overview, off the event loop's critical path",
    ),
    "idle-websocket": Case(
        "Idle: 10,000 raw WebSockets on one board",
        Idle(board_socket, connections=10_000).run,
        "20 KiB resident per connection",
        {"node": _USUAL},
    ),
    "idle-graphql": Case(
        "Idle: 10,000 boardState subscriptions over graphql-transport-ws",
        Idle(graphql_socket, connections=10_000).run,
        "30 KiB resident per connection",
    ),
    "many-boards": Case(
        "10,000 boards with one raw WebSocket each, one event on each; beside it as many on one board",
        ManyBoards(10_000).run,
        "1.3 × the cost of an event on one board",
    ),
    "ingest": Case(
        "Ingest: 10,000 attempt_log in batches of 100, stored and delivered to 1 raw WebSocket",
        FanOut(board_socket, readers=1, events=10_000, batch=100).run,
        "20,000 per second",
    ),
}
