"""The consequences of an event from outside: each row of docs/ingest.md."""

from __future__ import annotations

from typing import Any

import pytest

from realtime.clock import parse_iso
from realtime.kanban import events
from realtime.kanban.board import Board, Recorded
from realtime.kanban.changes import CardUpdated, StateReplaced
from realtime.kanban.events import EVENT_NAMES, parse_event
from realtime.kanban.ids import CardId
from realtime.kanban.projection import needs_board, new_project, react
from tests.kit.nodes import START
from tests.unit.realtime.boards import (
    BACKLOG,
    DONE,
    LATER,
    PROGRESS,
    REVIEW,
    add_attempt,
    card_ids,
    make_board,
    names,
)
from tests.unit.realtime.event_samples import PR, SAMPLES


def happen(board: Board, name: str, /, **changes: Any) -> list[Recorded]:
    """React to the sample of that name, check that this changed nothing, and fold the outcome."""
    before = board.copy()
    recorded = react(board, parse_event(name, {**SAMPLES[name], **changes}), LATER)
    assert board == before
    for one in recorded:
        board.apply(one)
    assert {one.at for one in recorded} == {LATER}
    return recorded


def test_new_project_gets_the_default_columns() -> None:
    event = parse_event("project.created", SAMPLES["project.created"])
    assert isinstance(event, events.ProjectCreated)
    (recorded,) = react(None, event, LATER)
    (change,) = recorded.changes
    assert isinstance(change, StateReplaced)
    assert [column.title for column in change.columns] == ["Backlog", "In Progress", "Review", "Done"]
    assert all(column.id.startswith("col-") and column.card_ids == () for column in change.columns)
    project = new_project(event, LATER)
    assert (project.id, project.name, project.ticket_prefix, project.created_at) == ("p1", "Again", "A", LATER)
    dated = event.model_copy(update={"created_at": "2020-01-01T00:00:00Z"})
    assert new_project(dated, LATER).created_at == parse_iso("2020-01-01T00:00:00Z")


def test_project_that_exists_keeps_its_columns_and_prefix_and_gets_the_name() -> None:
    board = make_board(backlog=("a",))
    state = board.state
    recorded = happen(board, "project.created", name="New Name", repositoryUrl="https://h/o/r")
    assert (names(recorded), recorded[0].changes) == (["project.created"], ())
    assert board.state == state
    assert (board.project.name, board.project.repository_url, board.project.ticket_prefix) == (
        "New Name",
        "https://h/o/r",
        "AB",
    )


def test_project_update_sets_what_is_given() -> None:
    board = make_board()
    happen(board, "project.updated", changes={"repositoryPath": "/new", "name": None})
    assert (board.project.name, board.project.repository_path) == ("Alpha Board", "/new")
    happen(board, "project.updated", changes={"repositoryUrl": "https://h/x"})
    happen(board, "project.updated", changes={"repositoryUrl": None})
    assert board.project.repository_url is None


def test_slug_follows_from_the_repository_where_it_is_not_given() -> None:
    board = make_board()
    for changes, slug in (
        ({"repositoryPath": "/srv/new"}, "new"),
        ({"repositoryUrl": "https://h/o/r.git"}, "o/r"),
        ({"repositoryPath": "/srv/other"}, "o/r"),
        ({"name": "Alone"}, "o/r"),
        ({"repositoryUrl": "https://["}, "other"),
        ({"repositoryUrl": None}, "other"),
        ({"repositoryPath": "/x", "repositorySlug": "given"}, "given"),
    ):
        happen(board, "project.updated", changes=changes)
        assert board.project.repository_slug == slug, changes
    happen(board, "project.created", repositoryPath="/srv/anew", repositoryUrl=None)
    assert board.project.repository_slug == "anew"


def test_state_from_outside_replaces_columns_and_cards_and_is_kept_once() -> None:
    board = make_board(backlog=("a",))
    add_attempt(board, "x", "a", "running")
    (recorded,) = happen(board, "board.state.changed")
    assert recorded.event.payload() == {"boardId": "p1", "reason": "because"}
    assert card_ids(board.state) == {"c1": ["k1"]}
    assert list(board.attempts) == ["x"]
    assert board.next_ticket_number == 1


def test_next_ticket_number_follows_the_highest_of_a_state_from_outside() -> None:
    board = make_board()
    state = SAMPLES["board.state.changed"]["state"]
    cards = {"k1": {**state["cards"]["k1"], "ticketKey": "X-41"}}
    happen(board, "board.state.changed", state={**state, "cards": cards})
    assert board.next_ticket_number == 42


@pytest.mark.parametrize("name", [name for name in EVENT_NAMES if name.startswith("card.")])
def test_card_events_are_notes_without_effect(name: str) -> None:
    board = make_board(backlog=("k1",))
    before = board.copy()
    (recorded,) = happen(board, name)
    assert recorded.changes == ()
    assert board == before


