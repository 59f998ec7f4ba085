"""A reader that leaves, dies, stalls, and comes back with its cursor, through the exit it left by or another."""

from __future__ import annotations

from collections.abc import Awaitable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from tests.equivalence.graphql_readers import (
    GraphqlDistinctStream,
    GraphqlMultipart,
    GraphqlReader,
    GraphqlSingleStream,
    GraphqlSocket,
    OlderGraphqlSocket,
)
from tests.equivalence.raw_readers import (
    RawBoardSocket,
    RawBoardStream,
    RawDashboardSocket,
    RawDashboardStream,
    RawReader,
)
from tests.equivalence.reader import Reader
from tests.faults.accounts import Accounts
from tests.faults.copies import Copy
from tests.faults.lost import LOST
from tests.faults.processes import Life
from tests.faults.selector import DOCUMENTS, Place, place_of, told
from tests.faults.steps import Steps
from tests.kit.raw_http import Address

__all__ = ["BOARD", "DASHBOARD", "EXITS", "ONLY_STATES", "STRANGE", "Goal", "Leg", "Wanderer", "make_reader"]

_T = TypeVar("_T")
BOARD = "board"
DASHBOARD = "dashboardEvents"
#: What tells of changes of the board and of nothing else.
ONLY_STATES = ("boardChanges", "boardState")
#: Exits by which a reader can go on where it stood, whichever it left by.
RAW_EXITS: Mapping[str, type[RawReader]] = {
    "board-ws": RawBoardSocket,
    "board-sse": RawBoardStream,
    "dashboard-ws": RawDashboardSocket,
    "dashboard-sse": RawDashboardStream,
}
GRAPHQL_EXITS: Mapping[str, type[GraphqlReader]] = {
    "graphql-ws": GraphqlSocket,
    "older-graphql-ws": OlderGraphqlSocket,
    "graphql-sse": GraphqlDistinctStream,
    "graphql-sse-single": GraphqlSingleStream,
    "graphql-multipart": GraphqlMultipart,
}
#: What GraphQL's exits subscribe to → the exits that tell the same, and in the same places.
EXITS = {
    "boardEvents": ("board-ws", "board-sse", *GRAPHQL_EXITS),
    "boardChanges": tuple(GRAPHQL_EXITS),
    "boardState": tuple(GRAPHQL_EXITS),
    DASHBOARD: ("dashboard-ws", "dashboard-sse", *GRAPHQL_EXITS),
}
#: Cursors to which nothing leads → the reason of the gap.
STRANGE: Mapping[str, str] = {"epoch": "epoch_changed", "board": "other_board", "future": "invalid_cursor"}


@dataclass(frozen=True)
class Leg:
    """Part of a reader's way: it comes by `exit`, reads, may stall and read as much again, and goes."""

    exit: str
    #: Events to read; less when the end comes before.
    reads: int
    #: The writers' step at which it begins to read again.
    stalls_until: int | None = None
    crashes: bool = True
    #: What is wrong with the cursor it comes with.
    strange: str | None = None
    #: Of a raw exit: more of its query, from an `&` on.
    options: str = ""


@dataclass
class Goal:
    """The place of a state, where all readers have to arrive; nobody knows before the writers are done.

    A later state may have taken its place while it waited. Readers of a dashboard are there when an event is.
    """

    place: Place | None = None


class _Lost(Exception):
    """The connection ended."""


class Wanderer:
    """One reader of a board."""

    def __init__(
        self, life: Life, field: str, written: Steps, heard: Steps, goal: Goal, gaps: Collection[str] = ()
    ) -> None:
        """Read `BOARD` on the server of `life`, stall until the writers have `written`; `gaps` as in `Accounts`.

        `field` is what GraphQL's exits subscribe to.
        """
        self.accounts = Accounts(gaps, only_states=field in ONLY_STATES)
        self._life = life
        self._field = field
        self._copy = Copy()
        self._written = written
        self._heard = heard
        self._goal = goal
        self._may_end = bool(gaps)

    async def travel(self, legs: Sequence[Leg]) -> None:
        """Go all legs, and through the last one's exit to the goal."""
        for leg in legs:
            await self._walk(leg, leg.reads)
        while not self._has_arrived():
            await self._walk(legs[-1], None)

    async def _walk(self, leg: Leg, reads: int | None) -> None:
        up = await self._life.serving()
        reader = make_reader(leg.exit, self._life.address, self._field, leg.options)
        try:
            await self._come(reader, leg.exit, leg.strange if reads is not None else None)
            await self._read(reader, reads)
            if reads is not None and leg.stalls_until is not None:
                await self._written.reached(leg.stalls_until)
                await self._read(reader, reads)
            if leg.crashes:
                await reader.crash()
        except _Lost as lost:
            if not self._may_end and self._life.has_been_up_since(up):
                raise AssertionError(f"{leg.exit} ended although the server runs") from lost
        finally:
            self.accounts.disconnected()
            await reader.aclose()

    async def _come(self, reader: Reader, exit: str, strange: str | None) -> None:
        # What a dashboard's socket is asked for in its address is ignored, as the original did.
        after, gap = self.accounts.cursor if exit != "dashboard-ws" else None, None
        if strange and after is not None:
            after, gap = _mangled(after, strange), STRANGE[strange]
        if self._field == "boardState":  # which is no place to go on
            await _unless_lost(reader.open())
            self.accounts.begun_anew()
            return
        await _unless_lost(reader.open(after))
        self.accounts.connected(after, told(await _unless_lost(reader.event()), self._copy), gap)

    async def _read(self, reader: Reader, count: int | None) -> None:
        while count != 0 and not self._has_arrived():
            event = told(await _unless_lost(reader.event()), self._copy)
            if event.type == "goodbye":
                assert event.words[0] == "server_shutdown" or self._may_end, f"unexpected {event}"
            if event.type in {"goodbye", "heartbeat"}:
                continue
            self.accounts.take(event)
            self._heard.done()
            count = None if count is None else count - 1

    def _has_arrived(self) -> bool:
        at = self.accounts.state_at
        if self._field == DASHBOARD and self.accounts.cursor is not None:
            at = place_of(self.accounts.cursor)
        return self._goal.place is not None and at is not None and at >= self._goal.place


def make_reader(
    exit: str, address: Address, field: str = "boardEvents", options: str = "", board_id: str = BOARD
) -> Reader:
    """Return a reader that is not connected yet."""
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


async def _unless_lost(waiting: Awaitable[_T]) -> _T:
    try:
        return await waiting
    except LOST as error:
        raise _Lost from error
