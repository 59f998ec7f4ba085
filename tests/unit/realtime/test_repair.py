"""Events that the broker lost come from the log: each once in order, or a `gap` and the current state."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from itertools import pairwise
from typing import Any

import pytest

from realtime.backends.memory import MemoryBroker
from realtime.backends.sql.store import SqlStore
from realtime.dashboard.time_range import DEFAULT_TIME_RANGE
from realtime.errors import BoardGone, StoreUnavailable
from realtime.fanout.hub import Hub
from realtime.kanban.board import Board
from realtime.kanban.commands import CreateCard
from realtime.kanban.ids import BoardId
from realtime.messages.channels import EVERYBODY, board_channel
from realtime.messages.envelopes import Envelope
from realtime.messages.options import Delivery, SlowPolicy, StreamOptions
from realtime.messages.position import parse_cursor
from realtime.node import Node
from realtime.ports import Horizon, StoredEvent
from realtime.streams import state_of
from tests.kit.deadline import deadline
from tests.kit.envelope_streams import board_stream, dashboard_stream
from tests.kit.nodes import BOARD, column_id, create_board, open_node, publish, take
from tests.kit.plain_envelopes import decoded
from tests.kit.publishing import event

Batch = Sequence[StoredEvent]


class FaultyBroker(MemoryBroker):
    """A broker with a fault for each of the next batches. A fault gets the batch and the function that delivers."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[Callable[[Batch, Callable[[Batch], Any]], Any]] = []

    async def publish(self, batch: Batch) -> None:
        """Deliver with the next fault."""

        async def hand_over(batch: Batch) -> None:
            await super(FaultyBroker, self).publish(batch)

        await (self.faults.pop(0)(batch, hand_over) if self.faults else hand_over(batch))


async def _fail(batch: Batch, hand_over: Any) -> None:
    raise ConnectionError("on purpose")


async def _fail_afterwards(batch: Batch, hand_over: Any) -> None:
    await hand_over(batch)
    raise ConnectionError("on purpose")


async def _drop(batch: Batch, hand_over: Any) -> None:
    """Deliver nothing, without an error."""


async def _twice(batch: Batch, hand_over: Any) -> None:
    await hand_over(batch)
    await hand_over(batch)