def test_started_attempt_moves_its_card_to_the_end_of_in_progress() -> None:
    board = make_board(backlog=("k1",), progress=("a",))
    recorded = happen(board, "attempt.started")
    assert names(recorded) == ["attempt.started", "card.moved", "board.state.changed"]
    assert card_ids(board.state)[PROGRESS] == ["a", "k1"]
    assert [(one.id, one.status, one.created_at) for one in board.attempts.values()] == [("a1", "running", LATER)]


def test_started_attempt_moves_past_the_locks_that_bind_people() -> None:
    board = make_board(backlog=("b",), done=("k1",), needs={"k1": ("b",)})
    happen(board, "attempt.started")
    assert card_ids(board.state)[PROGRESS] == ["k1"]


def test_queued_attempt_moves_nothing() -> None:
    board = make_board(backlog=("k1",))
    assert names(happen(board, "attempt.queued")) == ["attempt.queued"]
    assert [one.status for one in board.attempts.values()] == ["queued"]


@pytest.mark.parametrize("name", ["attempt.started", "attempt.completed"])
def test_attempt_at_an_unknown_card_moves_nothing_and_is_no_error(name: str) -> None:
    board = make_board(backlog=("a",))
    assert names(happen(board, name, cardId="nobody")) == [name]


@pytest.mark.parametrize("name", ["attempt.started", "attempt.completed"])
def test_board_without_the_column_lets_the_card_stay(name: str) -> None:
    board = make_board()
    happen(board, "board.state.changed")
    assert names(happen(board, name)) == [name]
    assert card_ids(board.state) == {"c1": ["k1"]}


@pytest.mark.parametrize(("status", "column"), [("succeeded", REVIEW), ("failed", PROGRESS), ("stopped", PROGRESS)])
def test_completed_attempt_moves_its_card_by_its_outcome(status: str, column: str) -> None:
    board = make_board(backlog=("k1",))
    add_attempt(board, "a1", "k1", "running")
    recorded = happen(board, "attempt.completed", status=status)
    assert names(recorded) == ["attempt.completed", "card.moved", "board.state.changed"]
    assert card_ids(board.state)[column] == ["k1"]
    assert [one.status for one in board.attempts.values()] == [status]


def test_card_that_is_there_already_does_not_move() -> None:
    board = make_board(progress=("a", "k1"))
    assert names(happen(board, "attempt.started")) == ["attempt.started"]


def test_restarted_attempt_keeps_its_place_and_time() -> None:
    board = make_board(backlog=("k1",))
    add_attempt(board, "a1", "other", "failed")
    add_attempt(board, "a2", "k1", "failed")
    happen(board, "attempt.started")
    assert [(one.id, one.card_id, one.status, one.created_at) for one in board.attempts.values()] == [
        ("a1", "k1", "running", START),
        ("a2", "k1", "failed", START),
    ]


def test_status_of_an_unknown_attempt_makes_none() -> None:
    board = make_board()
    happen(board, "attempt.status.changed")
    happen(board, "attempt.stopped")
    assert board.attempts == {}


def test_stop_ends_an_attempt_unless_it_is_stopping() -> None:
    board = make_board()
    add_attempt(board, "a1", "k1", "running")
    happen(board, "attempt.stopped")
    assert [one.status for one in board.attempts.values()] == ["stopped"]
    add_attempt(board, "a1", "k1", "stopping")
    happen(board, "attempt.stopped")
    assert [one.status for one in board.attempts.values()] == ["stopping"]


def test_pull_request_of_a_known_attempt_is_on_its_card() -> None:
    board = make_board(done=("k1",))
    add_attempt(board, "a1", "k1", "running")
    recorded = happen(board, "github.pr.created")
    assert names(recorded) == ["github.pr.created", "board.state.changed"]
    (change,) = recorded[1].changes
    assert isinstance(change, CardUpdated)
    card = board.state.cards[CardId("k1")]
    assert (card.pr_url, card.updated_at, card.column_id) == (PR["url"], LATER, DONE)
    assert names(happen(board, "github.pr.created")) == ["github.pr.created"], "published twice"


@pytest.mark.parametrize("attempt", [None, "nobody", "of-nobody"])
def test_pull_request_of_no_known_card_changes_nothing(attempt: str | None) -> None:
    board = make_board(backlog=("k1",))
    add_attempt(board, "of-nobody", "nobody", "running")
    assert names(happen(board, "github.pr.created", attemptId=attempt)) == ["github.pr.created"]


@pytest.mark.parametrize("name", [name for name in EVENT_NAMES if not needs_board(parse_event(name, SAMPLES[name]))])
def test_event_that_needs_no_board_is_the_same_with_and_without_it(name: str) -> None:
    event = parse_event(name, SAMPLES[name])
    board = make_board(backlog=("k1",))
    add_attempt(board, "a1", "k1", "running")
    assert react(board, event, LATER) == react(None, event, LATER) == [Recorded(event, LATER)]


def test_columns_in_the_roles_are_found_whatever_their_ids() -> None:
    board = make_board(backlog=("k1",))
    titles = {column.title: column.id for column in board.state.columns.values()}
    assert titles == {"Backlog": BACKLOG, "In Progress": PROGRESS, "Review": REVIEW, "Done": DONE}
