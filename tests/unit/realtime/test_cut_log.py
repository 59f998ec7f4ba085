"""Replay from a pruned log: positions at or after the cut get the same events as before, earlier ones are lost.

This is the law of `ports.LogPruner`, over random histories, all their cursors, and cuts anywhere.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from realtime.backends.sql.store import SqlStore
from realtime.errors import PositionLost
from realtime.messages.channels import EVERYBODY, board_channel
from realtime.messages.envelopes import Envelope
from realtime.messages.options import Delivery
from realtime.messages.position import Position, channel_tag, parse_cursor
from realtime.node import Node
from realtime.ports import Horizon, Span
from realtime.views.replay import missed, missed_globally
from tests.kit.deadline import deadline
from tests.kit.nodes import BOARD, MEMORY, open_node
from tests.unit.realtime.history import Step, carry_out, steps

_UNITS = 60
#: Few enough that a short history crosses several snapshots.
_SNAPSHOT_EVENTS = 3
OF_BOARD = board_channel(BOARD)

#: The envelopes of a replay; the last entry may say that the position is lost.
Replayed = list[tuple[str, str | None, bytes]]
_LOST = ("history_expired", None, b"")


@asynccontextmanager
async def _node() -> AsyncIterator[Node]:
    store = SqlStore(MEMORY, snapshot_events=_SNAPSHOT_EVENTS)
    await store.open()
    try:
        async with open_node(store) as node:
            yield node
    finally:
        await store.aclose()


async def _now(node: Node) -> Position:
    heads = await node.store.offset(OF_BOARD), await node.store.offset(EVERYBODY)
    return Position(node.store.epoch, channel_tag(OF_BOARD), *heads)


async def _replayed(stream: AsyncGenerator[Envelope, None]) -> Replayed:
    replayed: Replayed = []
    async with aclosing(stream):
        try:
            async for one in stream:
                replayed.append((one.type, one.cursor, one.payload_json()))
        except PositionLost as lost:
            return [*replayed, (lost.reason, None, b"")]
    return replayed


async def _all_replayed(node: Node, until: Position, delivery: Delivery) -> dict[Position, Replayed]:
    """Return the replay from each possible position: after events, and between the changes of one event."""
    span = Span(0, until.offset, 0, until.global_offset)
    position = until._replace(offset=0, global_offset=0)
    positions = [position]
    for stored in await node.store.events(OF_BOARD, span, 10_000):
        position = position._replace(global_offset=stored.global_offset)
        if stored.channel != EVERYBODY:
            position = position._replace(offset=stored.offset)
        positions.append(position)
    replayed = {seen: await _replayed(missed(node.store, BOARD, seen, until, delivery)) for seen in positions}
    between = {parse_cursor(cursor) for had in replayed.values() for _, cursor, _ in had if cursor} - replayed.keys()
    assert all(seen.part for seen in between)
    return replayed | {seen: await _replayed(missed(node.store, BOARD, seen, until, delivery)) for seen in between}


async def _cut(node: Node, own: int, everybody: int) -> None:
    """Prune this many events of the board and this many global ones, each in one piece."""
    store = node.store
    assert isinstance(store, SqlStore)
    for channel, count in ((OF_BOARD, own), (EVERYBODY, everybody)):
        assert await store.prune(channel, Horizon(newest_events=0), count) <= count


async def _check(node: Node, before: dict[Position, Replayed], until: Position, delivery: Delivery) -> None:
    own, everybody = await node.store.pruned(OF_BOARD), await node.store.pruned(EVERYBODY)
    for seen, replayed in before.items():
        after = await _replayed(missed(node.store, BOARD, seen, until, delivery))
        if seen.offset >= own and seen.global_offset >= everybody:
            assert after == replayed, seen
        else:
            assert after[-1] == _LOST, seen
            assert after[:-1] == replayed[: len(after) - 1], seen


# Boards are sometimes deleted and made again. `watch` is for subscribers that stay.
_ANEW = (Step("project.deleted"), Step("project.created"))
_ends = st.sampled_from(_ANEW)
_own = steps().filter(lambda step: step.kind != "watch").map(lambda step: replace(step, board=0))
_steps = st.one_of(_own, _own, _own, _ends, st.just(Step("agent.registered")))


# Each example reads the log from all its positions, twice or more.
@settings(max_examples=(settings().max_examples + 1) // 2, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@pytest.mark.timeout(0)  # each history has its own deadline
@given(
    history=st.lists(_steps, min_size=3, max_size=9),
    # Events of the board and global ones that are pruned together.
    cuts=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 1)), min_size=1, max_size=3),
    delivery=st.sampled_from(Delivery),
)
@example(history=[Step("git.status.changed"), *_ANEW, Step("create")], cuts=[(3, 0)], delivery=Delivery.STATE)
async def test_position_after_the_cut_replays_the_same_and_one_before_it_is_lost(
    history: Sequence[Step], cuts: Sequence[tuple[int, int]], delivery: Delivery
) -> None:
    async with deadline(_UNITS), _node() as node:
        await carry_out(node, Step("project.created"))
        for step in history:
            await carry_out(node, step)
        now, rows = await _now(node), await node.store.board(BOARD)
        before = await _all_replayed(node, now, delivery)
        for own, everybody in cuts:
            await _cut(node, own, everybody)
            await _check(node, before, now, delivery)
        assert (await _now(node), await node.store.board(BOARD)) == (now, rows)


async def test_dashboard_position_after_the_cut_replays_the_same_and_one_before_it_is_lost() -> None:
    async with deadline(_UNITS), _node() as node:
        for _ in range(6):
            await carry_out(node, Step("agent.registered"))
        until = node.dashboard.position
        positions = [until.moved_globally(n) for n in range(7)]
        before = [await _replayed(missed_globally(node.store, seen, until)) for seen in positions]
        assert [len(replayed) for replayed in before] == [6, 5, 4, 3, 2, 1, 0]
        await _cut(node, 0, 4)
        after = [await _replayed(missed_globally(node.store, seen, until)) for seen in positions]
        assert after == [[_LOST]] * 4 + before[4:]
