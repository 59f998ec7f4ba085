"""Heartbeats between envelopes: correct for their place in the stream, one timer per board with subscribers."""

from __future__ import annotations

from contextlib import AsyncExitStack, aclosing

import orjson
import pytest

from realtime.backends.sql.store import SqlStore
from realtime.fanout.subscriber import Subscriber
from realtime.kanban.board import Board
from realtime.kanban.commands import CreateCard, MoveCard
from realtime.kanban.wire.canonical import state_hash
from realtime.messages.envelopes import Envelope
from realtime.messages.options import Delivery, StreamOptions
from realtime.messages.position import parse_cursor
from realtime.node import Limits, Node
from tests.kit.board_copy import BoardCopy
from tests.kit.envelope_streams import board_stream
from tests.kit.nodes import BOARD, SteppingClock, column_id, create_board, open_node, publish, queued, take
from tests.kit.plain_envelopes import decoded
from tests.kit.publishing import event

CHECKED = [Delivery.CHANGES, Delivery.PATCH]


def asked(delivery: Delivery) -> StreamOptions:
    """Return the options of a subscriber with that delivery."""
    return StreamOptions(delivery=delivery)


@pytest.mark.parametrize("delivery", CHECKED)
async def test_heartbeat_stands_for_what_came_before_it(node: Node, board: Board, delivery: Delivery) -> None:
    copy, queue = BoardCopy(), Subscriber(100)
    card = CreateCard(column_id=column_id(board.state, "Backlog"), title="New")
    async with aclosing(board_stream(node, BOARD, queue, asked(delivery))) as stream:
        opening = await take(stream, 2)
        node.heartbeats.beat(BOARD)
        await node.bus.execute(BOARD, card)
        target = column_id(board.state, "Review")
        await node.bus.execute(BOARD, MoveCard(card_id=card.card_id, to_column_id=target, to_index=0))
        node.heartbeats.beat(BOARD)
        received = [*opening, *await queued(queue)]
    assert [one.type for one in received].count("heartbeat") == 2
    last = None
    for one in received:
        payload = orjson.loads(one.payload_json())
        copy.apply(one.type, payload)
        if one.type == "heartbeat":
            assert one.cursor is None
            assert (list(payload), payload["cursor"], payload["hash"]) == (["ts", "cursor", "hash"], last, copy.hash)
        last = one.cursor or last


@pytest.mark.parametrize("delivery", CHECKED)
async def test_copy_of_a_slow_subscriber_is_right_after_the_gap(node: Node, board: Board, delivery: Delivery) -> None:
    copy, queue = BoardCopy(), Subscriber(3)
    creations = [CreateCard(column_id=column_id(board.state, "Backlog"), title=str(n)) for n in range(6)]
    async with aclosing(board_stream(node, BOARD, queue, asked(delivery))) as stream:
        received = await take(stream, 2)
        await node.bus.execute(BOARD, *creations[:2])
        received += await take(stream, 1)
        await node.bus.execute(BOARD, *creations[2:5])
        received += await take(stream, 2)
        await node.bus.execute(BOARD, creations[5])
        node.heartbeats.beat(BOARD)
        received += await take(stream, 2)
    for one in received:
        copy.apply(one.type, orjson.loads(one.payload_json()))
    change = received[2].type
    assert [one.type for one in received] == ["hello", "state", change, "gap", "state", change, "heartbeat"]
    assert decoded(received[-1])["hash"] == copy.hash


async def test_heartbeat_after_an_event_of_many_changes_names_its_end(node: Node, board: Board) -> None:
    queue = Subscriber(100)
    async with aclosing(board_stream(node, BOARD, queue, asked(Delivery.CHANGES))) as stream:
        await take(stream, 2)
        state = {"columns": {"x": {"id": "x", "title": "X", "cardIds": ["a"]}}, "columnOrder": ["x"]}
        whole = {**state, "cards": {"a": {"id": "a", "title": "a"}}}
        await publish(node, event("board.state.changed", {"boardId": BOARD, "state": whole}))
        node.heartbeats.beat(BOARD)
        *_, last, beat = await queued(queue)
    assert (beat.type, decoded(beat)["cursor"]) == ("heartbeat", last.cursor)
    assert parse_cursor(decoded(beat)["cursor"]).part == 0


async def test_hash_is_computed_once_as_long_as_nothing_changes(node: Node, board: Board) -> None:
    async with node.views.watch(BOARD) as view:
        first = view.state_hash()
        await publish(node, event("agent.registered", {"agent": "A"}))
        assert view.state_hash() is first
        await node.bus.execute(BOARD, CreateCard(column_id=column_id(board.state, "Backlog"), title="New"))
        assert view.state_hash() == state_hash(view.board.state) != first


async def test_one_timer_beats_for_all_subscribers_of_a_board(store: SqlStore) -> None:
    limits, clock = Limits(heartbeat_seconds=0.01), SteppingClock()
    async with open_node(store, limits=limits, clock=clock) as node, AsyncExitStack() as stack:
        for board_id in ("p1", "p2"):
            await create_board(node, board_id)
        streams = [
            await stack.enter_async_context(aclosing(board_stream(node, BOARD, options=asked(delivery))))
            for delivery in (*CHECKED, *CHECKED)
        ]
        for stream in streams:
            await take(stream, 2)
        assert len(node.heartbeats) == 1
        beats = [await take(stream, 2) for stream in streams]
    assert all(one.type == "heartbeat" for received in beats for one in received)
    # Computed once for the subscribers of both deliveries.
    assert all(one is other for received in beats[1:] for one, other in zip(received, beats[0], strict=True))


async def test_subscribers_of_states_get_none_and_need_no_timer(store: SqlStore) -> None:
    async with open_node(store, limits=Limits(heartbeat_seconds=0.01)) as node:
        await create_board(node)
        async with aclosing(board_stream(node, BOARD)) as stream:
            await take(stream, 2)
            assert len(node.heartbeats) == 0
            async with aclosing(board_stream(node, BOARD, options=asked(Delivery.PATCH))) as other:
                await take(other, 4)
                assert len(node.heartbeats) == 1
            assert len(node.heartbeats) == 0
            await publish(node, event("agent.registered", {"agent": "MARKER"}))
            received: list[Envelope] = await take(stream, 1)
    assert [one.type for one in received] == ["agent_registered"]


async def test_deleted_board_beats_no_more(node: Node, board: Board) -> None:
    queue = Subscriber(100)
    async with aclosing(board_stream(node, BOARD, queue, asked(Delivery.CHANGES))) as stream:
        await take(stream, 2)
        await publish(node, event("project.deleted", {"projectId": BOARD}))
        node.heartbeats.beat(BOARD)
        assert [one.type for one in await queued(queue)] == ["goodbye"]
