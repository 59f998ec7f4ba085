"""The log is pruned in the background. Faults do not end that, and a stop never waits for it."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import timedelta
from pathlib import Path

import pytest

from realtime.backends.sql import engine
from realtime.backends.sql.store import SqlStore
from realtime.clock import Clock, system_clock
from realtime.messages.channels import EVERYBODY, Channel, board_channel
from realtime.node import Node
from realtime.ports import Horizon
from realtime.writing.retention import PIECE_EVENTS, Retention, pruning
from tests.kit.deadline import deadline
from tests.kit.moving_clock import MovingClock
from tests.kit.nodes import BOARD, MEMORY, START, create_board, open_node, publish
from tests.kit.publishing import event

_UNITS = 20
_OFTEN = 0.001
OF_BOARD = board_channel(BOARD)
LINE = {"attemptId": "a1", "boardId": BOARD, "level": "info", "message": "m"}


class _WatchedStore(SqlStore):
    """A store that signals the start of a round of pruning, the end of a piece, and a failed piece."""

    def __init__(self, url: str = MEMORY, clock: Clock = system_clock) -> None:
        super().__init__(url, clock=clock)
        self.rounds = 0
        self.round_began = asyncio.Condition()
        self.piece_done, self.piece_failed = asyncio.Event(), asyncio.Event()
        self.fault: Exception | None = None

    async def prunable(self, horizon: Horizon) -> list[Channel]:
        """Signal the start of a round."""
        async with self.round_began:
            self.rounds += 1
            self.round_began.notify_all()
        return await super().prunable(horizon)

    async def prune(self, channel: Channel, horizon: Horizon, limit: int) -> int:
        """Signal the end of the piece; fail if there is a fault."""
        try:
            if self.fault is not None:
                raise self.fault
            return await super().prune(channel, horizon, limit)
        except Exception:
            self.piece_failed.set()
            raise
        finally:
            self.piece_done.set()

    async def whole_round(self) -> None:
        """Return when a round has begun and ended."""
        async with self.round_began:
            began = self.rounds
            await self.round_began.wait_for(lambda: self.rounds >= began + 2)


@asynccontextmanager
async def _node(store: _WatchedStore) -> AsyncIterator[Node]:
    await store.open()
    try:
        async with open_node(store) as node:
            await create_board(node)
            yield node
    finally:
        await store.aclose()


async def _write(node: Node, count: int) -> None:
    await publish(node, *[event("attempt.log.appended", LINE)] * count)


def _newest(count: int) -> Retention:
    return Retention(None, count, _OFTEN)


async def test_log_is_kept_to_the_newest_events_round_after_round() -> None:
    store = _WatchedStore()
    async with _node(store) as node, deadline(_UNITS):
        async with pruning(store, system_clock, _newest(3)):
            for pruned in (8, 18):
                await _write(node, 10)
                await store.whole_round()
                assert await store.pruned(OF_BOARD) == pruned
        await _write(node, 10)
        assert await store.pruned(OF_BOARD) == 18


async def test_log_is_kept_to_its_age_by_the_clock_that_is_given() -> None:
    clock = MovingClock(START)
    store = _WatchedStore(clock=clock)
    async with (
        _node(store) as node,
        deadline(_UNITS),
        pruning(store, clock, Retention(timedelta(days=2), None, _OFTEN)),
    ):
        await publish(node, event("agent.registered", {"agent": "A"}))
        clock.go_on(24 * 3600 * 1000)
        await _write(node, 1)
        await store.whole_round()
        assert [await store.pruned(channel) for channel in (OF_BOARD, EVERYBODY)] == [0, 0]
        clock.go_on(24 * 3600 * 1000 + 1)
        await store.whole_round()
        assert [await store.pruned(channel) for channel in (OF_BOARD, EVERYBODY)] == [1, 1]


async def test_node_prunes_only_while_it_leads() -> None:
    store, asked, leads = _WatchedStore(), asyncio.Event(), False

    def is_leader() -> bool:
        asked.set()
        return leads

    async with _node(store) as node, deadline(_UNITS):
        await _write(node, 10)
        async with pruning(store, system_clock, _newest(3), is_leader):
            for _ in range(3):
                asked.clear()
                await asked.wait()
            assert store.rounds == 0
            leads = True
            await store.whole_round()
            assert await store.pruned(OF_BOARD) == 8


async def test_stopping_waits_for_the_piece_under_way_only_and_the_rest_goes_later() -> None:
    store = _WatchedStore()
    async with _node(store) as node, deadline(_UNITS):
        for _ in range(4):
            await _write(node, 1000)
        async with pruning(store, system_clock, _newest(0)):
            await store.piece_done.wait()
        pruned = await store.pruned(OF_BOARD)
        assert pruned == PIECE_EVENTS
        first, *_ = (await store.event_page(OF_BOARD, 0, 1)).entries
        assert first[0] == PIECE_EVENTS + 1
        assert await store.past_board(BOARD, pruned) is not None
        async with pruning(store, system_clock, _newest(0)):
            await store.whole_round()
        assert await store.pruned(OF_BOARD) == 4001


async def test_store_that_is_away_is_pruned_when_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(engine, "BUSY_MILLISECONDS", 20)
    file = tmp_path / "b.db"
    store = _WatchedStore(f"sqlite:///{file}")
    async with _node(store), deadline(_UNITS):
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            async with pruning(store, system_clock, _newest(0)):
                await store.piece_failed.wait()
                other.execute("ROLLBACK")
                await store.whole_round()
        assert await store.pruned(OF_BOARD) == 1
    levels = {record.levelno for record in caplog.records if record.name == "realtime.writing.retention"}
    assert levels == {logging.WARNING}
    assert "locked" in caplog.text


async def test_fault_of_our_own_is_logged_and_the_next_round_tries_again(caplog: pytest.LogCaptureFixture) -> None:
    store = _WatchedStore()
    store.fault = RuntimeError("on purpose")
    async with _node(store), deadline(_UNITS):
        async with pruning(store, system_clock, _newest(0)):
            await store.piece_failed.wait()
            store.fault = None
            await store.whole_round()
        assert await store.pruned(OF_BOARD) == 1
    assert "on purpose" in caplog.text


async def test_log_without_limits_is_kept_whole() -> None:
    store = _WatchedStore()
    async with _node(store), deadline(_UNITS):
        async with pruning(store, system_clock, Retention(None, None, _OFTEN)):
            await store.whole_round()
        assert await store.pruned(OF_BOARD) == 0


def test_horizon_has_the_limits_that_are_set() -> None:
    assert Retention(None, None, 1).horizon(START) == Horizon()
    both = Retention(timedelta(days=1), 7, 1).horizon(START)
    assert both == Horizon(START - timedelta(days=1), 7)
