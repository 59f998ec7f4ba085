"""A client that reconnects with a cursor gets, in the end, the same envelopes as one that stayed."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from realtime.backends.sql.store import SqlStore
from realtime.dashboard.time_range import DEFAULT_TIME_RANGE
from realtime.errors import PositionLost
from realtime.fanout.subscriber import Subscriber
from realtime.kanban.board import Board
from realtime.kanban.commands import CreateCard
from realtime.kanban.ids import BoardId
from realtime.messages.batches import Batch
from realtime.messages.channels import EVERYBODY, board_channel
from realtime.messages.envelopes import Envelope
from realtime.messages.options import StreamOptions
from realtime.messages.payloads import State
from realtime.messages.position import Position, channel_tag, parse_cursor
from realtime.node import Node
from realtime.views.replay import seen_at
from tests.kit.deadline import deadline
from tests.kit.envelope_streams import board_stream, dashboard_stream
from tests.kit.nodes import BOARD, MEMORY, column_id, create_board, open_node, open_store, publish, queued, take
from tests.kit.plain_envelopes import decoded
from tests.kit.publishing import event
from tests.unit.realtime.history import BOARDS, Step, carry_out, steps

_UNITS = 30
#: Few enough that a short history crosses several snapshots.
_SNAPSHOT_EVENTS = 3
NOW = Position("e1", "0a0a0a0a", 5, 3)

Seen = tuple[str, str | None, bytes]


def line(n: int) -> dict[str, Any]:
    """Return the event of one line of a log."""
    payload = {"attemptId": "a1", "boardId": BOARD, "level": "info", "message": f"line {n}"}
    return event("attempt.log.appended", payload)


def seen(envelopes: Sequence[Envelope]) -> list[Seen]:
    return [(one.type, one.cursor, one.payload_json()) for one in envelopes]


class _Attentive(Subscriber):
    """A queue whose subscriber reads each batch before the next one comes, so that nothing is conflated."""

    def __init__(self) -> None:
        super().__init__(10_000)
        self.came: list[Envelope] = []

    def put_next(self, batch: Batch) -> None:
        self.came += batch
        super().put_next(batch)


class _Subscriber:
    """A subscriber of a board, from its creation to its end."""

    def __init__(self, node: Node, board_id: BoardId) -> None:
        self.board_id = board_id
        self.had: list[Envelope] = []
        self._node = node
        self._queue = _Attentive()
        self._open = AsyncExitStack()

    async def begin(self) -> None:
        stream = await self._open.enter_async_context(aclosing(board_stream(self._node, self.board_id, self._queue)))
        self.had += (await take(stream, 2))[1:]

    async def catch_up(self) -> None:
        self.had += self._queue.came
        self._queue.came.clear()
        await queued(self._queue)

    async def end(self) -> None:
        await self._open.aclose()


async def _check_return(node: Node, subscriber: _Subscriber, at: int) -> None:
    """Reconnect after the envelope `at`: the client must get the rest of the envelopes, and nothing else."""
    rest = subscriber.had[at + 1 :]
    async with aclosing(
        board_stream(node, subscriber.board_id, options=StreamOptions(after=subscriber.had[at].cursor))
    ) as stream:
        hello, *missed = await take(stream, 1 + len(rest))
        await publish(node, event("attempt.log.appended", _marker(subscriber.board_id)))
        (marker,) = await take(stream, 1)
    assert decoded(hello)["cursor"] == subscriber.had[at].cursor
    assert seen(missed) == seen(rest)
    assert b"marker" in marker.payload_json()
    await subscriber.catch_up()


def _marker(board_id: BoardId) -> dict[str, str]:
    return {"attemptId": "m", "boardId": board_id, "level": "info", "message": "marker"}


@settings(phases=(Phase.explicit, Phase.reuse, Phase.generate))
@pytest.mark.timeout(0)  # each history has its own deadline
@given(
    history=st.lists(steps(), min_size=5, max_size=30), returns=st.lists(st.integers(0, 1000), min_size=6, max_size=12)
)
async def test_subscriber_that_comes_back_has_what_one_had_that_stayed(history: list[Step], returns: list[int]) -> None:
    async with deadline(_UNITS), _node_with_many_snapshots() as node:
        await _check_history(node, history, returns)


async def test_subscriber_may_come_back_at_any_of_its_cursors() -> None:
    async with deadline(_UNITS), _node_with_many_snapshots() as node:
        await create_board(node)
        subscriber = _Subscriber(node, BOARD)
        await subscriber.begin()
        try:
            for n in range(10):
                await carry_out(node, Step("create", a=n))
                await carry_out(node, Step("move", a=n // 2, b=0, c=n))
                await carry_out(node, Step("agent.registered"))
                await carry_out(node, Step("git.commit.created", b=n))
            await subscriber.catch_up()
            for at in range(len(subscriber.had)):
                await _check_return(node, subscriber, at)
        finally:
            await subscriber.end()


@asynccontextmanager
async def _node_with_many_snapshots() -> AsyncIterator[Node]:
    store = SqlStore(MEMORY, snapshot_events=_SNAPSHOT_EVENTS)
    await store.open()
    try:
        async with open_node(store) as node:
            yield node
    finally:
        await store.aclose()


async def _check_history(node: Node, history: list[Step], returns: list[int]) -> None:
    for board_id in BOARDS:
        await carry_out(node, Step("project.created", BOARDS.index(board_id)))
    subscribers = [_Subscriber(node, board_id) for board_id in BOARDS]
    for subscriber in subscribers:
        await subscriber.begin()
    try:
        for step in history:
            # A subscriber does not outlive its board, so there would be nothing to compare.
            if not {"project.deleted", "watch"} & {step.kind, *(part.kind for part in step.parts)}:
                await carry_out(node, step)
        for subscriber in subscribers:
            await subscriber.catch_up()
            for at in returns:
                await _check_return(node, subscriber, at % len(subscriber.had))
    finally:
        for subscriber in subscribers:
            await subscriber.end()


async def test_envelopes_of_one_event_are_resumed_in_the_middle(node: Node, board: Board) -> None:
    commit = {
        "projectId": BOARD,
        "attemptId": "a1",
        "shortSha": "abc",
        "subject": "s",
        "ts": "2025-01-01T00:00:00.000Z",
    }
    async with aclosing(board_stream(node, BOARD)) as stream:
        await take(stream, 2)
        await publish(node, event("git.commit.created", commit), line(1))
        log, *rest = await take(stream, 3)
    assert (log.type, rest[0].type) == ("attempt_log", "git_commit")
    async with aclosing(board_stream(node, BOARD, options=StreamOptions(after=log.cursor))) as stream:
        _, *missed = await take(stream, 3)
    assert seen(missed) == seen(rest)


async def test_replay_of_more_than_a_page_is_whole_and_live_events_follow(node: Node, board: Board) -> None:
    async with aclosing(board_stream(node, BOARD)) as stream:
        _, state = await take(stream, 2)
    await publish(node, *map(line, range(900)))
    async with aclosing(board_stream(node, BOARD, options=StreamOptions(after=state.cursor))) as stream:
        before = await take(stream, 100)
        # New events during the replay wait until the missed ones are read.
        await publish(node, *map(line, range(900, 1300)))
        rest = await take(stream, 1201, units=20)
    messages = [decoded(one)["message"] for one in (*before[1:], *rest)]
    assert messages == [f"line {n}" for n in range(1300)]


async def test_cursor_from_before_the_board_was_made_anew_is_a_gap(node: Node, board: Board) -> None:
    async with aclosing(board_stream(node, BOARD)) as stream:
        _, state = await take(stream, 2)
    await publish(node, event("project.deleted", {"projectId": BOARD}))
    anew = await create_board(node, name="Anew")
    async with aclosing(board_stream(node, BOARD, options=StreamOptions(after=state.cursor))) as stream:
        _, gap, fresh = await take(stream, 3)
    assert (decoded(gap)["reason"], decoded(gap)["from"]) == ("history_expired", state.cursor)
    assert (decoded(gap)["to"], fresh.payload) == (fresh.cursor, State(anew.state))


async def test_global_event_that_the_log_has_lost_is_a_gap_before_what_follows_it(tmp_path: Path) -> None:
    file = tmp_path / "b.db"
    async with open_store(f"sqlite:///{file}") as store, open_node(store) as node:
        await create_board(node)
        async with aclosing(board_stream(node, BOARD)) as stream:
            _, state = await take(stream, 2)
        await publish(node, line(1), event("agent.registered", {"agent": "LOST"}), line(2))
        with closing(sqlite3.connect(file)) as database, database:
            database.execute("DELETE FROM events WHERE channel = ?", [EVERYBODY])
        async with aclosing(board_stream(node, BOARD, options=StreamOptions(after=state.cursor))) as stream:
            _, *received = await take(stream, 4)
    assert [one.type for one in received] == ["attempt_log", "gap", "state"]
    assert (decoded(received[1])["reason"], decoded(received[1])["from"]) == ("history_expired", received[0].cursor)


async def test_dashboard_that_comes_back_gets_the_agents_it_missed_and_a_fresh_overview(
    node: Node, board: Board
) -> None:
    async with aclosing(dashboard_stream(node, DEFAULT_TIME_RANGE)) as stream:
        _, overview = await take(stream, 2)
    for name in ("one", "two"):
        await publish(node, event("agent.registered", {"agent": name}))
    async with aclosing(
        dashboard_stream(node, DEFAULT_TIME_RANGE, options=StreamOptions(after=overview.cursor))
    ) as stream:
        hello, one, two, fresh = await take(stream, 4)
    assert decoded(hello)["cursor"] == overview.cursor
    assert [decoded(part) for part in (one, two)] == [{"agent": name, "label": None} for name in ("one", "two")]
    assert (fresh.type, fresh.cursor) == ("dashboard_overview", two.cursor)
    async with aclosing(dashboard_stream(node, DEFAULT_TIME_RANGE, options=StreamOptions(after=one.cursor))) as stream:
        assert [part.type for part in await take(stream, 3)] == ["hello", "agent_registered", "dashboard_overview"]


async def test_watched_board_and_log_agree_after_a_restart(board: Board, node: Node, store: SqlStore) -> None:
    async with aclosing(board_stream(node, BOARD)) as stream:
        _, state = await take(stream, 2)
        received: list[Envelope] = []
        for title in ("one", "two"):
            await node.bus.execute(BOARD, CreateCard(column_id=column_id(board.state, "Backlog"), title=title))
            received += await take(stream, 1)
    async with (
        open_node(store) as later,
        aclosing(board_stream(later, BOARD, options=StreamOptions(after=state.cursor))) as stream,
    ):
        assert seen((await take(stream, 3))[1:]) == seen(received)


@pytest.mark.parametrize(
    ("cursor", "reason"),
    [
        ("garbage", "invalid_cursor"),
        ("e0-0a0a0a0a-5-3", "epoch_changed"),
        ("e1-0b0b0b0b-5-3", "other_board"),
        ("e1-0a0a0a0a-6-3", "invalid_cursor"),
    ],
)
def test_position_that_leads_nowhere_is_lost_with_its_reason(cursor: str, reason: str) -> None:
    with pytest.raises(PositionLost) as lost:
        seen_at(cursor, NOW)
    assert lost.value.reason == reason


def test_position_of_the_same_board_is_read() -> None:
    assert seen_at("e1-0a0a0a0a-4.1-2", NOW) == Position("e1", "0a0a0a0a", 4, 2, 1)
    assert parse_cursor(NOW.cursor) == NOW
    assert channel_tag(board_channel(BOARD)) != NOW.tag
