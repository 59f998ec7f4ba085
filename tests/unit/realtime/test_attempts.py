"""Commands on attempts: queue one for a runner outside, stop one."""

from __future__ import annotations

import pytest

from realtime.clock import iso
from realtime.errors import Conflict
from realtime.kanban.attempts import QueueAttempt, StopAttempt
from realtime.kanban.board import Board
from realtime.kanban.commands import Command, decide
from realtime.kanban.ids import AttemptId
from realtime.kanban.models import AttemptStatus
from tests.unit.realtime.boards import LATER, add_attempt, carry_out, make_board, names


def code(board: Board, command: Command) -> str:
    """Return the code of the conflict."""
    with pytest.raises(Conflict) as refused:
        decide(board, command, LATER)
    return refused.value.code


def test_queued_attempt_has_a_fresh_id_and_the_default_branches() -> None:
    board = make_board(backlog=("a",))
    command = QueueAttempt(card_id="a", agent="CODEX")
    (queued,) = carry_out(board, command)
    assert queued.event.payload() == {
        "boardId": "p1",
        "attemptId": command.new_id,
        "cardId": "a",
        "agent": "CODEX",
        "baseBranch": "main",
        "branchName": "AB/AB-1-card-a",
    }
    assert [one.status for one in board.attempts.values()] == [AttemptStatus.QUEUED]


def test_given_branches_and_profile_are_kept() -> None:
    command = QueueAttempt(card_id="a", agent="CODEX", base_branch="dev", branch_name="x", profile_id="ap")
    (queued,) = carry_out(make_board(backlog=("a",)), command)
    payload = queued.event.payload()
    assert (payload["baseBranch"], payload["branchName"], payload["profileId"]) == ("dev", "x", "ap")


def test_card_that_was_tried_before_keeps_its_attempt() -> None:
    board = make_board(backlog=("a",))
    add_attempt(board, "first", "a", "failed")
    carry_out(board, QueueAttempt(card_id="a", agent="CODEX"))
    assert {id: one.status for id, one in board.attempts.items()} == {"first": AttemptStatus.QUEUED}


def test_card_that_is_done_blocked_or_active_is_a_conflict() -> None:
    board = make_board(backlog=("a", "b", "c"), done=("d",), needs={"b": ("a",)})
    add_attempt(board, "x", "c", "stopping")
    assert code(board, QueueAttempt(card_id="d", agent="A")) == "card_is_done"
    assert code(board, QueueAttempt(card_id="b", agent="A")) == "card_blocked"
    assert code(board, QueueAttempt(card_id="c", agent="A")) == "attempt_active"


def test_stop_of_a_queued_attempt_ends_it_at_once() -> None:
    board = make_board(backlog=("a",))
    add_attempt(board, "x", "a", "queued")
    changed, stopped = carry_out(board, StopAttempt(attempt_id="x"))
    assert names([changed, stopped]) == ["attempt.status.changed", "attempt.stopped"]
    assert (changed.event.payload()["status"], changed.event.payload()["endedAt"]) == ("stopped", iso(LATER))
    assert board.attempts[AttemptId("x")].status is AttemptStatus.STOPPED


def test_stop_of_a_running_attempt_waits_for_its_runner() -> None:
    board = make_board(backlog=("a",))
    add_attempt(board, "x", "a", "running")
    changed, stopped = carry_out(board, StopAttempt(attempt_id="x"))
    assert (changed.event.payload()["status"], changed.event.payload()["endedAt"]) == ("stopping", None)
    assert stopped.event.payload() == {"boardId": "p1", "attemptId": "x", "reason": "user"}
    assert board.attempts[AttemptId("x")].status is AttemptStatus.STOPPING


@pytest.mark.parametrize("status", ["stopping", "succeeded", "failed", "stopped"])
def test_stop_of_what_does_not_run_is_a_conflict(status: str) -> None:
    board = make_board(backlog=("a",))
    add_attempt(board, "x", "a", status)
    assert code(board, StopAttempt(attempt_id="x")) == "attempt_not_running"
