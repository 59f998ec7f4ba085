"""The streams: hello, snapshot, live events; complete and in order. However they end, they leave nothing behind."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path
from typing import Any
from weakref import ref

import anyio
import anyio.lowlevel
import orjson
import pytest

from realtime.backends.sql.store import SqlStore
from realtime.dashboard.time_range import DEFAULT_TIME_RANGE
from realtime.errors import BoardGone, Draining, NotFound
from realtime.fanout.subscriber import Subscriber
from realtime.kanban.board import Board
from realtime.kanban.commands import CreateCard
from realtime.kanban.ids import BoardId
from realtime.kanban.wire.board_wire import state_json
from realtime.messages.batches import Batch
from realtime.messages.channels import board_channel
from realtime.messages.envelopes import Envelope
from realtime.messages.options import StreamOptions
from realtime.messages.payloads import State
from realtime.messages.position import parse_cursor
from realtime.node import Limits, Node
from realtime.streams import board_batches, state_of
from tests.kit.deadline import deadline
from tests.kit.envelope_streams import board_stream, dashboard_stream
from tests.kit.nodes import BOARD, GatedBroker, column_id, create_board, open_node, open_store, publish, take
from tests.kit.plain_envelopes import decoded
from tests.kit.publishing import event

LINE = {"attemptId": "a1", "boardId": "p1", "level": "info", "message": "m"}


def _create(board: Board, title: str = "card") -> CreateCard:
    return CreateCard(column_id=column_id(board.state, "Backlog"), title=title)


def _attempt(name: str, at: str) -> dict[str, object]:
    payload = {"attemptId": name, "boardId": "p1", "cardId": "k1", "agent": "CODEX"}
    return event("attempt.queued", payload, at=at)


async def _is_alone(node: Node) -> bool:
    """Whether no subscriber is registered anywhere."""
    await anyio.wait_all_tasks_blocked()
    return node.hub.statistics().subscribers == 0 and len(node.views) == 0 and node.dashboard.channels() == ()


async def test_board_stream_begins_with_hello_state_and_attempts_newest_first(node: Node, board: Board) -> None:
    await publish(
        node,
        _attempt("first", "2025-01-01T00:00:00.000Z"),
        _attempt("newest", "2025-01-03T00:00:00.000Z"),
        _attempt("tie", "2025-01-01T00:00:00.000Z"),
    )
    stored = await node.store.board(BOARD)
    assert stored is not None
    async with aclosing(board_stream(node, BOARD)) as stream:
        hello, state, *attempts = await take(stream, 5)
    assert (hello.type, hello.cursor) == ("hello", None)
    assert list(decoded(hello)) == ["serverTime", "cursor", "heartbeatSeconds"]
    position = parse_cursor(decoded(hello)["cursor"])
    assert (position.offset, position.global_offset) == (stored.offset, stored.global_offset)
    assert (state.payload, state.cursor) == (State(stored.board.state), decoded(hello)["cursor"])
    assert [decoded(one) for one in attempts] == [
        {"attemptId": name, "cardId": "k1", "status": "queued"} for name in ("newest", "tie", "first")
    ]
    assert {(one.type, one.cursor) for one in attempts} == {("attempt_status", state.cursor)}


async def test_hello_contains_the_heartbeat_of_the_node(store: SqlStore) -> None:
    async with open_node(store, limits=Limits(heartbeat_seconds=12.5)) as node:
        await create_board(node)
        async with aclosing(board_stream(node, BOARD)) as stream:
            (hello,) = await take(stream, 1)
            assert decoded(hello)["heartbeatSeconds"] == 12.5


async def test_live_envelopes_follow_the_snapshot_without_gap_or_repeat(node: Node, board: Board) -> None:
    async with aclosing(board_stream(node, BOARD)) as stream:
        hello, *_ = await take(stream, 1)
        # Between hello and state, and between state and live: nothing is lost, and the snapshot is that of hello.
        await node.bus.execute(BOARD, _create(board, "one"))
        (state,) = await take(stream, 1)
        await publish(node, event("attempt.log.appended", LINE))
        after, line = await take(stream, 2)
    assert (state.payload, state.cursor) == (State(board.state), decoded(hello)["cursor"])
    assert len(orjson.loads(after.payload_json())["cards"]) == 1
    assert line.type == "attempt_log"
    offsets = [parse_cursor(one.cursor).offset for one in (state, after, line) if one.cursor]
    assert offsets == [1, 3, 4]


async def test_subscriber_that_comes_between_commit_and_delivery_sees_the_event_once(store: SqlStore) -> None:
    broker = GatedBroker()
    async with deadline(10), open_node(store, broker=broker) as node:
        board = await create_board(node)
        broker.gate.clear()
        broker.reached.clear()
        async with anyio.create_task_group() as group:
            group.start_soon(node.bus.execute, BOARD, _create(board))
            await broker.reached.wait()
            async with aclosing(board_stream(node, BOARD)) as stream:
                _, state = await take(stream, 2)
                broker.gate.set()
                await publish(node, event("attempt.log.appended", LINE))
                (marker,) = await take(stream, 1)
                stored = await store.board(BOARD)
    assert stored is not None
    assert state.payload == State(stored.board.state)
    assert marker.type == "attempt_log"


async def test_agent_event_between_commit_and_delivery_is_not_repeated(store: SqlStore) -> None:
    broker = GatedBroker()
    async with deadline(10), open_node(store, broker=broker) as node:
        await create_board(node)
        broker.gate.clear()
        broker.reached.clear()
        async with anyio.create_task_group() as group:
            group.start_soon(publish, node, event("agent.registered", {"agent": "CODEX"}))
            await broker.reached.wait()
            async with aclosing(board_stream(node, BOARD)) as stream:
                _, state = await take(stream, 2)
                broker.gate.set()
                await publish(node, event("attempt.log.appended", LINE))
                (marker,) = await take(stream, 1)
    assert state.cursor is not None
    assert parse_cursor(state.cursor).global_offset == 1
    assert marker.type == "attempt_log"


async def test_all_subscribers_get_the_same_envelope_objects(node: Node, board: Board) -> None:
    async with aclosing(board_stream(node, BOARD)) as one, aclosing(board_stream(node, BOARD)) as two:
        await take(one, 2)
        await take(two, 2)
        await node.bus.execute(BOARD, _create(board))
        await publish(node, event("agent.registered", {"agent": "CODEX"}))
        assert [id(envelope) for envelope in await take(one, 2)] == [id(envelope) for envelope in await take(two, 2)]


async def test_generator_that_is_never_iterated_registers_nothing(node: Node, board: Board) -> None:
    streams = [board_stream(node, BOARD), dashboard_stream(node, DEFAULT_TIME_RANGE)]
    assert await _is_alone(node)
    for stream in streams:
        await stream.aclose()
    assert await _is_alone(node)


@pytest.mark.parametrize("envelopes_taken", [1, 2, 3])
async def test_stream_that_is_closed_is_forgotten(node: Node, board: Board, envelopes_taken: int) -> None:
    async with aclosing(board_stream(node, BOARD)) as stream:
        await node.store.ping()
        taken = await take(stream, min(envelopes_taken, 2))
        if envelopes_taken == 3:
            await node.bus.execute(BOARD, _create(board))
            taken += await take(stream, 1)
        assert len(taken) == envelopes_taken
        assert node.hub.statistics().subscribers == 1
        assert node.hub.channels() == (board_channel(BOARD),)
    assert await _is_alone(node)


async def test_subscriber_that_is_cancelled_while_it_waits_is_forgotten(node: Node, board: Board) -> None:
    live = asyncio.Event()

    async def read() -> None:
        async with aclosing(board_stream(node, BOARD)) as stream:
            await take(stream, 2)
            live.set()
            await anext(stream)

    async with deadline(5):
        task = asyncio.create_task(read())
        await live.wait()
        await anyio.wait_all_tasks_blocked()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await _is_alone(node)


async def test_unknown_board_yields_nothing_and_is_forgotten(node: Node) -> None:
    async with aclosing(board_stream(node, BoardId("nowhere"))) as stream:
        with pytest.raises(NotFound) as refused:
            await take(stream, 1)
        assert refused.value.code == "board_not_found"
    assert await _is_alone(node)


async def test_slow_subscriber_does_not_disturb_another(node: Node, board: Board) -> None:
    async with aclosing(board_stream(node, BOARD, Subscriber(1))) as slow, aclosing(board_stream(node, BOARD)) as fast:
        await take(slow, 2)
        await take(fast, 2)
        await publish(node, *[event("attempt.log.appended", LINE)] * 3)
        assert [one.type for one in await take(fast, 3)] == ["attempt_log"] * 3


async def test_deleted_board_ends_with_goodbye(node: Node, board: Board) -> None:
    async with aclosing(board_stream(node, BOARD)) as stream:
        await take(stream, 2)
        await publish(node, event("attempt.log.appended", LINE), event("project.deleted", {"projectId": "p1"}))
        line, last = await take(stream, 2)
        assert (line.type, last.type) == ("attempt_log", "goodbye")
        assert decoded(last) == {"reason": "board_deleted", "reconnectAfterMs": 0}
        with pytest.raises(BoardGone):
            await take(stream, 1)
    assert await _is_alone(node)


async def test_board_deleted_while_a_subscriber_waits_for_it_is_not_found(store: SqlStore) -> None:
    broker = GatedBroker()
    async with deadline(10), open_node(store, broker=broker) as node:
        await create_board(node)
        # Its rows are read before the deletion, and it continues after it.
        async with aclosing(board_stream(node, BOARD)) as early:
            await take(early, 2)
            late = board_stream(node, BOARD)
            async with aclosing(late):
                node.views.drop(BOARD)
                waiting = asyncio.create_task(anext(late))
                await publish(node, event("project.deleted", {"projectId": "p1"}))
                await asyncio.wait([waiting])
                assert isinstance(waiting.exception(), NotFound)
            assert (await take(early, 1))[0].type == "goodbye"


async def test_board_made_anew_has_new_subscribers_and_lets_old_ones_go(node: Node, board: Board) -> None:
    async with aclosing(board_stream(node, BOARD)) as old:
        await take(old, 2)
        await publish(node, event("project.deleted", {"projectId": "p1"}))
        again = await create_board(node)
        async with aclosing(board_stream(node, BOARD)) as new:
            await take(new, 2)
            await node.bus.execute(BOARD, _create(again))
            assert [one.type for one in await take(new, 1)] == ["state"]
            assert [one.type for one in await take(old, 1)] == ["goodbye"]
            with pytest.raises(BoardGone):
                await take(old, 1)
            assert node.hub.statistics().subscribers == 1
            assert node.views.get(BOARD) is not None


async def test_draining_node_says_goodbye_to_every_stream(node: Node, board: Board) -> None:
    async with (
        aclosing(board_stream(node, BOARD)) as of_board,
        aclosing(dashboard_stream(node, DEFAULT_TIME_RANGE)) as of_dashboard,
    ):
        for stream in (of_board, of_dashboard):
            await take(stream, 2)
        await node.lifetimes.drain(0)
        for stream in (of_board, of_dashboard):
            [last] = await take(stream, 1)
            assert (last.type, last.payload_json().startswith(b'{"reason":"server_shutdown"')) == ("goodbye", True)
            with pytest.raises(Draining):
                await take(stream, 1)
        async with deadline(5):
            await node.lifetimes.vacated()
    assert await _is_alone(node)


async def test_reply_put_into_the_own_queue_reaches_this_subscriber_only(node: Node, board: Board) -> None:
    mine = Subscriber(10)
    assert state_of(node, BOARD) is None
    async with aclosing(board_stream(node, BOARD, mine)) as one, aclosing(board_stream(node, BOARD)) as other:
        await take(one, 2)
        await take(other, 2)
        reply = state_of(node, BOARD)
        assert reply is not None
        mine.put_nowait([reply])
        await publish(node, event("attempt.log.appended", LINE))
        assert [envelope.type for envelope in await take(one, 2)] == ["state", "attempt_log"]
        assert [envelope.type for envelope in await take(other, 1)] == ["attempt_log"]
        assert reply.payload_json() == state_json(board.state)


@pytest.mark.parametrize(
    ("after", "reason"),
    [("rubbish", "invalid_cursor"), ("{epoch}-{tag}-9-0", "invalid_cursor"), ("0-{tag}-1-0", "epoch_changed")],
)
async def test_cursor_that_cannot_be_served_is_answered_with_gap_and_state(
    node: Node, board: Board, after: str, reason: str
) -> None:
    async with aclosing(board_stream(node, BOARD)) as stream:
        hello, _ = await take(stream, 2)
    now = parse_cursor(decoded(hello)["cursor"])
    cursor = after.format(epoch=now.epoch, tag=now.tag)
    async with aclosing(board_stream(node, BOARD, options=StreamOptions(after=cursor))) as stream:
        _, gap, state = await take(stream, 3)
    assert (gap.type, decoded(gap)) == ("gap", {"reason": reason, "from": cursor, "to": now.cursor})
    assert state.payload == State(board.state)
    # A client that leaves between the two keeps its old position, and gets the gap again.
    assert (gap.cursor, state.cursor) == (None, now.cursor)


async def test_cursor_of_now_goes_on_live(node: Node, board: Board) -> None:
    async with aclosing(board_stream(node, BOARD)) as stream:
        _, state = await take(stream, 2)
    async with aclosing(board_stream(node, BOARD, options=StreamOptions(after=state.cursor))) as stream:
        (hello,) = await take(stream, 1)
        await publish(node, event("attempt.log.appended", LINE))
        (line,) = await take(stream, 1)
    assert (hello.type, decoded(hello)["cursor"]) == ("hello", state.cursor)
    assert line.type == "attempt_log"


async def test_dashboard_stream_begins_with_hello_and_overview_and_gets_agents(node: Node, board: Board) -> None:
    async with aclosing(dashboard_stream(node, DEFAULT_TIME_RANGE)) as stream:
        hello, overview = await take(stream, 2)
        await publish(node, event("agent.registered", {"agent": "CODEX", "label": "Codex"}))
        (agent,) = await take(stream, 1)
    assert (hello.type, overview.type, overview.cursor) == ("hello", "dashboard_overview", decoded(hello)["cursor"])
    assert decoded(agent) == {"agent": "CODEX", "label": "Codex"}
    assert agent.cursor is not None
    assert parse_cursor(agent.cursor).global_offset == 1
    assert await _is_alone(node)


async def test_agent_event_during_the_first_overview_comes_after_it(node: Node, board: Board) -> None:
    async with aclosing(dashboard_stream(node, DEFAULT_TIME_RANGE)) as stream, deadline(10):
        opening = asyncio.create_task(anext(stream))
        await anyio.lowlevel.checkpoint()
        await publish(node, event("agent.registered", {"agent": "CODEX"}))
        envelopes: list[Envelope] = [await opening, *await take(stream, 2)]
    assert [one.type for one in envelopes] == ["hello", "dashboard_overview", "agent_registered"]
    hello, overview, agent = envelopes
    # Otherwise a client that left between the two would reconnect with the cursor of an event that it never got.
    assert overview.cursor == decoded(hello)["cursor"]
    assert agent.cursor != overview.cursor


async def test_file_store_gives_subscribers_that_come_and_go_amid_commands_a_true_board(tmp_path: Path) -> None:
    """Subscribers load through separate connections, between any two steps of a commit."""

    async def read(node: Node) -> None:
        for _ in range(10):
            async with aclosing(board_stream(node, BOARD)) as stream:
                _, state, after = await take(stream, 3)
                first, second = (orjson.loads(one.payload_json()) for one in (state, after))
                assert len(second["cards"]) == len(first["cards"]) + 1

    async with open_store(f"sqlite:///{tmp_path / 's.db'}") as store, open_node(store) as node:
        board = await create_board(node)
        async with deadline(30), anyio.create_task_group() as commands:
            commands.start_soon(_create_for_ever, node, board)
            async with anyio.create_task_group() as subscribers:
                for _ in range(3):
                    subscribers.start_soon(read, node)
            commands.cancel_scope.cancel()


async def _create_for_ever(node: Node, board: Board) -> None:
    while True:
        await node.bus.execute(BOARD, _create(board))


@pytest.mark.parametrize("stream", [board_batches, board_stream], ids=["by the batch", "by the envelope"])
async def test_subscriber_that_sleeps_holds_on_to_nothing(stream: Any, node: Node, board: Board) -> None:
    async with deadline(5), aclosing(stream(node, BOARD)) as received:
        await anext(received)
        gone = [_first(await anext(received))]
        for _ in range(2):
            sleeping = asyncio.ensure_future(anext(received))
            await anyio.wait_all_tasks_blocked()
            assert [one() for one in gone] == [None] * len(gone)
            await publish(node, event("attempt.log.appended", LINE))
            gone.append(_first(await sleeping))
            del sleeping


def _first(received: Batch | Envelope) -> ref[Envelope]:
    return ref(received[0] if isinstance(received, Batch) else received)
