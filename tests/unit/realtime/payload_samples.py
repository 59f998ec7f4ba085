"""A payload of each type, new each time. A new class of the registry gets one here; all tests of payloads see it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from realtime.clock import iso
from realtime.dashboard.overview import DashboardOverview
from realtime.dashboard.rows import AgentRow
from realtime.kanban import changes
from realtime.kanban.ids import BoardId, CardId, ColumnId
from realtime.kanban.models import AttemptStatus, BoardState, Card, Column, GithubIssue, TicketType
from realtime.messages import payloads
from realtime.messages.payloads import Payload, of_change
from realtime.messages.timeline import Run
from tests.kit.nodes import BOARD, START
from tests.unit.realtime.dashboard.counting import overview_of
from tests.unit.realtime.dashboard.samples import ALL_TIME, NOW, ago, attempt, board, card, log
from tests.unit.realtime.event_samples import AT, ITEMS, PR, TODOS

__all__ = ["payload_samples", "small_state"]


def payload_samples() -> Iterator[Payload]:
    """Yield new payloads, each type at least once."""
    yield payloads.Hello(iso(START), "e-0a1b2c3d-0-0", 30.0)
    yield payloads.State(small_state())
    yield payloads.Overview(_overview())
    yield from _of_attempts()
    yield payloads.GitStatus()
    yield payloads.GitCommit("a1", "abc", "s", AT)
    yield payloads.GitPush("", "origin", "b", AT)
    yield payloads.AttemptPullRequest("a1", PR)
    yield payloads.AgentRegistered("CODEX", "Codex")
    yield payloads.AgentProfile("deleted", "ap-1", "CODEX", None)
    yield from _of_changes()
    yield payloads.Patch([{"op": "remove", "path": "/cards/k1"}])
    yield payloads.Heartbeat(iso(START), "e-0a1b2c3d-2-1", "0a1b")
    yield payloads.Pong(iso(START))
    yield payloads.Access(iso(START))
    yield payloads.CommandRefused(None, "invalid_json", "expected JSON")
    yield payloads.Gap("slow_consumer", "c-1", "c-3")
    yield payloads.Goodbye("server_shutdown", 5, None)


def small_state() -> BoardState:
    """Return a new state with three cards in two columns."""
    id, other, third = CardId("k1"), CardId("k2"), CardId("k3")
    board_id, first = BoardId(BOARD), ColumnId("c1")
    issue = GithubIssue(2**40, "https://example.com/i/1")
    cards = [
        Card(
            id, board_id, first, 'ünïcödé 🚀 "q"', START, START, "AB-1", "https://x", True, TicketType.CI, True, issue
        ),
        Card(other, board_id, first, "", START, START, description="a\n\u2028b\0", depends_on=(id, third)),
        Card(third, board_id, ColumnId("c2"), "third", START, START),
    ]
    columns = [Column(first, "Backlog", (other, id)), Column(ColumnId("c2"), "Done", (third,))]
    return BoardState({one.id: one for one in columns}, {one.id: one for one in cards})


def _of_attempts() -> Iterator[Payload]:
    yield payloads.AttemptStarted("a1", "k1")
    yield payloads.AttemptStatusChanged("a1", None, AttemptStatus.RUNNING)
    yield payloads.AttemptLog("a1", "warn", "a\nb", AT)
    for item in ITEMS.values():
        yield payloads.ConversationItemAppended("a1", item)
    yield payloads.AttemptSession("a1", "s")
    yield payloads.AttemptTodos("a1", TODOS)


def _of_changes() -> Iterator[Payload]:
    card = small_state().cards[CardId("k1")]
    one, other = card.column_id, ColumnId("c2")
    headings = (changes.Heading(one, "Backlog"), changes.Heading(other, "Done"))
    made = replace(card, id=CardId("k4"))
    run = Run(small_state())
    yield of_change(run.add(changes.CardCreated(made, 0)))
    yield of_change(run.add(changes.CardUpdated(card, ("title", "github_issue", "depends_on"))))
    yield of_change(run.add(changes.CardMoved(card.id, one, 2, other, 1, START)))
    yield of_change(run.add(changes.CardDeleted(card.id, other, 1, None)))
    yield of_change(run.add(changes.ColumnsChanged(headings, ())))


def _overview() -> DashboardOverview:
    attempts = [
        attempt("a-review", card="k1"),
        attempt("a", "failed", card="k2", started=ago(50)),
        attempt("a-stuck", "queued", card="k3", created=ago(7_000)),
        attempt("a-running", "running", started=ago(10)),
    ]
    rows = board(card("k1", "Review"), card("k2"), card("k3"), card("c"), attempts=attempts, logs=[log("no such file")])
    return overview_of(replace(rows, agents=[AgentRow("CODEX", "Codex")]), ALL_TIME, NOW)
