"""The lookup: names of what an attempt belongs to, None for what is not there."""

from __future__ import annotations

from dataclasses import replace

from realtime.dashboard.lookup import Lookup
from tests.unit.realtime.dashboard.samples import attempt, board, card


def test_attempt_is_named_by_project_card_and_column() -> None:
    lookup = Lookup.of(board(card("c", "Review", title="Fix"), attempts=[]))
    row = attempt("a")
    found = lookup.card(row)
    assert found is not None
    assert (lookup.project_name(row), found.title, lookup.column_title(row)) == ("Project", "Fix", "Review")


def test_names_of_missing_rows_are_none() -> None:
    lookup = Lookup.of(board(attempts=[]))
    row = attempt("a", project="gone")
    assert (lookup.project_name(row), lookup.card(row), lookup.column_title(row)) == (None, None, None)


def test_card_in_missing_column_has_no_column_title() -> None:
    rows = replace(board(card(), attempts=[]), columns=[])
    assert Lookup.of(rows).column_title(attempt("a")) is None
