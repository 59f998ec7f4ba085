"""A client that leaves, crashes, stalls, and reconnects with its cursor, at the same exit or another."""

from __future__ import annotations

from collections.abc import Awaitable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import anyio

from tests.equivalence.graphql_subscribers import (
    GraphqlDistinctStream,
    GraphqlMultipart,
    GraphqlSingleStream,
    GraphqlSocket,
    GraphqlSubscriber,
    OlderGraphqlSocket,
)
from tests.equivalence.raw_subscribers import (
    RawBoardSocket,
    RawBoardStream,
    RawDashboardSocket,
    RawDashboardStream,
    RawSubscriber,
)
from tests.equivalence.subscriber import Subscriber
from tests.faults.copies import Copy
from tests.faults.disconnects import DISCONNECTS
from tests.faults.processes import ManagedServer
from tests.faults.received_events import DOCUMENTS, Place, place_of, received
from tests.faults.steps import Steps
from tests.faults.transcript import Transcript
from tests.kit.raw_http import Address

__all__ = ["BOARD", "DASHBOARD", "EXITS", "ONLY_STATES", "STRANGE", "Goal", "Leg", "Wanderer", "make_subscriber"]

_T = TypeVar("_T")
BOARD = "board"
DASHBOARD = "dashboardEvents"
#: Subscriptions that contain changes of the board and nothing else.
ONLY_STATES = ("boardChanges", "boardState")
#: Exits at which a client can continue from its cursor, whichever exit it used before.
RAW_EXITS: Mapping[str, type[RawSubscriber]] = {
    "board-ws": RawBoardSocket,
    "board-sse": RawBoardStream,
    "dashboard-ws": RawDashboardSocket,
    "dashboard-sse": RawDashboardStream,
}
GRAPHQL_EXITS: Mapping[str, type[GraphqlSubscriber]] = {
    "graphql-ws": GraphqlSocket,
    "older-graphql-ws": OlderGraphqlSocket,
    "graphql-sse": GraphqlDistinctStream,
    "graphql-sse-single": GraphqlSingleStream,
    "graphql-multipart": GraphqlMultipart,
}
#: GraphQL subscription → the exits that send the same events at the same places.
EXITS = {
    "boardEvents": ("board-ws", "board-sse", *GRAPHQL_EXITS),
    "boardChanges": tuple(GRAPHQL_EXITS),
    "boardState": tuple(GRAPHQL_EXITS),
    DASHBOARD: ("dashboard-ws", "dashboard-sse", *GRAPHQL_EXITS),
}
#: Kinds of invalid cursors → the reason of the gap.
STRANGE: Mapping[str, str] = {"epoch": "epoch_changed", "board": "other_board", "future": "invalid_cursor"}


@dataclass(frozen=True)
class Leg:
    """A part of a client's journey: it connects to `exit`, reads, may stall and read as much again, and leaves."""

    exit: str
    #: Events to read. The client reads fewer if the end comes first.
    reads: int
    #: The writers' step at which the client reads again.
    stalls_until: int | None = None
    crashes: bool = True
    #: The kind of invalid cursor that it sends.
    strange: str | None = None
    #: More of a raw exit's query, beginning with `&`.
    options: str = ""
    #: Which of the servers it connects to.
    node: int = 0


@dataclass
class Goal:
    """The place of a state that all clients must reach. It is unknown until the writers have finished.

    A later state may have replaced it in a queue. For a dashboard it is the place of an event.
    """

    place: Place | None = None


class _Disconnected(Exception):
    """The connection ended."""


