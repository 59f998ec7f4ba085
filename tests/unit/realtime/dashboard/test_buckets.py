"""Column titles: the kind of their cards, and the columns that the inbox treats as finished."""

from __future__ import annotations

import pytest

from realtime.dashboard.buckets import Bucket, bucket_of, card_counts, is_done
from realtime.dashboard.rows import ColumnCards
from realtime.kanban.ids import BoardId


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


def test_cards_add_up_by_project_and_bucket() -> None:
    shown = BoardId("p")
    columns = [ColumnCards(shown, "Ready", 2), ColumnCards(shown, "Backlog", 3), ColumnCards(shown, "Closed", 1)]
    others = [ColumnCards(None, "Done", 7), ColumnCards(None, "done ", 1)]
    assert card_counts([*columns, *others]) == {
        shown: {Bucket.BACKLOG: 5, Bucket.IN_PROGRESS: 1},
        None: {Bucket.DONE: 8},
    }


def test_no_columns_have_no_counts() -> None:
    assert card_counts([]) == {}
