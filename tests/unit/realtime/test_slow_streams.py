"""Streams of slow subscribers announce dropped envelopes, and continue with the current state."""

from __future__ import annotations

from contextlib import aclosing

import anyio
import orjson
import pytest

from realtime.dashboard.time_range import DEFAULT_TIME_RANGE
from realtime.errors import BoardGone, SubscriberTooSlow
from realtime.fanout.subscriber import Subscriber
from realtime.kanban.board import Board
from realtime.kanban.commands import CreateCard
from realtime.messages.options import Delivery, SlowPolicy, StreamOptions
from realtime.messages.position import parse_cursor
from realtime.node import Node
from tests.kit.envelope_streams import board_stream, dashboard_stream
from tests.kit.nodes import BOARD, column_id, publish, take
from tests.kit.plain_envelopes import decoded
from tests.kit.publishing import event

LINE = {"attemptId": "a1", "boardId": BOARD, "level": "info", "message": "m"}
QUEUED = {"attemptId": "late", "boardId": BOARD, "cardId": "k1", "agent": "CODEX"}


async def test_subscriber_whose_queue_was_full_gets_gap_and_state_and_continues(node: Node, board: Board) -> None:
    async with aclosing(board_stream(node, BOARD, Subscriber(3))) as stream:
        _, state = await take(stream, 2)
        await publish(node, event("attempt.log.appended", LINE))
        (line,) = await take(stream, 1)
        await publish(node, event("attempt.queued", QUEUED))
        await publish(node, *[event("attempt.log.appended", LINE)] * 4)
        await node.bus.execute(BOARD, CreateCard(column_id=column_id(board.state, "Backlog"), title="card"))
        gap, fresh, attempt = await take(stream, 3)
        await publish(node, event("attempt.log.appended", LINE))
        (marker,) = await take(stream, 1)
    assert state.cursor != line.cursor
    assert (gap.type, decoded(gap)) == ("gap", {"reason": "slow_consumer", "from": line.cursor, "to": fresh.cursor})
    assert len(orjson.loads(fresh.payload_json())["cards"]) == 1
    assert (attempt.type, attempt.cursor) == ("attempt_status", fresh.cursor)
    assert marker.type == "attempt_log"
    assert [parse_cursor(one.cursor).offset for one in (fresh, marker) if one.cursor] == [9, 10]


async def test_subscriber_that_would_rather_end_gets_goodbye_with_its_cursor(node: Node, board: Board) -> None:
    options = StreamOptions(slow=SlowPolicy.DISCONNECT)
    async with aclosing(board_stream(node, BOARD, Subscriber(2), options)) as stream:
        _, state = await take(stream, 2)
        await publish(node, *[event("attempt.log.appended", LINE)] * 3)
        (goodbye_,) = await take(stream, 1)
        assert decoded(goodbye_) == {"reason": "slow_consumer", "reconnectAfterMs": 1000, "cursor": state.cursor}
        with pytest.raises(SubscriberTooSlow) as ended:
            await take(stream, 1)
        assert ended.value.cursor == state.cursor
        await anyio.wait_all_tasks_blocked()
        assert node.hub.statistics().subscribers == 0


async def test_overflow_during_a_replay_is_announced_after_it(node: Node, board: Board) -> None:
    async with aclosing(board_stream(node, BOARD)) as stream:
        _, state = await take(stream, 2)
    await publish(node, *[event("attempt.log.appended", LINE)] * 600)
    options = StreamOptions(after=state.cursor)
    async with aclosing(board_stream(node, BOARD, Subscriber(5), options)) as stream:
        await take(stream, 10)
        for _ in range(4):
            await publish(node, *[event("attempt.log.appended", LINE)] * 3)
        *replayed, gap, fresh = await take(stream, 593, units=20)
        await publish(node, event("attempt.log.appended", LINE))
        (marker,) = await take(stream, 1)
    assert {one.type for one in replayed} == {"attempt_log"}
    assert decoded(gap) == {"reason": "slow_consumer", "from": replayed[-1].cursor, "to": fresh.cursor}
    assert [parse_cursor(one.cursor).offset for one in (replayed[-1], fresh, marker) if one.cursor] == [601, 613, 614]


async def test_deletion_of_a_board_reaches_a_slow_subscriber_after_the_gap(node: Node, board: Board) -> None:
    async with aclosing(board_stream(node, BOARD, Subscriber(2))) as stream:
        await take(stream, 2)
        lines = [event("attempt.log.appended", LINE)] * 3
        await publish(node, *lines, event("project.deleted", {"projectId": "p1"}))
        assert [one.type for one in await take(stream, 3)] == ["gap", "state", "goodbye"]
        with pytest.raises(BoardGone):
            await take(stream, 1)


async def test_dashboard_subscriber_whose_queue_was_full_gets_gap_and_overview(node: Node, board: Board) -> None:
    async with aclosing(dashboard_stream(node, DEFAULT_TIME_RANGE, Subscriber(2))) as stream:
        _, first = await take(stream, 2)
        await publish(node, *[event("agent.registered", {"agent": "A"})] * 3)
        gap, overview = await take(stream, 2)
        await publish(node, event("agent.registered", {"agent": "marker"}))
        (marker,) = await take(stream, 1)
    assert decoded(gap) == {"reason": "slow_consumer", "from": first.cursor, "to": overview.cursor}
    assert (overview.type, decoded(marker)) == ("dashboard_overview", {"agent": "marker", "label": None})
    assert [parse_cursor(one.cursor).global_offset for one in (overview, marker) if one.cursor] == [3, 4]


@pytest.mark.parametrize("delivery", [Delivery.CHANGES, Delivery.PATCH])
async def test_slow_subscriber_of_changes_gets_the_state_and_then_what_leads_on_from_it(
    node: Node, board: Board, delivery: Delivery
) -> None:
    backlog = column_id(board.state, "Backlog")
    async with aclosing(board_stream(node, BOARD, Subscriber(2), StreamOptions(delivery=delivery))) as stream:
        _, first = await take(stream, 2)
        for n in range(4):
            await node.bus.execute(BOARD, CreateCard(column_id=backlog, title=str(n)))
        gap, state = await take(stream, 2)
        executed = await node.bus.execute(BOARD, CreateCard(column_id=backlog, title="last"))
        (change,) = await take(stream, 1)
    assert decoded(gap) == {"reason": "slow_consumer", "from": first.cursor, "to": state.cursor}
    assert [card["title"] for card in orjson.loads(state.payload_json())["cards"].values()] == ["0", "1", "2", "3"]
    assert change.type == ("card_created" if delivery is Delivery.CHANGES else "patch")
    assert change.cursor == executed.position.cursor
