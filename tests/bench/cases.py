"""The cases: what runs on which servers, and the targets. `measures` has the measurements themselves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from tests.bench.checks import Check, Figures
from tests.bench.exits import (
    BOARD_STATE,
    NUMBER,
    Opening,
    board_socket,
    board_stream,
    deflated_socket,
    graphql_socket,
    titles_socket,
)
from tests.bench.measures import CPU, RATE, FanOut, Idle, ManyBoards, MovedCard, Opener, RenamedCard
from tests.bench.overviews import Overviews
from tests.bench.pages import FIRST_LOAD, first_visit
from tests.bench.servers import BOARDCAST, BenchServer
from tests.bench.starting import STARTED, first_answer
from tests.bench.writing import (
    REQUEST_CPU,
    REQUESTS,
    Writes,
    card_mutations,
    card_titles,
    health,
    line_batches,
    log_lines,
)
from tests.clients.requirements import find_missing

__all__ = ["FULL", "QUICK", "Case", "Rival", "Run", "Sizes", "cases"]

#: One measurement of a server.
Run = Callable[[BenchServer], Awaitable[Figures]]


@dataclass(frozen=True)
class Rival:
    """Another column of a table: a peer, or another exit of Boardcast."""

    server: str
    #: The measurement. None: the same as in the first column.
    run: Run | None = None
    #: The name of the column. Empty: the name of the server.
    name: str = ""
    #: Whether a warm-up run comes first. A server that needs a minute where others need a second has none.
    warm: bool = True
    #: Whether its messages have as many bytes as those of the first column.
    same_bytes: bool = True

    @property
    def column(self) -> str:
        """The name of the column."""
        return self.name or self.server


@dataclass(frozen=True)
class Case:
    """A table: the measurement, the other columns, and the targets."""

    title: str
    run: Run
    checks: Sequence[Check]
    rivals: Sequence[Rival] = ()
    #: Whether each run has a new server, for figures that an earlier run would change.
    fresh: bool = False


@dataclass(frozen=True)
class Sizes:
    """How large the cases are."""

    #: Subscribers of the fan-out and GraphQL cases.
    subscribers: int
    #: Log lines in batches, log lines one by one, lines for one subscriber; and events of one batch.
    lines: int
    paced_lines: int
    ingested_lines: int
    batch: int
    #: Cards of a GraphQL state, renamed titles, and subscriptions per document where documents differ.
    cards: int
    renamed: int
    alike: int
    #: Subscribers, cards and moves of the moved card.
    move_subscribers: int
    move_cards: int
    moves: int
    #: Attempts in the dashboard, and requests for it.
    attempts: int
    looks: int
    #: Idle connections, and boards.
    idle: int
    boards: int
    #: Connections that write at the same time, and requests of each.
    writers: int
    writes: int


FULL = Sizes(
    subscribers=1000,
    lines=1000,
    paced_lines=400,
    ingested_lines=10_000,
    batch=100,
    cards=200,
    renamed=3,
    alike=10,
    move_subscribers=100,
    move_cards=2000,
    moves=10,
    attempts=100_000,
    looks=30,
    idle=10_000,
    boards=10_000,
    writers=64,
    writes=300,
)
#: For `--quick` and the test suite: each case runs and must lose nothing, but the figures mean nothing.
QUICK = Sizes(
    subscribers=8,
    lines=20,
    paced_lines=10,
    ingested_lines=40,
    batch=8,
    cards=5,
    renamed=2,
    alike=2,
    move_subscribers=3,
    move_cards=5,
    moves=2,
    attempts=50,
    looks=4,
    idle=8,
    boards=8,
    writers=4,
    writes=5,
)

_NODE = Rival("node")
_FASTIFY, _YOGA_STORED, _UVICORN = Rival("fastify"), Rival("yoga-stored"), Rival("uvicorn")
_OUR_WEBSOCKET = f"{BOARDCAST} websocket"
_PACE_SECONDS = 0.005
_GRAPHIQL = Case("GraphiQL in Chromium, the first visit", first_visit, [Check(FIRST_LOAD, "<=", 600)])


def cases(sizes: Sizes) -> dict[str, Case]:
    """Return the cases by name."""
    parts = (_fan_out, _graphql, _compressed, _changes, _idle, _events, _writes)
    made = {name: case for part in parts for name, case in part(sizes).items()}
    # A page needs a browser.
    return made if find_missing(with_chromium=True) else {**made, "graphiql": _GRAPHIQL}


def _fan_out(sizes: Sizes) -> dict[str, Case]:
    subscribers = f"{sizes.subscribers:,} subscribers of one board"
    what = f"{subscribers}, {sizes.lines:,} attempt_log of 200 bytes in batches of {sizes.batch}"
    paced = f"{subscribers}, {sizes.paced_lines:,} attempt_log of 200 bytes, one each 5 ms"

    def fast(opener: Opener) -> Run:
        return FanOut(opener, sizes.subscribers, sizes.lines, sizes.batch).run

    def slow(opener: Opener) -> Run:
        return FanOut(opener, sizes.subscribers, sizes.paced_lines, 1, _PACE_SECONDS).run

    ours, node = (BOARDCAST, _OUR_WEBSOCKET), (BOARDCAST, _NODE.column)
    return {
        "websocket": Case(
            f"Raw WebSocket: {what}",
            fast(board_socket),
            [Check(RATE, ">=", 2_000_000), Check(CPU, "<=", 0.5)],
            [_NODE],
        ),
        "websocket-paced": Case(
            f"Raw WebSocket: {paced}",
            slow(board_socket),
            [Check(CPU, "<=", 1.0, node), Check("p99 ms", "<=", 20)],
            [_NODE],
        ),
        "sse": Case(
            f"Raw SSE: {what}",
            fast(board_stream),
            [Check(RATE, "<=", 1.2, (_OUR_WEBSOCKET, BOARDCAST)), Check(CPU, "<=", 1.2, ours)],
            [Rival(BOARDCAST, fast(board_socket), _OUR_WEBSOCKET), _NODE],
        ),
        "sse-paced": Case(
            f"Raw SSE: {paced}",
            slow(board_stream),
            [Check(CPU, "<=", 1.2, ours), Check("p99 ms", "<=", 1.2, ours)],
            [Rival(BOARDCAST, slow(board_socket), _OUR_WEBSOCKET), _NODE],
        ),
    }


def _graphql(sizes: Sizes) -> dict[str, Case]:
    documents, how = sizes.subscribers // sizes.alike, f"over graphql-transport-ws, {sizes.renamed} titles changed"
    return {
        "graphql": Case(
            f"GraphQL boardState of {sizes.cards} cards: {sizes.subscribers:,} equal subscriptions {how}",
            RenamedCard(graphql_socket, sizes.subscribers, sizes.cards, sizes.renamed, alike=sizes.subscribers).run,
            [
                Check(CPU, ">=", 300, ("strawberry", BOARDCAST)),
                Check(CPU, ">=", 20, ("yoga", BOARDCAST)),
                Check(CPU, ">=", 20, ("mercurius", BOARDCAST)),
            ],
            [Rival("yoga"), Rival("mercurius"), Rival("strawberry", warm=False)],
        ),
        "graphql-documents": Case(
            f"GraphQL boardState of {sizes.cards} cards: {documents} documents x {sizes.alike} subscriptions {how}",
            RenamedCard(_distinct(sizes.alike), sizes.subscribers, sizes.cards, sizes.renamed, sizes.alike).run,
            [Check("server CPU µs per execution", "<=", 1.0, (BOARDCAST, "graphql-js"))],
            [Rival("graphql-js")],
        ),
    }


def _compressed(sizes: Sizes) -> dict[str, Case]:
    what = f"a state of {sizes.cards} cards to {sizes.subscribers:,} raw WebSockets, {sizes.renamed} titles changed"
    shape = sizes.subscribers, sizes.cards, sizes.renamed
    plain = f"{BOARDCAST} without"
    return {
        "compressed-websocket": Case(
            f"permessage-deflate: {what}",
            RenamedCard(deflated_socket, *shape, alike=sizes.subscribers).run,
            [Check("bytes per delivered", "<=", 9_000), Check(CPU, "<=", 1.3, (BOARDCAST, plain))],
            [
                Rival(
                    BOARDCAST, RenamedCard(titles_socket, *shape, alike=sizes.subscribers).run, plain, same_bytes=False
                )
            ],
        ),
    }


def _distinct(alike: int) -> Opener:
    # An alias for a field makes a different document with the same work.
    document = BOARD_STATE.replace("cards {", f"cards{NUMBER} : cards {{")
    return lambda board: graphql_socket(board, document, alike)


def _changes(sizes: Sizes) -> dict[str, Case]:
    subscribers, cards, moves = sizes.move_subscribers, sizes.move_cards, sizes.moves
    what = f"A card moved on a board of {cards:,} ({moves} in turn), {subscribers} raw WebSockets with delivery="
    last = "ms to the last subscriber, median"

    def changes(board: str) -> Opening:
        return board_socket(board, "&delivery=changes")

    return {
        "move": Case(
            f"{what}state",
            MovedCard(board_socket, '{"type":"state"', 1, subscribers, cards, moves).run,
            [Check(last, "<=", 15)],
        ),
        "move-changes": Case(
            f"{what}changes",
            MovedCard(changes, '{"type":"card_moved"', 0, subscribers, cards, moves).run,
            [Check(last, "<=", 3)],
        ),
        "dashboard": Case(
            f"The dashboard over {sizes.attempts:,} attempts of 60 days, on 50 boards with 10,000 cards",
            Overviews(sizes.attempts, sizes.looks).run,
            [
                Check("ms per overview, last 7 days", "<=", 20),
                Check("ms per overview, all time", "<=", 20),
                # If overviews ran on the event loop, nearly every pong would wait for one.
                Check("ms to a pong meanwhile, p90", "<=", 5),
            ],
        ),
    }


def _idle(sizes: Sizes) -> dict[str, Case]:
    figure = "KiB per connection"
    return {
        "idle-websocket": Case(
            f"Idle: {sizes.idle:,} raw WebSockets on one board",
            Idle(board_socket, sizes.idle).run,
            [Check(figure, "<=", 20)],
            [_NODE],
            fresh=True,
        ),
        "idle-compressed": Case(
            f"Idle: {sizes.idle:,} raw WebSockets on one board that have agreed to permessage-deflate",
            Idle(deflated_socket, sizes.idle).run,
            [Check(figure, "<=", 1.05, (BOARDCAST, f"{BOARDCAST} without"))],
            [Rival(BOARDCAST, Idle(board_socket, sizes.idle).run, f"{BOARDCAST} without")],
            fresh=True,
        ),
        "idle-graphql": Case(
            f"Idle: {sizes.idle:,} boardState subscriptions over graphql-transport-ws",
            Idle(graphql_socket, sizes.idle).run,
            [Check(figure, "<=", 30)],
            fresh=True,
        ),
    }


def _events(sizes: Sizes) -> dict[str, Case]:
    lines, batch = sizes.ingested_lines, sizes.batch
    return {
        "many-boards": Case(
            f"{sizes.boards:,} boards with one raw WebSocket each, one event on each; then as many on one board",
            ManyBoards(sizes.boards).run,
            [Check("many : one, one a request", "<=", 1.3), Check("many : one, in batches", "<=", 1.3)],
        ),
        "ingest": Case(
            f"Ingest: {lines:,} attempt_log in batches of {batch}, stored and delivered to 1 subscriber",
            FanOut(board_socket, 1, lines, batch).run,
            [Check(RATE, ">=", 25_000)],
            [Rival(_FASTIFY.server, same_bytes=False)],
        ),
    }


def _writes(sizes: Sizes) -> dict[str, Case]:
    writers, writes = sizes.writers, sizes.writes
    ratio = (BOARDCAST, _FASTIFY.column)
    return {
        "single-events": Case(
            f"One event a POST, {writers} connections, one board; peer: fastify, better-sqlite3, ws",
            Writes(log_lines, writers, writes, boards=1).run,
            [Check(REQUESTS, ">=", 1.0, ratio), Check(REQUEST_CPU, "<=", 1.0, ratio)],
            [_FASTIFY],
        ),
        "one-writer": Case(
            "One event a POST, one connection",
            Writes(log_lines, 1, 10 * writes, boards=1).run,
            [Check("p50 ms", "<=", 0.6)],
            [_FASTIFY],
        ),
        "card-titles": Case(
            f"PATCH of a card, {writers} connections, {writers} boards that nobody watches",
            Writes(card_titles, writers, writes, boards=writers, cards=2).run,
            [Check(REQUESTS, ">=", 3_000)],
            [_FASTIFY],
        ),
        "card-mutations": Case(
            f"updateCard by GraphQL, {writers} connections, {writers} boards; peer: Yoga with the store of fastify",
            Writes(card_mutations, writers, writes, writers, cards=2, mark=b"UpdateCardPayload").run,
            [Check(REQUESTS, ">=", 1.5, (BOARDCAST, _YOGA_STORED.column))],
            [_YOGA_STORED],
        ),
        "batches": Case(
            f"{sizes.batch} attempt_log a POST, one connection, nobody watches the board",
            Writes(line_batches(sizes.batch), 1, writes, boards=1).run,
            [Check(REQUESTS, ">=", 0.9, ratio)],
            [_FASTIFY],
        ),
        "healthz": Case(
            f"GET /api/v1/healthz, {writers} connections; peer: an application of ten lines under uvicorn",
            Writes(health, writers, writes, boards=0).run,
            [Check(REQUEST_CPU, "<=", 1.6, (BOARDCAST, _UVICORN.column))],
            [_UVICORN],
        ),
        "start": Case("From the command to the first answer", first_answer, [Check(STARTED, "<=", 1.0)]),
    }
