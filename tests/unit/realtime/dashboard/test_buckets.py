"""Column titles: what their cards count as, and which the inbox takes for finished."""

from __future__ import annotations

import pytest

from realtime.dashboard.buckets import Bucket, bucket_of, card_counts, is_done
from realtime.kanban.ids import BoardId
from tests.unit.realtime.dashboard.samples import board, card


@pytest.mark.parametrize(
    ("title", "bucket"),
    [
        ("", "backlog"),
        (" \t", "backlog"),
        ("\ufeff", "backlog"),
        ("DONE", "done"),
        ("\u00a0Done ", "done"),
        ("Done!", "inProgress"),
        ("Closed", "inProgress"),
        ("Code Review", "review"),
        ("PR open", "review"),
        ("Open PR ", "inProgress"),
        ("pr", "inProgress"),
        ("Ready for review", "review"),
        ("Review in progress", "review"),
        ("In Progress (ready)", "inProgress"),
        ("Inactive", "inProgress"),
        ("in-development", "inProgress"),
        ("IN DEV", "inProgress"),
        ("To Do", "backlog"),
        ("Todo", "backlog"),
        ("to-do later", "backlog"),
        ("Already", "backlog"),
        ("My backlog", "backlog"),
        ("Ideas", "inProgress"),
    ],
)
def test_title_falls_into_bucket(title: str, bucket: str) -> None:
    assert bucket_of(title) is Bucket(bucket)


@pytest.mark.parametrize(
    ("title", "done"), [(" done ", True), ("CLOSED", True), ("Done!", False), ("", False), (None, False)]
)
def test_inbox_knows_done_and_closed(title: str | None, done: bool) -> None:
    assert is_done(title) is done


def test_cards_are_counted_by_column_of_their_board() -> None:
    rows = board(card("a"), card("b"), card("c", "Done"), card("d", "Closed"), card("e", "nowhere"), attempts=[])
    assert card_counts(rows) == {
        BoardId("p"): {Bucket.BACKLOG: 2, Bucket.DONE: 1, Bucket.IN_PROGRESS: 1},
    }


def test_project_without_cards_has_no_counts() -> None:
    assert card_counts(board(attempts=[])) == {}
