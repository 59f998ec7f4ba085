"""Units that wait are written together: the log, the rows and every answer are as if each had been alone."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.backends.sql.store import SqlStore
from realtime.errors import Refused, StoreUnavailable
from realtime.kanban.commands import Command, CreateCard, DeleteCard, MoveCard, UpdateCard
from realtime.kanban.ids import BoardId, CardId, ColumnId
from realtime.messages.channels import EVERYBODY, Channel, board_channel
from realtime.node import Node
from realtime.ports import RequestKey, Span, StoredEvent, Transaction
from realtime.writing.command_unit import CommandUnit, Executed
from realtime.writing.write_group import carry_out
from tests.kit.deadline import deadline
from tests.kit.nodes import create_board, incoming, open_node, open_store
from tests.kit.publishing import event
from tests.kit.statements import counted

_BOARDS = (BoardId("p1"), BoardId("p2"))
_END = 10_000
#: One request: its board, and what it does there.
_Step = tuple[BoardId, str, int]
_Ask = Callable[[], Awaitable[Any]]


async def _log(store: SqlStore, channel: Channel) -> list[StoredEvent]:
    return await store.events(channel, Span(0, _END, 0, _END if channel == EVERYBODY else 0), _END)


class _Requests:
    """Makes requests against the same cards, in whatever order they are carried out."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._columns: dict[BoardId, list[ColumnId]] = {}
        self._cards: dict[BoardId, list[CardId]] = {}

    async def begin(self) -> None:
        """Create the boards, each with a few cards."""
        for board_id in _BOARDS:
            board = await create_board(self._node, board_id)
            self._columns[board_id] = list(board.state.columns)
            made = [
                await self._node.bus.execute(board_id, CreateCard(column_id=self._columns[board_id][0], title=f"t{n}"))
                for n in range(3)
            ]
            self._cards[board_id] = [done.created_card for done in made]

    def ask(self, step: _Step, number: int) -> _Ask:
        """Return the request of a step."""
        board_id, kind, which = step
        node = self._node
        if kind == "line":
            line = {"attemptId": "a1", "boardId": board_id, "level": "info", "message": f"line {number}"}
            return lambda: node.bus.ingest(incoming(event("attempt.log.appended", line)))
        if kind in ("queued", "started", "completed"):
            of = {"attemptId": f"a{which}", "boardId": board_id, "cardId": self._cards[board_id][which % 3]}
            payload = (
                of | {"queued": {"agent": "A"}, "started": {"agent": "A"}, "completed": {"status": "succeeded"}}[kind]
            )
            return lambda: node.bus.ingest(incoming(event(f"attempt.{kind}", payload)))
        if kind == "renamed":
            return lambda: node.bus.ingest(
                incoming(event("project.updated", {"projectId": board_id, "changes": {"name": f"B{which}"}}))
            )
        if kind == "agent":
            return lambda: node.bus.ingest(incoming(event("agent.registered", {"agent": f"a{which}"})))
        if kind == "unknown board":
            line = {"attemptId": "a1", "boardId": "nowhere", "level": "info", "message": "m"}
            return lambda: node.bus.ingest(incoming(event("attempt.log.appended", line)))
        key = RequestKey(board_channel(board_id), "", f"k{which}") if kind == "keyed" else None
        command = self._command(board_id, kind, which, number)
        return lambda: node.bus.execute(board_id, command, key=key)

    def _command(self, board_id: BoardId, kind: str, which: int, number: int) -> Command:
        columns, cards = self._columns[board_id], self._cards[board_id]
        card = cards[which % len(cards)]
        match kind:
            case "create":
                return CreateCard(column_id=columns[which % len(columns)], title=f"new {number}")
            case "keyed":
                return UpdateCard(card_id=cards[0], title=f"keyed {which}")
            case "update":
                return UpdateCard(card_id=card, title=f"title {number}")
            case "move":
                return MoveCard(card_id=card, to_column_id=columns[which % len(columns)], to_index=0)
            case "delete":
                return DeleteCard(card_id=card)
            case _:
                return UpdateCard(card_id=CardId("unknown"), title="t")


