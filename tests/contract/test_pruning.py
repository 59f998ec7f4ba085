"""The promises of every store about pruning (`ports.LogPruner`): the pieces, their atomicity, and what remains."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import anyio.lowlevel
import pytest

from realtime.backends.sql.store import SqlStore
from realtime.kanban.board import Board
from realtime.kanban.commands import CreateCard
from realtime.messages.channels import EVERYBODY, Channel, board_channel
from realtime.node import Node
from realtime.ports import Horizon, Span
from tests.kit.attempt_contents import lines_of
from tests.kit.deadline import deadline
from tests.kit.nodes import BOARD, START, SteppingClock, column_id, create_board, open_node, open_store, publish
from tests.kit.publishing import event

OF_BOARD = board_channel(BOARD)
OTHER = "p2"
LINE = {"attemptId": "a1", "boardId": BOARD, "level": "info", "message": "m"}


def newest(count: int) -> Horizon:
    """Return the horizon that keeps only the newest events."""
    return Horizon(newest_events=count)


async def write(node: Node, count: int) -> None:
    """Append this many events to the log of the board."""
    await publish(node, *[event("attempt.log.appended", LINE)] * count)


async def offsets(store: SqlStore, channel: Channel = OF_BOARD) -> list[int]:
    """Return the offsets in the log of a channel."""
    return [place for place, _ in (await store.event_page(channel, 0, 10_000)).entries]


async def forget(store: SqlStore, horizon: Horizon, limit: int = 1000) -> dict[Channel, int]:
    """Prune everything beyond the horizon; return the number of events per channel."""
    gone: dict[Channel, int] = {}
    for channel in await store.prunable(horizon):
        while piece := await store.prune(channel, horizon, limit):
            gone[channel] = gone.get(channel, 0) + piece
    return gone


async def test_log_is_forgotten_piece_by_piece_to_the_newest_events(store: SqlStore) -> None:
    async with open_node(store) as node:
        await create_board(node)
        await write(node, 24)
        assert [await store.prune(OF_BOARD, newest(3), 10) for _ in range(4)] == [10, 10, 2, 0]
        assert await offsets(store) == [23, 24, 25]
        assert await store.pruned(OF_BOARD) == 22
        assert await store.prunable(newest(3)) == []
        assert await forget(store, newest(0)) == {OF_BOARD: 3}
        assert await offsets(store) == []
        assert await store.offset(OF_BOARD) == 25


async def test_after_each_piece_the_board_is_known_from_the_cut_and_not_before(store: SqlStore) -> None:
    async with open_node(store) as node:
        board = await create_board(node)
        for n in range(10):
            await node.bus.execute(BOARD, CreateCard(column_id=column_id(board.state, "Backlog"), title=f"{n}"))
        before = {offset: await store.past_board(BOARD, offset) for offset in range(22)}
        assert len({len(known.state.cards) for known in before.values() if known is not None}) == 11
        for cut in (4, 8, 12, 16, 20):
            await store.prune(OF_BOARD, newest(1), 4)
            received = {offset: await store.past_board(BOARD, offset) for offset in range(22)}
            assert received == {offset: known if offset >= cut else None for offset, known in before.items()}


async def test_offsets_go_on_and_rows_stay_when_all_is_forgotten(store: SqlStore) -> None:
    async with open_node(store) as node:
        await create_board(node)
        await write(node, 4)
        await publish(node, event("agent.registered", {"agent": "A"}))
        before = await store.board(BOARD), await store.agents(), await lines_of(store, "a1")
        await forget(store, newest(0))
        assert (await store.board(BOARD), await store.agents(), await lines_of(store, "a1")) == before
        await write(node, 1)
        await publish(node, event("agent.registered", {"agent": "B"}))
        assert (await offsets(store), await offsets(store, EVERYBODY)) == ([6], [2])
        (own, everybody) = await store.events(OF_BOARD, Span(5, 6, 1, 2), 10)
    assert (own.channel, own.offset, own.global_offset) == (OF_BOARD, 6, 1)
    assert (everybody.channel, everybody.offset) == (EVERYBODY, 2)


async def test_events_written_before_an_instant_are_forgotten_up_to_the_first_younger_one(tmp_path: Path) -> None:
    clock = SteppingClock()
    store = SqlStore(f"sqlite:///{tmp_path / 'b.db'}", clock=clock)
    await store.open()
    try:
        async with open_node(store) as node:
            await create_board(node)
            await write(node, 2)
            clock.now = START + timedelta(days=1)
            # Old by its sender's clock, but written now.
            await publish(node, event("attempt.log.appended", LINE, "1999-01-01T00:00:00.000Z"))
            clock.now = START - timedelta(days=1)
            await write(node, 1)
        horizon = Horizon(recorded_before=START + timedelta(hours=1))
        assert await store.prunable(Horizon(recorded_before=START)) == []
        assert await store.prunable(horizon) == [OF_BOARD]
        assert [await store.prune(OF_BOARD, horizon, 2) for _ in range(3)] == [2, 1, 0]
        # The clock was set back before the last event. An event that follows a younger one stays with it.
        assert await offsets(store) == [4, 5]
        assert await store.prunable(horizon) == []
        assert await store.prune(OF_BOARD, Horizon(START + timedelta(days=2)), 10) == 2
    finally:
        await store.aclose()


async def test_events_beyond_either_limit_are_pruned(store: SqlStore) -> None:
    async with open_node(store) as node:
        await create_board(node)
        await write(node, 9)
        ages = Horizon(recorded_before=START, newest_events=4)  # all events are younger
        assert await forget(store, ages) == {OF_BOARD: 6}
        assert await forget(store, Horizon(START + timedelta(days=100_000), 100)) == {OF_BOARD: 4}


async def test_without_a_limit_everything_stays(store: SqlStore) -> None:
    async with open_node(store) as node:
        await create_board(node)
        await write(node, 5)
        assert await store.prunable(Horizon()) == []
        assert await store.prune(OF_BOARD, Horizon(), 10) == 0


async def test_channel_without_events_has_nothing_to_forget(store: SqlStore) -> None:
    assert await store.prunable(newest(0)) == []
    assert await store.prune(Channel("board:nowhere"), newest(0), 10) == 0
    assert await store.pruned(Channel("board:nowhere")) == 0


async def test_each_channel_is_forgotten_by_itself(store: SqlStore) -> None:
    async with open_node(store) as node:
        await create_board(node)
        await create_board(node, OTHER)
        await publish(node, *[event("agent.registered", {"agent": "A"})] * 5)
        await write(node, 2)
        assert await forget(store, newest(2)) == {OF_BOARD: 1, EVERYBODY: 3}
        assert await offsets(store, EVERYBODY) == [4, 5]
        assert await offsets(store, Channel("board:p2")) == [1]
        assert [await store.pruned(one) for one in (OF_BOARD, EVERYBODY, Channel("board:p2"))] == [1, 3, 0]


async def test_board_that_was_deleted_is_forgotten_and_may_come_back(store: SqlStore) -> None:
    async with open_node(store) as node:
        await create_board(node)
        await write(node, 250)  # enough for a snapshot
        await publish(node, event("project.deleted", {"projectId": BOARD}))
        assert await forget(store, newest(0)) == {OF_BOARD: 252}
        assert await store.past_board(BOARD, 252) is None
        anew = await create_board(node, name="Anew")
        assert await store.past_board(BOARD, 252) is None
        assert await store.past_board(BOARD, 253) == anew
        await write(node, 1)
        assert await forget(store, newest(1)) == {OF_BOARD: 1}
        assert await store.past_board(BOARD, 253) == anew


async def test_cut_between_deleting_and_making_anew_leads_to_the_new_board(store: SqlStore) -> None:
    async with open_node(store) as node:
        await create_board(node)
        await publish(node, event("project.deleted", {"projectId": BOARD}))
        anew = await create_board(node, name="Anew")
        await write(node, 1)
        assert await store.prune(OF_BOARD, newest(0), 2) == 2
        assert [await store.past_board(BOARD, offset) for offset in (1, 2, 3, 4)] == [None, None, anew, anew]


async def test_key_of_a_forgotten_event_is_free_again(store: SqlStore) -> None:
    keyed = {**event("attempt.log.appended", LINE), "id": "once"}
    async with open_node(store) as node:
        await create_board(node)
        await publish(node, keyed)
        assert [one.duplicate for one in await publish(node, keyed)] == [True]
        await forget(store, newest(0))
        assert [one.duplicate for one in await publish(node, keyed)] == [False]


@pytest.mark.parametrize("turns", range(0, 24, 3))
async def test_piece_whose_caller_is_cancelled_is_whole_and_the_store_goes_on(store: SqlStore, turns: int) -> None:
    async with open_node(store) as node:
        board = await create_board(node)
        await write(node, 9)
        async with deadline(20):
            task = asyncio.create_task(store.prune(OF_BOARD, newest(0), 5))
            for _ in range(turns):
                await anyio.lowlevel.checkpoint()
            task.cancel()
            await asyncio.wait([task])
            await write(node, 1)
        pruned = await store.pruned(OF_BOARD)
        assert pruned in {0, 5}
        assert await offsets(store) == list(range(pruned + 1, 12))
        await _check_replay(store, board, pruned)


async def _check_replay(store: SqlStore, board: Board, pruned: int) -> None:
    assert await store.past_board(BOARD, pruned) == (board if pruned else None)
    assert await store.past_board(BOARD, 11) == board


async def test_piece_that_fails_in_the_middle_forgets_nothing(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> bytes:
        raise RuntimeError("on purpose")

    async with open_node(store) as node:
        await create_board(node)
        await write(node, 9)
        with monkeypatch.context() as patched:
            patched.setattr("realtime.backends.sql.writing.pruning.board_to_json", fail)
            with pytest.raises(RuntimeError, match="on purpose"):
                await store.prune(OF_BOARD, newest(0), 5)
        assert (await offsets(store), await store.pruned(OF_BOARD)) == (list(range(1, 11)), 0)
        assert await forget(store, newest(0)) == {OF_BOARD: 10}


async def test_forgetting_leaves_one_snapshot_of_a_board_and_none_of_a_deleted_one(tmp_path: Path) -> None:
    file = tmp_path / "b.db"
    async with open_store(f"sqlite:///{file}") as store, open_node(store) as node:
        for board_id in (BOARD, OTHER):
            await create_board(node, board_id)
            await publish(node, *[event("attempt.log.appended", {**LINE, "boardId": board_id})] * 450)
            await publish(node, *[event("attempt.log.appended", {**LINE, "boardId": board_id})] * 450)
        await publish(node, event("project.deleted", {"projectId": OTHER}))
        await forget(store, newest(100), 300)
    with closing(sqlite3.connect(file)) as database:
        snapshots = database.execute("SELECT board_id, offset FROM snapshots").fetchall()
    assert snapshots == [(BOARD, 801), (BOARD, 901), (OTHER, 802), (OTHER, 901)]
    async with open_store(f"sqlite:///{file}") as store:
        await forget(store, newest(0))
    with closing(sqlite3.connect(file)) as database:
        snapshots = database.execute("SELECT board_id, offset FROM snapshots").fetchall()
        events = database.execute("SELECT count(*) FROM events").fetchone()
    assert (snapshots, events) == ([(BOARD, 901)], (0,))


async def test_writers_get_their_turn_between_pieces(tmp_path: Path) -> None:
    async with open_store(f"sqlite:///{tmp_path / 'b.db'}") as store, open_node(store) as node:
        await create_board(node)
        await write(node, 100)
        forgetting = asyncio.create_task(forget(store, newest(0), 1))
        async with deadline(20):
            for _ in range(10):
                await write(node, 1)
                assert not forgetting.done()
            await forgetting
        assert await store.offset(OF_BOARD) == 111
