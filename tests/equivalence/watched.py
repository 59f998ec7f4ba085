"""A board with a client on each of its exits, and the comparison of the received events with the expected ones."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tests.equivalence.comparing import assert_same
from tests.equivalence.graphql_subscribers import (
    BoardStateSubscriber,
    GraphqlDistinctStream,
    GraphqlMultipart,
    GraphqlSingleStream,
    GraphqlSocket,
    OlderGraphqlSocket,
    has_field,
)
from tests.equivalence.mapping import Json, graphql_event, state_shape
from tests.equivalence.model import BoardModel, Expected
from tests.equivalence.raw_subscribers import RawBoardSocket, RawBoardStream
from tests.equivalence.subscriber import Subscriber
from tests.kit.raw_http import Address

__all__ = ["EXITS", "WatchedBoard", "order_of"]

#: Clients of a board, in addition to the raw stream and the raw socket.
EXITS: tuple[type[Subscriber], ...] = (
    GraphqlSocket,
    OlderGraphqlSocket,
    GraphqlDistinctStream,
    GraphqlSingleStream,
    GraphqlMultipart,
)
_RAW = (RawBoardStream, RawBoardSocket)
_HEARTBEAT_SECONDS = 30.0
#: These events have no cursor of their own (docs/protocol.md, "Envelopes").
_WITHOUT_CURSOR = {"hello", "pong", "error", "access", "gap", "goodbye"}
_CURSOR = re.compile(r"(\w+-\w+)-(\d+)(?:\.(\d+))?-(\d+)\Z")


def order_of(cursor: str) -> tuple[str, tuple[int, int, int]]:
    """Return the epoch and board of a cursor, and its place there: offset, part, offset of the global log."""
    found = _CURSOR.match(cursor)
    assert found is not None, f"expected a cursor, got {cursor!r}"
    history, offset, part, global_offset = found.groups()
    return history, (int(offset), int(part or 0), int(global_offset))


class WatchedBoard:
    """The raw stream provides the cursors for the comparison of all exits. The model provides everything else."""

    def __init__(self, address: Address, model: BoardModel, exits: Sequence[type[Subscriber]] = EXITS) -> None:
        """Watch the board of `model`, over the raw exits, `boardState` and `exits`."""
        self.model = model
        self.address = address
        self.stream = RawBoardStream(address, model.id)
        self.socket = RawBoardSocket(address, model.id)
        self.subscribers: list[Subscriber] = [self.stream, self.socket, *(exit(address, model.id) for exit in exits)]
        self.states = BoardStateSubscriber(address, model.id)
        #: The expected events of all exits in this step.
        self.due: list[Expected] = []
        #: Events of the raw socket that were read early.
        self.early: list[Json] = []
        #: The cursor after the last event.
        self.cursor = ""
        #: The events since the clients connected, each with its cursor. The first entry is the position of the
        #: connection.
        self.history: list[tuple[Expected | None, str]] = []

    async def open(self, now: str) -> None:
        """Connect all clients and read the current state."""
        for subscriber in self.subscribers:
            await self.begin(subscriber, now)
        await self._begin_states()

    async def begin(self, subscriber: Subscriber, now: str, after: str | None = None) -> None:
        """Connect one client, with an earlier cursor if it has one, and compare its first events."""
        await subscriber.open(after)
        (first,) = await subscriber.take(1)
        if not self.cursor:
            self.cursor = first["payload"]["cursor"]
            self.history.append((None, self.cursor))
        due = self._beginning(now, after)
        if subscriber.token_end is not None:
            due.append((Expected("access", {"expiresAt": subscriber.token_end}), ""))
        shaped = self._shaped(subscriber, [one for one, _ in due], [cursor for _, cursor in due])
        assert_same(subscriber.exit, [first, *await subscriber.take(len(due) - 1)], shaped)

    async def compare(self) -> None:
        """Read the expected number of events from every exit, and compare."""
        due, self.due = self.due, []
        public = [one for one in due if not one.private]
        got = await self.stream.take(len(public))
        cursors = [str(event.get("cursor")) for event in got][: len(public)]
        known = [one.cursor or cursor for one, cursor in zip(public, cursors, strict=False)]
        known += [""] * (len(public) - len(known))
        assert_same(self.stream.exit, got, self._shaped(self.stream, public, known))
        self._check_cursors(cursors)
        self.history += zip(public, known, strict=True)
        await self._compare_socket(due, known)
        for subscriber in self.subscribers[len(_RAW) :]:
            assert_same(subscriber.exit, await subscriber.take(len(public)), self._shaped(subscriber, public, known))
        states = [(one, cursor) for one, cursor in zip(public, known, strict=True) if one.type == "state"]
        await self._compare_states(states)

    async def hear_pong(self) -> list[Json]:
        """Return the events of the raw socket before the pong; `compare` checks them with the rest."""
        while not self.early or self.early[-1]["type"] != "pong":
            self.early.append(await self.socket.event())
        return self.early

    async def come_back(self, chosen: int, now: str, after: str | None) -> None:
        """Reconnect a client, with a cursor if its exit accepts one."""
        subscriber = [*self.subscribers, self.states][chosen % (len(self.subscribers) + 1)]
        await subscriber.aclose()
        if subscriber is self.states:
            await self._begin_states()
        else:
            takes = isinstance(subscriber, _RAW) or has_field("boardEvents", "after")
            await self.begin(subscriber, now, after if takes else None)

    async def end(self, goodbye: Expected) -> None:
        """Check the end of every stream: the board is deleted."""
        for subscriber in self.subscribers:
            assert_same(subscriber.exit, [await subscriber.event()], self._shaped(subscriber, [goodbye], [None]))
            await subscriber.end()
        await self.states.end()
        await self.aclose()

    async def aclose(self) -> None:
        """Close all clients."""
        for subscriber in (*self.subscribers, self.states):
            await subscriber.aclose()

    async def _begin_states(self) -> None:
        await self.states.open()
        now = self._state(self.model.state_envelope(), self.cursor)
        assert_same(self.states.exit, [await self.states.event()], [now])

    async def _compare_socket(self, due: list[Expected], cursors: list[str]) -> None:
        """Compare the raw socket, which also gets replies to its messages."""
        early, self.early = self.early, []
        got = early + await self.socket.take(len(due) - len(early))
        public = iter(cursors)
        own = [one.cursor if one.private else next(public) for one in due]
        assert_same(self.socket.exit, got, self._shaped(self.socket, due, own))

    async def _compare_states(self, due: Sequence[tuple[Expected, str]]) -> None:
        """Compare `boardState`, which may leave out a state that is no longer the newest, and no other."""
        shaped = [self._state(one, cursor) for one, cursor in due]
        while shaped:
            state = await self.states.event()
            while shaped[0]["cursor"] != state["cursor"] and len(shaped) > 1:
                del shaped[0]
            assert_same(self.states.exit, [state], [shaped.pop(0)])

    def _check_cursors(self, cursors: list[str]) -> None:
        history, before = order_of(self.cursor)
        for cursor in cursors:
            own, place = order_of(cursor)
            assert own == history, f"{self.model.id}: cursor {cursor} is of another history than {self.cursor}"
            assert place > before, f"{self.model.id}: cursor {cursor} does not lie behind {before}"
            before = place
            self.cursor = cursor

    def _beginning(self, now: str, after: str | None) -> list[tuple[Expected, str]]:
        """Return a client's first events: the missed events, or the current state, after a gap if it sent a cursor."""
        hello = {"serverTime": now, "cursor": self.cursor, "heartbeatSeconds": _HEARTBEAT_SECONDS}
        places = [cursor for _, cursor in self.history]
        if after in places:
            missed = [(one, cursor) for one, cursor in self.history[places.index(after) + 1 :] if one]
            return [(Expected("hello", {**hello, "cursor": after}), ""), *missed]
        gap = Expected("gap", {"reason": "other_board", "from": after, "to": self.cursor})
        due = [Expected("hello", hello), *([gap] if after is not None else []), *self.model.snapshot()]
        return [(one, self.cursor) for one in due]

    def _shaped(self, subscriber: Subscriber, due: Sequence[Expected], cursors: Sequence[str | None]) -> list[Json]:
        own = [None if one.type in _WITHOUT_CURSOR else cursor for one, cursor in zip(due, cursors, strict=True)]
        pairs = zip(due, own, strict=True)
        if isinstance(subscriber, _RAW):
            return [{"type": one.type, "payload": one.payload, "cursor": cursor} for one, cursor in pairs]
        return [graphql_event(one.type, one.payload, cursor, list(one.created or ())) for one, cursor in pairs]

    def _state(self, due: Expected, cursor: str) -> Json:
        return state_shape(due.payload, list(due.created or ()), cursor)