class Wanderer:
    """One client of a board."""

    def __init__(
        self,
        servers: Sequence[ManagedServer],
        field: str,
        written: Steps,
        received: Steps,
        goal: Goal,
        gaps: Collection[str] = (),
        board_id: str = BOARD,
    ) -> None:
        """Read a board on `servers`; stall until the writers have `written`. `gaps` as in `Transcript`.

        `field` is the subscription at GraphQL's exits.
        """
        self.field = field
        self.transcript = Transcript(gaps, only_states=field in ONLY_STATES)
        self._servers = servers
        self._board_id = board_id
        self._copy = Copy()
        self._written = written
        self._received = received
        self._goal = goal
        self._may_end = bool(gaps)
        self._is_stalled = False
        #: Set when the client reads an event or begins to stall.
        self._news = anyio.Event()

    async def travel(self, legs: Sequence[Leg]) -> None:
        """Go through all legs, then through the exit of the last leg to the goal."""
        for leg in legs:
            await self._walk(leg, leg.reads)
        while not self._has_arrived():
            await self._walk(legs[-1], None)

    async def _walk(self, leg: Leg, reads: int | None) -> None:
        server = self._servers[leg.node]
        up = await server.serving()
        subscriber = make_subscriber(leg.exit, server.address, self.field, leg.options, self._board_id)
        try:
            await self._come(subscriber, leg.exit, leg.strange if reads is not None else None)
            await self._read(subscriber, reads)
            if reads is not None and leg.stalls_until is not None:
                await self._stall(leg.stalls_until)
                await self._read(subscriber, reads)
            if leg.crashes:
                await subscriber.crash()
        except _Disconnected as lost:
            if not self._may_end and server.has_been_up_since(up):
                raise AssertionError(f"{leg.exit} of node {leg.node} ended although the server runs") from lost
        finally:
            self.transcript.disconnected()
            await subscriber.aclose()

    async def reaches(self, place: Place) -> None:
        """Wait until the client has read up to `place`. While it stalls, do not wait."""
        while not self._is_stalled and not self._is_at(place):
            self._news = anyio.Event()
            await self._news.wait()

    async def _stall(self, until: int) -> None:
        self._is_stalled = True
        self._news.set()
        await self._written.reached(until)
        self._is_stalled = False

    async def _come(self, subscriber: Subscriber, exit: str, strange: str | None) -> None:
        # The dashboard's socket ignores a cursor in its address, as the original server did.
        after, gap = self.transcript.cursor if exit != "dashboard-ws" else None, None
        if strange and after is not None:
            after, gap = _mangled(after, strange), STRANGE[strange]
        if self.field == "boardState":  # it cannot continue from a cursor
            await _unless_disconnected(subscriber.open())
            self.transcript.begun_anew()
            return
        await _unless_disconnected(subscriber.open(after))
        self.transcript.connected(after, received(await _unless_disconnected(subscriber.event()), self._copy), gap)

    async def _read(self, subscriber: Subscriber, count: int | None) -> None:
        while count != 0 and not self._has_arrived():
            event = received(await _unless_disconnected(subscriber.event()), self._copy)
            if event.type == "goodbye":
                assert event.words[0] == "server_shutdown" or self._may_end, f"unexpected {event}"
            if event.type in {"goodbye", "heartbeat"}:
                continue
            self.transcript.take(event)
            self._received.done()
            self._news.set()
            count = None if count is None else count - 1

    def _has_arrived(self) -> bool:
        return self._goal.place is not None and self._is_at(self._goal.place)

    def _is_at(self, place: Place) -> bool:
        at = self.transcript.state_at
        if self.field == DASHBOARD and self.transcript.cursor is not None:
            at = place_of(self.transcript.cursor)
        return at is not None and at >= place


def make_subscriber(
    exit: str, address: Address, field: str = "boardEvents", options: str = "", board_id: str = BOARD
) -> Subscriber:
    """Return a subscriber that is not connected yet."""
    of = board_id if field != DASHBOARD else ""
    if exit in RAW_EXITS:
        raw = RAW_EXITS[exit](address, of)
        raw.options = options
        return raw
    return GRAPHQL_EXITS[exit](address, of, DOCUMENTS[field])


def _mangled(cursor: str, strange: str) -> str:
    epoch, tag, place, global_offset = cursor.split("-")
    match strange:
        case "epoch":
            epoch = epoch[::-1] + "0"
        case "board":
            tag = "00000000"
        case _:
            place = f"{int(place.partition('.')[0]) + 100_000}"
    return f"{epoch}-{tag}-{place}-{global_offset}"


async def _unless_disconnected(waiting: Awaitable[_T]) -> _T:
    try:
        return await waiting
    except DISCONNECTS as error:
        raise _Disconnected from error