async def _outcome(ask: _Ask) -> object:
    """Return what a caller sees, without ids that differ from run to run."""
    try:
        done = await ask()
    except Refused as refused:
        return refused.code
    if isinstance(done, Executed):
        state = done.board.state
        titles = [[state.cards[id].title for id in column.card_ids] for column in state.columns.values()]
        return done.position.offset, done.position.global_offset, done.is_repeated, titles
    return [(one.name, one.offset, one.duplicate) for one in done]


async def _run(steps: Sequence[_Step], *, at_once: bool) -> tuple[object, ...]:
    """Carry out the steps, and return everything that may not depend on whether they wait for each other."""
    async with deadline(30), open_store() as store, open_node(store) as node:
        requests = _Requests(node)
        await requests.begin()
        asks = [requests.ask(step, number) for number, step in enumerate(steps)]
        if at_once:
            outcomes = await asyncio.gather(*map(_outcome, asks))
        else:
            outcomes = [await _outcome(ask) for ask in asks]
        logs = [
            [
                (one.offset, one.global_offset, one.recorded.event.type, one.superseded)
                for one in await _log(store, name)
            ]
            for name in (*map(board_channel, _BOARDS), EVERYBODY)
        ]
        boards = [await store.board(board_id) for board_id in _BOARDS]
        rows = [
            [
                [(card.title, card.ticket_key) for card in found.board.state.cards.values()],
                found.board.next_ticket_number,
            ]
            for found in boards
            if found is not None
        ]
        return outcomes, logs, rows


_KINDS = (
    "line",
    "queued",
    "started",
    "completed",
    "renamed",
    "agent",
    "unknown board",
    "create",
    "keyed",
    "update",
    "move",
    "delete",
    "unknown card",
)
_STEPS = st.lists(st.tuples(st.sampled_from(_BOARDS), st.sampled_from(_KINDS), st.integers(0, 3)), max_size=30)


@given(_STEPS)
@settings(max_examples=60, deadline=None)
def test_requests_at_once_are_answered_and_stored_as_one_after_the_other(steps: list[_Step]) -> None:
    assert asyncio.run(_run(steps, at_once=True)) == asyncio.run(_run(steps, at_once=False))


