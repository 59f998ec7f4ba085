"""The dashboard's overview: computed while watched, once after the first change, and when only time changed it."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import anyio
import anyio.lowlevel
import orjson
import pytest

from realtime.dashboard.figures import DashboardFigures
from realtime.dashboard.time_range import DEFAULT_TIME_RANGE, TimeRange, TimeRangePreset, Window
from realtime.errors import StoreUnavailable
from realtime.fanout.hub import Hub
from realtime.fanout.subscriber import Subscriber
from realtime.fanout.writer_priority import WriterPriority
from realtime.kanban.board import Board
from realtime.messages.envelopes import Envelope
from realtime.node import Node
from realtime.ports import Store
from realtime.views import dashboard_feed
from realtime.views.dashboard_feed import DashboardFeed
from tests.kit.deadline import deadline
from tests.kit.nodes import SteppingClock, create_board, publish
from tests.kit.publishing import event

ALL_TIME = TimeRange(TimeRangePreset.ALL_TIME)


@dataclass
class _Figures:
    """The store's figures, with a counter. A set `fault` replaces one result, and `gate` holds results back."""

    store: Store
    reads: int = 0
    held: int = 0
    fault: Exception | None = None
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def dashboard_figures(self, window: Window) -> DashboardFigures:
        self.reads += 1
        fault, self.fault = self.fault, None
        if fault:
            raise fault
        figures = await self.store.dashboard_figures(window)
        self.held += 1
        await self.gate.wait()
        self.held -= 1
        return figures

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)


@dataclass
class _Desk:
    """A feed over counted reads, and a clock."""

    figures: _Figures
    clock: SteppingClock
    hub: Hub
    feed: DashboardFeed

    @asynccontextmanager
    async def subscriber(self, time_range: TimeRange = DEFAULT_TIME_RANGE) -> AsyncIterator[Subscriber]:
        """Watch like a stream, and read the first overview."""
        queue = Subscriber(100)
        async with self.feed.watch(time_range) as channel:
            with self.hub.subscribe(channel, queue):
                await self.feed.envelope(time_range)
                yield queue

    async def until_held(self, reads: int) -> None:
        """Wait until this many reads have their figures and wait at the gate."""
        async with deadline(10):
            while self.figures.held < reads:
                await anyio.lowlevel.checkpoint()

    async def until_read(self, times: int) -> None:
        """Wait until the figures were read this many times more, and the results were sent."""
        reads = self.figures.reads + times
        async with deadline(10):
            while self.figures.reads < reads:
                await anyio.lowlevel.checkpoint()
            await anyio.wait_all_tasks_blocked()


async def _get(queue: Subscriber) -> dict[str, Any]:
    async with deadline(10):
        envelope: Envelope = await queue.get()
    assert envelope.type == "dashboard_overview"
    overview: dict[str, Any] = orjson.loads(envelope.payload_json())
    return overview