async def _halves(batch: Batch, hand_over: Any) -> None:
    """Deliver the second half first."""
    await hand_over(batch[len(batch) // 2 :])
    await hand_over(batch[: len(batch) // 2])


async def _last_alone(batch: Batch, hand_over: Any) -> None:
    await hand_over(batch[-1:])


FAULTS = [_fail, _fail_afterwards, _drop, _twice, _halves, _last_alone]


class Stage:
    """A node with a faulty broker, a board in it, and all kinds of subscribers."""

    def __init__(self, node: Node, broker: FaultyBroker, board: Board) -> None:
        self.node, self.broker, self.board = node, broker, board

    async def happen(self) -> None:
        """Write events of all kinds, in four batches."""
        column = column_id(self.board.state, "Backlog")
        await self.node.bus.execute(BOARD, CreateCard(column_id=column, title="one"))
        await publish(self.node, _line("a"), _agent("A"), _line("b"), _agent("B"), _line("c"))
        await publish(self.node, _agent("C"))
        await self.node.bus.execute(BOARD, CreateCard(column_id=column, title="two"))


def _line(message: str) -> dict[str, Any]:
    return event("attempt.log.appended", {"attemptId": "a", "boardId": BOARD, "level": "info", "message": message})


def _agent(name: str) -> dict[str, Any]:
    return event("agent.registered", {"agent": name})


@asynccontextmanager
async def _stage(store: SqlStore) -> AsyncIterator[Stage]:
    broker = FaultyBroker()
    async with deadline(60), open_node(store, broker=broker) as node:
        yield Stage(node, broker, await create_board(node))


#: Types of envelopes for a new card.
_CARD_TYPES = ("state", "card_created", "patch")
_BETWEEN = ["attempt_log", "agent_registered", "attempt_log", "agent_registered", "attempt_log", "agent_registered"]


@pytest.mark.parametrize("at", range(4))
@pytest.mark.parametrize("fault", FAULTS)
async def test_each_subscriber_has_each_event_once_in_order(fault: Any, at: int, store: SqlStore) -> None:
    async with _stage(store) as stage, AsyncExitStack() as stack:
        subscribers = {}
        for delivery in Delivery:
            stream = board_stream(stage.node, BOARD, options=StreamOptions(delivery=delivery))
            subscribers[delivery] = await stack.enter_async_context(aclosing(stream))
            await take(stream, 2)
        of_dashboard = dashboard_stream(stage.node, DEFAULT_TIME_RANGE)
        await stack.enter_async_context(aclosing(of_dashboard))
        await take(of_dashboard, 2)
        stage.broker.faults = [hand_over_whole] * at + [fault]
        await stage.happen()
        for delivery, stream in subscribers.items():
            received = await _until_two_cards(stream)
            assert [one.type for one in received if one.type not in _CARD_TYPES] == _BETWEEN
            # The newer state may have replaced the older one.
            assert len(received) == len(_BETWEEN) + 2 or delivery is Delivery.STATE
            _check_order(received)
        assert await _agents(of_dashboard) == ["A", "B", "C"]
        view = stage.node.views.get(BOARD)
        assert view is not None
        found = await store.board(BOARD)
        assert found is not None
        assert view.board == found.board
        assert (view.position.offset, view.position.global_offset) == (found.offset, found.global_offset)


async def hand_over_whole(batch: Batch, hand_over: Any) -> None:
    """Deliver without a fault."""
    await hand_over(batch)


async def _until_two_cards(stream: AsyncGenerator[Envelope, None]) -> list[Envelope]:
    """Take envelopes up to the second card."""
    received: list[Envelope] = []
    cards = 0
    while cards < 2:
        received += await take(stream, 1)
        payload = decoded(received[-1])
        if received[-1].type == "state":
            cards = len(payload["cards"])
        elif received[-1].type in _CARD_TYPES:
            cards += 1
    return received


def _check_order(received: Sequence[Envelope]) -> None:
    places = [parse_cursor(one.cursor)[2:4] for one in received if one.cursor]
    assert all(before[0] <= after[0] and before[1] <= after[1] for before, after in pairwise(places))
    assert len(set(places)) == len(received)


async def _agents(stream: Any) -> list[str]:
    agents: list[str] = []
    while len(agents) < 3:
        (one,) = await take(stream, 1)
        if one.type == "agent_registered":
            payload = decoded(one)
            agents.append(payload["agent"])
    return agents


async def test_dashboard_is_refreshed_by_what_the_broker_lost(store: SqlStore) -> None:
    async with _stage(store) as stage, aclosing(dashboard_stream(stage.node, DEFAULT_TIME_RANGE)) as stream:
        await take(stream, 2)
        stage.broker.faults = [_fail]
        await create_board(stage.node, "p2")
        (overview,) = await take(stream, 1)
        assert overview.type == "dashboard_overview"


async def test_subscribers_get_a_gap_where_the_log_was_cut(store: SqlStore) -> None:
    async with _stage(store) as stage, aclosing(board_stream(stage.node, BOARD)) as stream:
        await take(stream, 2)
        stage.broker.faults = [_fail_and_cut(store)]
        await publish(stage.node, _line("lost"), _agent("lost"))
        gap, state = await take(stream, 2)
        assert (gap.type, decoded(gap)["reason"], state.type) == ("gap", "broker_lost", "state")
        await publish(stage.node, _line("goes on"))
        (line,) = await take(stream, 1)
        assert line.type == "attempt_log"


def _fail_and_cut(store: SqlStore) -> Any:
    async def fail(batch: Batch, hand_over: Any) -> None:
        for channel in (board_channel(BOARD), EVERYBODY):
            await store.prune(channel, Horizon(newest_events=0), 100)
        raise ConnectionError("on purpose")

    return fail


async def test_dashboard_subscribers_get_a_gap_where_the_log_was_cut(store: SqlStore) -> None:
    async with _stage(store) as stage, aclosing(dashboard_stream(stage.node, DEFAULT_TIME_RANGE)) as stream:
        await take(stream, 2)
        stage.broker.faults = [_fail_and_cut(store)]
        await publish(stage.node, _agent("lost"))
        received = await take(stream, 2)
        assert [one.type for one in received] == ["gap", "dashboard_overview"]


async def test_deletion_that_the_broker_lost_ends_the_subscribers(store: SqlStore) -> None:
    async with _stage(store) as stage, aclosing(board_stream(stage.node, BOARD)) as stream:
        await take(stream, 2)
        stage.broker.faults = [_drop]
        await publish(stage.node, _line("last"), event("project.deleted", {"projectId": BOARD}))
        assert [one.type for one in await take(stream, 2)] == ["attempt_log", "goodbye"]
        with pytest.raises(BoardGone):
            await take(stream, 1)


async def test_deletion_whose_event_was_cut_ends_the_subscribers(store: SqlStore) -> None:
    async with _stage(store) as stage, aclosing(board_stream(stage.node, BOARD)) as stream:
        await take(stream, 2)
        stage.broker.faults = [_fail_and_cut(store)]
        await publish(stage.node, event("project.deleted", {"projectId": BOARD}))
        assert [one.type for one in await take(stream, 1)] == ["goodbye"]
        with pytest.raises(BoardGone):
            await take(stream, 1)


async def test_view_that_is_loaded_while_its_events_are_lost_has_them(store: SqlStore) -> None:
    async with _stage(store) as stage:
        loaded = stage.node.views.watch(BOARD)
        entering = asyncio.create_task(loaded.__aenter__())
        stage.broker.faults = [_drop] * 4
        await stage.happen()
        view = await entering
        try:
            async with stage.node.views.watch(BOARD):
                found = await store.board(BOARD)
                assert found is not None
                assert view.board == found.board
        finally:
            await loaded.__aexit__(None, None, None)


async def test_command_decides_on_the_true_board_before_the_repair(store: SqlStore) -> None:
    async with _stage(store) as stage, stage.node.views.watch(BOARD):
        stage.broker.faults = [_fail, _drop, _fail]
        for n in range(3):
            done = await stage.node.bus.execute(
                BOARD, CreateCard(column_id=column_id(stage.board.state, "Backlog"), title=str(n))
            )
            keys = [card.ticket_key for card in done.board.state.cards.values()]
            assert keys == [f"AB-{number}" for number in range(1, n + 2)]


async def test_store_that_is_away_is_asked_again(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    read, refused = store.events, [StoreUnavailable("on purpose") for _ in range(3)]

    async def events(*arguments: Any) -> list[StoredEvent]:
        if refused:
            raise refused.pop()
        return await read(*arguments)

    async with _stage(store) as stage, aclosing(board_stream(stage.node, BOARD)) as stream:
        await take(stream, 2)
        monkeypatch.setattr(store, "events", events)
        stage.broker.faults = [_fail]
        await publish(stage.node, _line("late"))
        (line,) = await take(stream, 1)
        assert line.type == "attempt_log"
        assert refused == []


@pytest.mark.parametrize("times", [1, 2, 100])
@pytest.mark.parametrize("step", ["fold", "translate", "fold and then fail"])
async def test_event_that_cannot_be_delivered_is_delivered_later_or_a_gap(
    step: str, times: int, store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with _stage(store) as stage, aclosing(board_stream(stage.node, BOARD)) as stream:
        await take(stream, 2)
        view = stage.node.views.get(BOARD)
        assert view is not None
        _break(view, step, times, monkeypatch)
        await publish(stage.node, _line("a"), _line("rotten"), _line("c"))
        received = [one.type for one in await take(stream, 3 if times < 3 else 2)]
        # A gap represents everything that the subscriber had not read.
        assert received == ["attempt_log"] * 3 if times < 3 else received in (["attempt_log", "gap"], ["gap", "state"])
        if received[-1] == "gap":
            assert (await take(stream, 1))[0].type == "state"
        column = column_id(stage.board.state, "Backlog")
        await stage.node.bus.execute(BOARD, CreateCard(column_id=column, title="one"))
        (state,) = await take(stream, 1)
        assert len(decoded(state)["cards"]) == 1


def _break(view: Any, step: str, times: int, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "envelopes_of" if step == "translate" else "apply"
    whole, left = getattr(view, name), [None] * times

    def broken(stored: StoredEvent, *more: Any) -> Any:
        if "rotten" in str(stored.recorded.event.payload()) and left:
            left.pop()
            if step == "fold and then fail":
                whole(stored, *more)
            raise RuntimeError("on purpose")
        return whole(stored, *more)

    monkeypatch.setattr(view, name, broken)


async def test_closed_repair_leaves_no_task(store: SqlStore) -> None:
    before = asyncio.all_tasks()
    async with _stage(store) as stage, aclosing(board_stream(stage.node, BoardId(BOARD))) as stream:
        await take(stream, 2)
        stage.broker.faults = [_drop]
        await publish(stage.node, _line("a"))
    assert asyncio.all_tasks() == before


def _failing(monkeypatch: pytest.MonkeyPatch, holder: Any, name: str, times: int) -> None:
    whole, left = getattr(holder, name), [None] * times

    def failing(*arguments: Any, **named: Any) -> Any:
        if left:
            left.pop()
            raise RuntimeError("on purpose")
        return whole(*arguments, **named)

    monkeypatch.setattr(holder, name, failing)


async def test_channel_that_could_not_be_given_something_gets_a_gap_and_the_others_all(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with _stage(store) as stage, AsyncExitStack() as stack:
        streams = [board_stream(stage.node, BOARD, options=StreamOptions(delivery=one)) for one in Delivery]
        for stream in streams:
            await stack.enter_async_context(aclosing(stream))
            await take(stream, 2)
        _failing(monkeypatch, Hub, "publish", 1)
        await publish(stage.node, _line("a"))
        received = [[one.type for one in await take(stream, 1)] for stream in streams]
        assert sorted(received) == [["attempt_log"], ["attempt_log"], ["gap"]]
        assert [one.type for one in await take(streams[received.index(["gap"])], 1)] == ["state"]
        await publish(stage.node, _line("b"))
        assert [[one.type for one in await take(stream, 1)] for stream in streams] == [["attempt_log"]] * 3


async def test_subscriber_that_would_rather_end_when_slow_goes_on_after_a_fault_of_ours(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = StreamOptions(slow=SlowPolicy.DISCONNECT)
    async with _stage(store) as stage, aclosing(board_stream(stage.node, BOARD, options=options)) as stream:
        await take(stream, 2)
        _failing(monkeypatch, Hub, "publish", 1)
        await publish(stage.node, _line("a"))
        assert [one.type for one in await take(stream, 2)] == ["gap", "state"]


@pytest.mark.parametrize("times", [1, 2, 4])
async def test_subscribers_of_a_deleted_board_get_a_goodbye_despite_faults(
    times: int, store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with _stage(store) as stage, aclosing(board_stream(stage.node, BOARD)) as stream:
        await take(stream, 2)
        _failing(monkeypatch, Hub, "end", times)
        await publish(stage.node, event("project.deleted", {"projectId": BOARD}))
        assert [one.type for one in await take(stream, 1)] == ["goodbye"]
        with pytest.raises(BoardGone):
            await take(stream, 1)


async def test_subscriber_that_comes_to_a_broken_view_waits_until_it_is_whole(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with _stage(store) as stage, stage.node.views.watch(BOARD) as view:
        _break(view, "fold and then fail", 2, monkeypatch)
        await publish(stage.node, _line("rotten"))
        assert stage.node.views.get(BOARD) is None
        assert state_of(stage.node, BOARD) is None
        async with aclosing(board_stream(stage.node, BOARD)) as stream:
            hello, state = await take(stream, 2)
        assert (hello.type, state.type) == ("hello", "state")
        assert state.cursor == view.position.cursor
        assert view.position.offset == await store.offset(board_channel(BOARD))
