"""The law of deliveries: snapshot at a + every event after it up to b = snapshot at b, in every delivery.

It holds live and in a replay. A client may change its delivery in between, even between the changes of one event. The
client is `BoardCopy`: plain dictionaries, `jsonpatch`, and no code of the server.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from realtime.backends.sql.store import SqlStore
from realtime.fanout.subscriber import Subscriber
from realtime.kanban.wire.board_wire import state_json
from realtime.messages.envelopes import Envelope
from realtime.messages.options import Delivery, StreamOptions
from realtime.messages.position import parse_cursor
from realtime.node import Node
from tests.kit.board_copy import BoardCopy
from tests.kit.deadline import deadline
from tests.kit.envelope_streams import board_stream
from tests.kit.nodes import BOARD, MEMORY, create_board, open_node, publish, queued, take
from tests.kit.publishing import event
from tests.unit.realtime.history import BOARDS, Step, carry_out, steps

_UNITS = 60
_MARKER = event("attempt.log.appended", {"attemptId": "m", "boardId": BOARD, "level": "info", "message": "marker"})


@dataclass(frozen=True)
class _Moment:
    """A client's copy when it received an envelope."""

    cursor: str
    state: Any


@dataclass
class _Subscriber:
    """A subscriber that stays, with its copy at each of its cursors."""

    copy: BoardCopy = field(default_factory=BoardCopy)
    moments: list[_Moment] = field(default_factory=list)
    beats: int = 0
    queue: Subscriber = field(default_factory=lambda: Subscriber(10_000))

    def read(self, envelope: Envelope) -> None:
        payload = orjson.loads(envelope.payload_json())
        self.copy.apply(envelope.type, payload)
        if envelope.type == "heartbeat":
            assert payload["hash"] == self.copy.hash
            self.beats += 1
        if envelope.cursor is not None:
            self.moments.append(_Moment(envelope.cursor, deepcopy(self.copy.state)))


class _Truth:
    """The state of the board after each event, as the store has it. Subscribers in `state` delivery may miss some."""

    def __init__(self, node: Node) -> None:
        self._store = node.store
        self._states: dict[int, Any] = {}

    async def check(self, moments: list[_Moment]) -> None:
        """Compare the copies at the end of each event."""
        for one in moments:
            position = parse_cursor(one.cursor)
            if position.part == 0:
                assert one.state == await self._state(position.offset)

    async def _state(self, offset: int) -> Any:
        if offset not in self._states:
            past = await self._store.past_board(BOARD, offset)
            assert past is not None
            self._states[offset] = orjson.loads(state_json(past.state))
        return self._states[offset]


@asynccontextmanager
async def _subscribers(node: Node) -> AsyncIterator[dict[Delivery, _Subscriber]]:
    subscribers = {delivery: _Subscriber() for delivery in Delivery}
    async with AsyncExitStack() as stack:
        for delivery, subscriber in subscribers.items():
            options = StreamOptions(delivery=delivery)
            stream = await stack.enter_async_context(aclosing(board_stream(node, BOARD, subscriber.queue, options)))
            for envelope in await take(stream, 2):
                subscriber.read(envelope)
        yield subscribers


async def _catch_up(subscriber: _Subscriber) -> None:
    for envelope in await queued(subscriber.queue):
        subscriber.read(envelope)


async def _catch_up_all(subscribers: dict[Delivery, _Subscriber]) -> None:
    for subscriber in subscribers.values():
        await _catch_up(subscriber)


async def _come_back(node: Node, moment: _Moment, delivery: Delivery) -> list[_Moment]:
    """Continue from a moment in some delivery, by replay and then live; return the later copies."""
    subscriber = _Subscriber()
    subscriber.copy.state = deepcopy(moment.state)
    async with aclosing(board_stream(node, BOARD, options=StreamOptions(moment.cursor, delivery))) as stream:
        await take(stream, 1)
        (marker,) = await publish(node, _MARKER)
        while not subscriber.moments or subscriber.moments[-1].cursor != marker.cursor:
            (envelope,) = await take(stream, 1)
            subscriber.read(envelope)
    return subscriber.moments


def _returns(seeds: list[tuple[int, Delivery, Delivery]], subscribers: dict[Delivery, _Subscriber]) -> Iterator[Any]:
    for at, left, taken in seeds:
        moments = subscribers[left].moments
        yield moments[at % len(moments)], taken


def _keeps_the_board(step: Step) -> bool:
    """A subscriber does not outlive its board, so there would be nothing to compare."""
    return not {"project.deleted", "watch"} & {step.kind, *(part.kind for part in step.parts)}


_SEEDS = st.tuples(st.integers(0, 1000), st.sampled_from(Delivery), st.sampled_from(Delivery))


# A history is slow, so there are fewer of them. No shrinking, because the first failing one is clear enough.
@settings(phases=(Phase.explicit, Phase.reuse, Phase.generate), max_examples=settings().max_examples // 5 + 1)
@pytest.mark.timeout(0)  # each history has its own deadline
@given(history=st.lists(steps(), min_size=5, max_size=25), seeds=st.lists(_SEEDS, min_size=4, max_size=8))
async def test_events_lead_to_the_same_state_in_every_delivery(
    history: list[Step], seeds: list[tuple[int, Delivery, Delivery]]
) -> None:
    async with deadline(_UNITS), _node_with_many_snapshots() as node:
        for board_id in BOARDS:
            await create_board(node, board_id)
        async with _subscribers(node) as subscribers:
            for step in filter(_keeps_the_board, history):
                await carry_out(node, step)
                # A subscriber that falls behind skips states, and its copy would be older than its cursor.
                await _catch_up_all(subscribers)
                node.heartbeats.beat(BOARD)
                await _catch_up_all(subscribers)
            await _check(node, subscribers, seeds)


async def test_replaced_states_lead_to_the_same_state_from_the_middle_of_each() -> None:
    async with deadline(_UNITS), _node_with_many_snapshots() as node:
        await create_board(node)
        async with _subscribers(node) as subscribers:
            for n in range(6):
                await carry_out(node, Step("create", c=n))
            for n in (0, 1, 3):
                await carry_out(node, Step("board.state.changed", a=n, b=n, c=n))
            changes = subscribers[Delivery.CHANGES]
            await _catch_up(changes)
            inside = [n for n, one in enumerate(changes.moments) if parse_cursor(one.cursor).part]
            assert len(inside) > 5
            seeds = [(n, Delivery.CHANGES, taken) for n in inside for taken in Delivery]
            await _check(node, subscribers, seeds)


async def _check(
    node: Node, subscribers: dict[Delivery, _Subscriber], seeds: list[tuple[int, Delivery, Delivery]]
) -> None:
    await _catch_up_all(subscribers)
    truth = _Truth(node)
    for subscriber in subscribers.values():
        await truth.check(subscriber.moments)
    for moment, delivery in _returns(seeds, subscribers):
        received = await _come_back(node, moment, delivery)
        await truth.check(received)
        assert received[-1].state == subscribers[delivery].copy.state


@asynccontextmanager
async def _node_with_many_snapshots() -> AsyncIterator[Node]:
    store = SqlStore(MEMORY, snapshot_events=3)
    await store.open()
    try:
        async with open_node(store) as node:
            yield node
    finally:
        await store.aclose()