@pytest.fixture
def desk(node: Node, board: Board) -> _Desk:
    """A feed without watchers, over a store with one board."""
    figures, clock, hub = _Figures(node.store), SteppingClock(), Hub(WriterPriority())
    figures.gate.set()
    return _Desk(figures, clock, hub, DashboardFeed(hub, figures, clock, "e1", 0))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refresh at once if nothing changes."""
    monkeypatch.setattr(dashboard_feed, "REFRESH_SECONDS", 0.002)


async def test_nothing_is_computed_while_nobody_watches(desk: _Desk) -> None:
    desk.feed.changed()
    await anyio.wait_all_tasks_blocked()
    assert desk.figures.reads == 0
    async with desk.subscriber():
        assert desk.figures.reads == 1
    desk.feed.changed()
    await anyio.wait_all_tasks_blocked()
    assert desk.figures.reads == 1
    assert desk.feed.channels() == ()


async def test_overview_comes_once_after_the_first_of_many_changes(
    desk: _Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dashboard_feed, "DEBOUNCE_SECONDS", 0.05)
    async with desk.subscriber() as queue:
        begin = asyncio.get_running_loop().time()
        async with deadline(10):
            while not len(queue):  # a timer that these events restart would never fire
                desk.feed.changed()
                await anyio.lowlevel.checkpoint()
        assert asyncio.get_running_loop().time() - begin >= 0.045
        await _get(queue)


async def test_many_changes_at_once_are_one_overview(desk: _Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dashboard_feed, "DEBOUNCE_SECONDS", 0.0)
    async with desk.subscriber() as queue:
        for _ in range(10):
            desk.feed.changed()
        await _get(queue)
        await anyio.wait_all_tasks_blocked()
        assert (desk.figures.reads, len(queue)) == (2, 0)


async def test_debounce_and_refresh_are_those_of_the_contract() -> None:
    assert (dashboard_feed.DEBOUNCE_SECONDS, dashboard_feed.REFRESH_SECONDS) == (0.15, 15.0)


async def test_overview_after_a_change_is_sent_even_when_it_is_the_same(
    desk: _Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dashboard_feed, "DEBOUNCE_SECONDS", 0.0)
    async with desk.subscriber() as queue:
        desk.feed.changed()
        first = await _get(queue)
        desk.feed.changed()
        second = await _get(queue)
    assert first["metrics"]["byKey"]["projects.total"]["total"] == 1
    assert second["generatedAt"] > first["generatedAt"]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("time_range", [DEFAULT_TIME_RANGE, ALL_TIME], ids=lambda range: range.key)
async def test_look_without_a_difference_is_not_sent(desk: _Desk, time_range: TimeRange) -> None:
    async with desk.subscriber(time_range) as queue:
        await desk.until_read(5)
        assert len(queue) == 0


@pytest.mark.usefixtures("quick")
async def test_look_with_a_difference_is_sent_once(desk: _Desk, node: Node) -> None:
    async with desk.subscriber() as queue:
        await desk.until_read(2)
        await create_board(node, "p2")
        assert (await _get(queue))["metrics"]["byKey"]["projects.total"]["total"] == 2
        await desk.until_read(3)
        assert len(queue) == 0


@pytest.mark.usefixtures("quick")
async def test_attempt_that_leaves_the_window_makes_a_difference(desk: _Desk, node: Node) -> None:
    queued = {"attemptId": "a1", "boardId": "p1", "cardId": "k1", "agent": "CODEX"}
    await publish(node, event("attempt.queued", queued, at="2025-01-02T03:04:05.000Z"))
    async with desk.subscriber() as queue:
        await desk.until_read(3)
        assert len(queue) == 0
        desk.clock.now += timedelta(days=8)
        assert (await _get(queue))["metrics"]["attemptsInRange"] == 0


@pytest.mark.usefixtures("quick")
async def test_subscriber_that_came_between_two_looks_is_not_left_with_another_overview(
    desk: _Desk, node: Node
) -> None:
    async with desk.subscriber() as early:
        desk.figures.gate.clear()
        await desk.until_held(1)  # this read has the current figures
        await create_board(node, "p2")
        late = asyncio.create_task(desk.feed.envelope(DEFAULT_TIME_RANGE))
        await desk.until_held(2)
        desk.figures.gate.set()
        assert (await _get(early))["metrics"]["byKey"]["projects.total"]["total"] == 2
        await late


async def test_time_ranges_have_overviews_of_their_own(desk: _Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dashboard_feed, "DEBOUNCE_SECONDS", 0.0)
    async with desk.subscriber() as week, desk.subscriber(ALL_TIME) as ever:
        assert len(desk.feed.channels()) == 2
        desk.feed.changed()
        assert (await _get(week))["timeRange"]["preset"] == "last_7d"
        assert (await _get(ever))["timeRange"]["preset"] == "all_time"
    assert desk.feed.channels() == ()


async def test_subscribers_that_come_together_share_one_overview(desk: _Desk) -> None:
    desk.figures.gate.clear()
    async with deadline(10), desk.feed.watch(DEFAULT_TIME_RANGE):
        tasks = [asyncio.create_task(desk.feed.envelope(DEFAULT_TIME_RANGE)) for _ in range(5)]
        await anyio.wait_all_tasks_blocked()
        desk.figures.gate.set()
        assert len({id(await task) for task in tasks}) == 1
    assert desk.figures.reads == 1


async def test_fault_is_logged_and_the_feed_goes_on(
    desk: _Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(dashboard_feed, "DEBOUNCE_SECONDS", 0.0)
    monkeypatch.setattr(dashboard_feed, "RETRY_SECONDS", (0.0, 0.0))
    async with desk.subscriber() as queue:
        with caplog.at_level(logging.ERROR, logger=dashboard_feed.__name__):
            desk.figures.fault = StoreUnavailable("away")
            desk.feed.changed()
            await _get(queue)  # no further change was needed
        assert ["could not be computed" in record.getMessage() for record in caplog.records] == [True]
        desk.feed.changed()
        await _get(queue)


async def test_failure_of_the_first_overview_reaches_its_subscribers(desk: _Desk) -> None:
    desk.figures.fault = StoreUnavailable("away")
    async with desk.feed.watch(DEFAULT_TIME_RANGE):
        with pytest.raises(StoreUnavailable):
            await desk.feed.envelope(DEFAULT_TIME_RANGE)
        assert (await desk.feed.envelope(DEFAULT_TIME_RANGE)).type == "dashboard_overview"


async def test_first_overview_that_fails_after_its_subscriber_left_is_no_fault(desk: _Desk) -> None:
    faults: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: faults.append(context))
    try:
        desk.figures.fault = StoreUnavailable("away")
        task = asyncio.create_task(desk.feed.envelope(DEFAULT_TIME_RANGE))
        await anyio.lowlevel.checkpoint()
        task.cancel()
        await asyncio.wait([task])
        await anyio.wait_all_tasks_blocked()
        gc.collect()
    finally:
        loop.set_exception_handler(None)
    assert faults == []


async def test_last_subscriber_that_leaves_stops_timer_and_loop(desk: _Desk) -> None:
    tasks = asyncio.all_tasks()
    async with desk.subscriber(), desk.subscriber():
        desk.feed.changed()
    await anyio.wait_all_tasks_blocked()
    assert asyncio.all_tasks() == tasks
    assert desk.figures.reads <= 2
    async with desk.subscriber() as queue:
        desk.feed.changed()
        await _get(queue)


async def test_position_follows_the_global_log(desk: _Desk, node: Node) -> None:
    assert (desk.feed.position.offset, desk.feed.position.global_offset) == (0, 0)
    await publish(node, event("agent.registered", {"agent": "A"}))
    assert node.dashboard.position.global_offset == 1
