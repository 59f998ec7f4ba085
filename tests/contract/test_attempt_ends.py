"""The end of an attempt is final for older events (docs/ingest.md), and attempts are deleted with their card.

Both must hold for the rows and for the events that subscribers get.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import timedelta
from typing import Any

import pytest

from realtime.backends.sql.store import SqlStore
from realtime.clock import iso
from realtime.kanban.attempts import QueueAttempt
from realtime.kanban.board import GONE_ATTEMPTS, Board
from realtime.kanban.commands import CreateCard, DeleteCard
from realtime.kanban.ids import AttemptId, BoardId, CardId
from realtime.kanban.models import AttemptStatus
from realtime.messages.options import StreamOptions
from realtime.node import Node
from realtime.ports import Attempt
from tests.kit.attempt_contents import items_of, lines_of
from tests.kit.envelope_streams import board_stream
from tests.kit.nodes import BOARD, START, column_id, create_board, open_node, publish, take
from tests.kit.plain_envelopes import decoded
from tests.kit.publishing import event

OTHER = BoardId("p2")
ATTEMPT = AttemptId("a1")
CARD = "k1"
TODOS: dict[str, Any] = {"total": 1, "completed": 0, "items": [{"id": "1", "text": "t", "status": "open"}]}
ITEM = {"type": "error", "timestamp": iso(START), "text": "t"}
_BEGIN = {"cardId": CARD, "agent": "LATE"}
#: Every event that changes an attempt's row, or replaces another value of the attempt.
SAYING: dict[str, tuple[str, dict[str, Any]]] = {
    "queued": ("attempt.queued", _BEGIN),
    "started": ("attempt.started", {**_BEGIN, "worktreePath": "/late"}),
    **{f"status {one}": ("attempt.status.changed", {"status": one, "cardId": CARD}) for one in AttemptStatus},
    "status with an end": ("attempt.status.changed", {"status": "failed", "endedAt": iso(START)}),
    "completed": ("attempt.completed", {"cardId": CARD, "status": "succeeded", "worktreePath": "/late"}),
    "failed": ("attempt.completed", {"cardId": CARD, "status": "failed"}),
    "stopped": ("attempt.stopped", {"reason": "late"}),
    "session": ("attempt.session.recorded", {"sessionId": "late"}),
    "todos": ("attempt.todos.updated", {"todos": {**TODOS, "total": 9}}),
}
#: Types of envelopes that describe the current attempt. They must agree with the rows.
_PRESENT = {"attempt_status", "attempt_started", "attempt_session", "attempt_todos", "state"}


@pytest.fixture
async def node(store: SqlStore) -> AsyncIterator[Node]:
    """A node with the boards `p1` and `p2`; on each, the card `k1` in Backlog."""
    async with open_node(store) as made:
        for board_id in (BOARD, OTHER):
            board = await create_board(made, board_id)
            await made.bus.execute(board_id, CreateCard(column_id=_backlog(board), title="t", id=CARD))
        yield made


def _backlog(board: Board) -> str:
    return column_id(board.state, "Backlog")


def at(seconds: int) -> str:
    """Return the instant this many seconds after the start."""
    return iso(START + timedelta(seconds=seconds))


def about(name: str, seconds: int | None, board: str = BOARD, **payload: Any) -> dict[str, Any]:
    """Return an event of that time about the attempt `a1`."""
    of = {"projectId": board} if name.startswith("github") else {"boardId": board}
    return event(name, {**of, "attemptId": ATTEMPT, **payload}, None if seconds is None else at(seconds))


async def end(node: Node, board: str = BOARD) -> None:
    """Run the attempt from second 1 to its end at second 10. Then its card is in Review."""
    await publish(
        node,
        about("attempt.queued", 1, board, cardId=CARD, agent="CODEX"),
        about("attempt.started", 2, board, cardId=CARD, agent="CODEX", worktreePath="/w"),
        about("attempt.session.recorded", 3, board, sessionId="s"),
        about("attempt.todos.updated", 4, board, todos=TODOS),
        about("attempt.log.appended", 5, board, level="error", message="line"),
        about("attempt.conversation.appended", 6, board, item=ITEM),
        about("attempt.completed", 10, board, cardId=CARD, status="succeeded"),
    )


async def current(node: Node, board: BoardId = BOARD) -> tuple[Any, ...]:
    """Return the rows of the attempt and its board."""
    stored = await node.store.board(board)
    assert stored is not None
    stored_values = await node.store.attempt(board, ATTEMPT), await node.store.todos(board, ATTEMPT)
    return (*stored_values, stored.board)


async def envelopes_of(node: Node, *events: dict[str, Any]) -> list[tuple[str, Any]]:
    """Publish events; return the envelopes about the current attempt that a subscriber of the board gets."""
    async with aclosing(board_stream(node, BOARD)) as stream:
        cursor = decoded(await anext(stream))["cursor"]
        await publish(node, *events, event("agent.registered", {"agent": "marker"}))
        live = [one async for one in _until_marker(stream)]
    async with aclosing(board_stream(node, BOARD, options=StreamOptions(after=cursor))) as stream:
        await anext(stream)
        again = [one async for one in _until_marker(stream)]
    # The first subscriber also got its snapshot, the second only the events that it missed.
    assert live[len(live) - len(again) :] == again
    return [one for one in again if one[0] in _PRESENT]


async def _until_marker(stream: Any) -> AsyncIterator[tuple[str, Any]]:
    while True:
        (envelope,) = await take(stream, 1)
        if envelope.type == "agent_registered":
            return
        yield envelope.type, envelope.payload_json()


@pytest.mark.parametrize("name", SAYING)
async def test_event_older_than_the_end_changes_no_row_and_is_not_published(node: Node, name: str) -> None:
    await end(node)
    before = await current(node)
    kind, payload = SAYING[name]
    assert await envelopes_of(node, about(kind, 9, **payload)) in ([], [before[0] and _status_envelope(before[0])])
    assert await current(node) == before


def _status_envelope(attempt: Attempt) -> tuple[str, bytes]:
    # A late event may be published if its status is the current one: it changes nothing for any subscriber.
    text = f'{{"attemptId":"{attempt.id}","cardId":"{attempt.card_id}","status":"{attempt.status}"}}'
    return "attempt_status", text.encode()


@pytest.mark.parametrize("name", SAYING)
async def test_late_event_is_stored_under_its_cursor(node: Node, name: str) -> None:
    await end(node)
    stored = await node.store.board(BOARD)
    kind, payload = SAYING[name]
    (accepted,) = await publish(node, about(kind, 9, **payload))
    after = await node.store.board(BOARD)
    assert stored is not None
    assert after is not None
    assert (accepted.duplicate, after.offset) == (False, stored.offset + 1)


@pytest.mark.parametrize("seconds", [10, 11])
@pytest.mark.parametrize("name", [one for one in SAYING if one != "stopped"])
async def test_event_as_old_as_the_end_or_newer_counts(node: Node, name: str, seconds: int) -> None:
    await end(node)
    before = await current(node)
    kind, payload = SAYING[name]
    await publish(node, about(kind, seconds, **payload))
    after = await current(node)
    same = name in ("completed", "status succeeded") and seconds == 10
    assert (after[:2] == before[:2]) == (same and "worktreePath" not in payload)


async def test_newer_start_begins_anew(node: Node) -> None:
    await end(node)
    received = await envelopes_of(node, about("attempt.started", 11, cardId=CARD, agent="CODEX"))
    assert [type for type, _ in received] == ["attempt_started", "state"]
    attempt, _, board = await current(node)
    assert (attempt.status, attempt.ended_at) == (AttemptStatus.RUNNING, None)
    assert board.state.cards[CARD].column_id == column_id(board.state, "In Progress")
    # The attempt is active again, so an event older than its former end counts again.
    await publish(node, about("attempt.status.changed", 9, status="stopping"))
    assert (await current(node))[0].status is AttemptStatus.STOPPING


@pytest.mark.parametrize("seconds", [9, 10, 11])
async def test_stop_of_an_attempt_that_has_ended_changes_nothing(node: Node, seconds: int) -> None:
    await end(node)
    before = await current(node)
    await publish(node, about("attempt.stopped", seconds))
    assert await current(node) == before


async def test_end_holds_within_a_batch(node: Node) -> None:
    late = about("attempt.started", 9, cardId=CARD, agent="LATE")
    await publish(
        node,
        about("attempt.started", 2, cardId=CARD, agent="CODEX"),
        about("attempt.completed", 10, cardId=CARD, status="succeeded"),
        late,
        about("attempt.stopped", 12),
    )
    attempt, _, board = await current(node)
    assert (attempt.status, attempt.agent) == (AttemptStatus.SUCCEEDED, "CODEX")
    assert board.state.cards[CARD].column_id == column_id(board.state, "Review")


async def test_end_that_nobody_knows_the_time_of_is_that_of_its_event(node: Node) -> None:
    await publish(node, about("attempt.started", 2, cardId=CARD, agent="CODEX"))
    await publish(node, about("attempt.status.changed", 10, status="failed", endedAt=None))
    before = await current(node)
    await publish(node, about("attempt.status.changed", 9, status="running"))
    assert await current(node) == before
    await publish(node, about("attempt.status.changed", 10, status="running"))
    assert (await current(node))[0].status is AttemptStatus.RUNNING


async def test_pull_request_older_than_the_end_leaves_the_card(node: Node) -> None:
    await end(node)
    before = await current(node)
    pr = {"number": 1, "url": "https://h/1", "state": "open", "draft": False}
    await publish(node, about("github.pr.created", 9, pr=pr))
    assert await current(node) == before


async def test_log_and_conversation_continue_after_the_end(node: Node) -> None:
    await end(node)
    await publish(node, about("attempt.log.appended", 9, level="info", message="late"))
    await publish(node, about("attempt.conversation.appended", 9, item=ITEM))
    assert [line.message for line in await lines_of(node.store, ATTEMPT)] == ["line", "late"]
    assert len(await items_of(node.store, ATTEMPT)) == 2


async def test_end_on_one_board_does_not_hold_on_another(node: Node) -> None:
    await end(node)
    await publish(node, about("attempt.started", 9, OTHER, cardId=CARD, agent="CODEX"))
    assert (await current(node, OTHER))[0].status is AttemptStatus.RUNNING


async def test_retry_counts_despite_an_end_in_the_future(node: Node) -> None:
    await end(node)
    await publish(node, about("attempt.status.changed", 11, status="failed", endedAt="2999-01-01T00:00:00Z"))
    await node.bus.execute(BOARD, QueueAttempt(card_id=CARD, agent="AGAIN"))
    attempt = (await current(node))[0]
    assert (attempt.status, attempt.agent, attempt.ended_at) == (AttemptStatus.QUEUED, "AGAIN", None)


async def test_with_a_card_go_its_attempts_and_all_that_is_kept_of_them(node: Node) -> None:
    await end(node)
    await end(node, OTHER)
    before = await current(node, OTHER)
    await node.bus.execute(BOARD, DeleteCard(card_id=CARD))
    assert await node.store.attempts(BOARD) == []
    attempt, todos, board = await current(node)
    assert (attempt, todos, board.attempts) == (None, None, {})
    assert (await lines_of(node.store, ATTEMPT), await items_of(node.store, ATTEMPT)) == ([], [])
    assert await current(node, OTHER) == before
    assert len(await lines_of(node.store, ATTEMPT, OTHER)) == 1


@pytest.mark.parametrize("name", SAYING)
async def test_attempt_deleted_with_its_card_publishes_nothing(node: Node, name: str) -> None:
    await end(node)
    await node.bus.execute(BOARD, DeleteCard(card_id=CARD))
    kind, payload = SAYING[name]
    received = await envelopes_of(node, about(kind, None, **payload))
    assert [type for type, _ in received if type in ("attempt_status", "attempt_started", "state")] == []
    assert await node.store.attempts(BOARD) == []


async def test_attempt_that_went_with_its_card_may_begin_anew_at_another(node: Node) -> None:
    await end(node)
    board = (await node.bus.execute(BOARD, DeleteCard(card_id=CARD))).board
    await node.bus.execute(BOARD, CreateCard(column_id=_backlog(board), title="t", id="k2"))
    await publish(node, about("attempt.queued", None, cardId="k2", agent="CODEX"))
    assert [one.card_id for one in await node.store.attempts(BOARD)] == ["k2"]
    received = await envelopes_of(node, about("attempt.status.changed", None, status="running"))
    assert [type for type, _ in received] == ["attempt_status"]


async def test_state_from_outside_that_lacks_a_card_leaves_its_attempts(node: Node) -> None:
    await end(node)
    state: dict[str, Any] = {"columns": {}, "columnOrder": [], "cards": {}}
    await publish(node, event("board.state.changed", {"boardId": BOARD, "state": state}))
    attempt, todos, board = await current(node)
    assert attempt is not None
    assert todos == TODOS
    assert CardId(CARD) not in board.state.cards
    assert len(await lines_of(node.store, ATTEMPT)) == 1


async def test_so_many_gone_attempts_are_remembered_and_the_first_forgotten(node: Node) -> None:
    for start in range(0, GONE_ATTEMPTS + 2, 500):
        ids = range(start, min(start + 500, GONE_ATTEMPTS + 2))
        of = {"boardId": BOARD, "cardId": CARD, "agent": "A"}
        await publish(node, *(event("attempt.queued", {**of, "attemptId": f"g{n}"}) for n in ids))
    made = await node.bus.execute(BOARD, DeleteCard(card_id=CARD))
    stored = await node.store.board(BOARD)
    assert stored is not None
    assert list(stored.board.gone) == list(made.board.gone) == [f"g{n}" for n in range(2, GONE_ATTEMPTS + 2)]


async def test_deleted_board_takes_nothing_of_another_along(node: Node) -> None:
    await end(node)
    await end(node, OTHER)
    before, lines = await current(node, OTHER), await lines_of(node.store, ATTEMPT, OTHER)
    await publish(node, event("project.deleted", {"projectId": BOARD}))
    assert await current(node, OTHER) == before
    assert (await lines_of(node.store, ATTEMPT, OTHER), len(await items_of(node.store, ATTEMPT, OTHER))) == (lines, 1)
    assert (await lines_of(node.store, ATTEMPT), await node.store.todos(BOARD, ATTEMPT)) == ([], None)


async def test_deleted_board_takes_what_is_kept_of_unknown_attempts_along(node: Node) -> None:
    await publish(node, about("attempt.log.appended", 1, level="info", message="m"))
    await publish(node, event("project.deleted", {"projectId": BOARD}))
    assert await lines_of(node.store, ATTEMPT) == []
    assert await node.store.boards_of_attempt(ATTEMPT) == {}