def _groups(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Record the number of units of each group that is decided."""
    sizes: list[int] = []

    def recording(units: Sequence[Any], *others: Any) -> Any:
        sizes.append(len(units))
        return carry_out(units, *others)

    monkeypatch.setattr("realtime.writing.group_writer.carry_out", recording)
    return sizes


async def test_fault_of_one_unit_hurts_no_other_unit_of_its_group(
    monkeypatch: pytest.MonkeyPatch, store: SqlStore, node: Node
) -> None:
    board = await create_board(node)
    column = next(iter(board.state.columns))
    sizes = _groups(monkeypatch)
    decide = CommandUnit.carry_out

    def failing(self: CommandUnit, transaction: Transaction, *others: Any) -> Any:
        decision = decide(self, transaction, *others)
        if "poison" in str(decision.stored):
            raise RuntimeError("a fault behind the first write")
        return decision

    monkeypatch.setattr(CommandUnit, "carry_out", failing)
    titles = ["one", "two", "poison", "three", "four"]
    async with deadline(20):
        done = await asyncio.gather(
            *(node.bus.execute(board.id, CreateCard(column_id=column, title=title)) for title in titles),
            return_exceptions=True,
        )
    assert [type(one) for one in done] == [Executed, Executed, RuntimeError, Executed, Executed]
    found = await store.board(board.id)
    assert found is not None
    assert [(card.title, card.ticket_key) for card in found.board.state.cards.values()] == [
        ("one", "AB-1"),
        ("two", "AB-2"),
        ("three", "AB-3"),
        ("four", "AB-4"),
    ]
    # The group that failed was repeated unit by unit.
    assert max(sizes) == 5
    assert sizes[-5:] == [1] * 5


async def test_store_that_is_away_answers_each_unit_of_the_group_once(
    monkeypatch: pytest.MonkeyPatch, store: SqlStore, node: Node
) -> None:
    board = await create_board(node)
    column = next(iter(board.state.columns))
    sizes = _groups(monkeypatch)

    def away(*_: Any) -> Any:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(CommandUnit, "carry_out", away)
        async with deadline(20):
            done = await asyncio.gather(
                *(node.bus.execute(board.id, CreateCard(column_id=column, title=f"t{n}")) for n in range(5)),
                return_exceptions=True,
            )
    assert [type(one) for one in done] == [StoreUnavailable] * 5
    assert len(sizes) == 1
    found = await store.board(board.id)
    assert found is not None
    assert not found.board.state.cards
    await node.bus.execute(board.id, CreateCard(column_id=column, title="after"))


async def test_writers_of_many_boards_share_transactions(
    monkeypatch: pytest.MonkeyPatch, store: SqlStore, node: Node
) -> None:
    boards = [await create_board(node, f"p{n}", f"Board {n}") for n in range(20)]
    sizes = _groups(monkeypatch)
    async with deadline(20):
        await asyncio.gather(
            *(
                node.bus.execute(board.id, CreateCard(column_id=next(iter(board.state.columns)), title=f"t{n}"))
                for n in range(10)
                for board in boards
            )
        )
    assert sum(sizes) == 200
    assert len(sizes) <= 3
    for board in boards:
        found = await store.board(board.id)
        assert found is not None
        assert [card.title for card in found.board.state.cards.values()] == [f"t{n}" for n in range(10)]


@pytest.mark.parametrize("snapshot_events", [2, 3, 7])
async def test_snapshot_within_a_group_is_the_board_of_its_offset(snapshot_events: int) -> None:
    store = SqlStore("sqlite://", snapshot_events=snapshot_events)
    await store.open()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(store.aclose)
        node = await stack.enter_async_context(open_node(store))
        requests = _Requests(node)
        await requests.begin()
        kinds = ("update", "line", "move", "started", "create", "update", "completed", "line")
        steps = [(board_id, kind, which) for which in range(6) for kind in kinds for board_id in _BOARDS]
        async with deadline(30):
            done = await asyncio.gather(*(requests.ask(step, n)() for n, step in enumerate(steps)))
            for executed in done:
                if isinstance(executed, Executed):
                    board = executed.board
                    assert await store.past_board(board.id, executed.position.offset) == board
            for board_id in _BOARDS:
                found = await store.board(board_id)
                assert found is not None
                assert await store.past_board(board_id, found.offset) == found.board


async def test_cards_of_a_group_take_as_many_queries_as_one_card(node: Node) -> None:
    requests = _Requests(node)
    await requests.begin()
    counts = []
    for times in (1, 16):
        asks = [requests.ask((board_id, "update", n), times + n) for n in range(times) for board_id in _BOARDS]
        with counted() as statements:
            await asyncio.gather(*(ask() for ask in asks))
        counts.append(len(statements))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("fault", [StoreUnavailable("on purpose"), RuntimeError("a fault of the driver")])
@pytest.mark.parametrize("log_fault", [StoreUnavailable("on purpose"), RuntimeError("a fault of the log")])
async def test_each_board_of_a_group_of_which_nobody_knows_reaches_its_subscribers_once(
    store: SqlStore, node: Node, fault: Exception, log_fault: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    boards = [await create_board(node, board_id) for board_id in _BOARDS]
    transact = store.transact

    async def away(*_: Any) -> Any:
        raise log_fault

    async def unanswered(work: Any) -> None:
        await transact(work)
        monkeypatch.setattr(store, "events", away)
        raise fault

    async with deadline(10), node.views.watch(_BOARDS[0]) as first, node.views.watch(_BOARDS[1]) as second:
        with monkeypatch.context() as patch:
            patch.setattr(store, "transact", unanswered)
            done = await asyncio.gather(
                *(
                    node.bus.execute(board.id, CreateCard(column_id=next(iter(board.state.columns)), title="card"))
                    for board in boards
                ),
                return_exceptions=True,
            )
        assert [type(one) for one in done] == [StoreUnavailable] * 2
        monkeypatch.undo()
        for view in (first, second):
            await view.repaired()
            assert len(view.board.state.cards) == 1
