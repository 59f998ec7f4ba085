"""A board in memory: copies are independent, attempts are sorted newest first."""

from __future__ import annotations

from datetime import timedelta

import pytest

from realtime.kanban.board import FOLDED_EVENTS, Recorded
from realtime.kanban.commands import CreateCard
from realtime.kanban.events import parse_event
from realtime.kanban.ids import AttemptId, CardId
from realtime.kanban.models import AttemptRef, AttemptStatus
from tests.kit.nodes import START
from tests.unit.realtime.boards import BACKLOG, add_attempt, carry_out, make_board
from tests.unit.realtime.event_samples import SAMPLES


def test_copy_moves_on_without_its_original() -> None:
    board = make_board(backlog=("a",))
    add_attempt(board, "x", "a", "running")
    copy = board.copy()
    assert copy == board
    carry_out(copy, CreateCard(column_id=BACKLOG, title="New"))
    add_attempt(copy, "y", "a", "queued")
    assert (len(board.state.cards), list(board.attempts), board.next_ticket_number) == (1, ["x"], 2)
    assert (len(copy.state.cards), list(copy.attempts), copy.next_ticket_number) == (2, ["x", "y"], 3)


def test_attempts_come_newest_created_first_and_ties_by_the_later() -> None:
    board = make_board()
    for name, seconds in (("old", 0), ("newest", 9), ("tie-1", 5), ("tie-2", 5)):
        at = START + timedelta(seconds=seconds)
        board.attempts[AttemptId(name)] = AttemptRef(AttemptId(name), CardId("k"), AttemptStatus.QUEUED, at)
    assert [attempt.id for attempt in board.newest_attempts()] == ["newest", "tie-2", "tie-1", "old"]


@pytest.mark.parametrize("name", sorted(set(SAMPLES) - FOLDED_EVENTS))
def test_event_that_is_not_folded_moves_a_board_by_its_changes_alone(name: str) -> None:
    board = make_board(backlog=("a",))
    add_attempt(board, "a1", "a", "running")
    before = board.copy()
    board.apply(Recorded(parse_event(name, SAMPLES[name]), START))
    assert board == before
