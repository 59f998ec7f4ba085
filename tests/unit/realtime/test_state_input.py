"""A state from outside: completed, otherwise unchanged, and refused if it is inconsistent."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from pydantic import ValidationError

from realtime.clock import parse_iso
from realtime.kanban.changes import apply
from realtime.kanban.events.state_input import BoardStateInput
from realtime.kanban.models import BoardState, Card
from tests.kit.nodes import BOARD, START

AT = "2024-05-06T07:08:09.123Z"
STATE: dict[str, Any] = {
    "columns": {
        "c1": {"id": "c1", "title": "One", "cardIds": ["k2", "k1"], "extra": 1},
        "c2": {"id": "c2", "title": "", "cardIds": []},
    },
    "columnOrder": ["c2", "c1"],
    "cards": {
        "k1": {"id": "k1", "title": " bare ", "extra": "dropped"},
        "k2": {
            "id": "k2",
            "ticketKey": "X-7",
            "prUrl": "https://h/1",
            "disableAutoCloseOnPRMerge": True,
            "ticketType": "docs",
            "isEnhanced": True,
            "githubIssue": {"issueNumber": 3, "url": "https://h/3"},
            "title": "full",
            "description": "",
            "dependsOn": ["k1", "k1"],
            "createdAt": AT,
            "updatedAt": "2024-05-06T09:08:09.123+02:00",
        },
    },
    "extra": {},
}


def read(state: dict[str, Any]) -> BoardState:
    """Return the resulting state."""
    return apply(BoardState(), BoardStateInput.model_validate(state).replacement(BOARD, START))


def test_columns_and_cards_keep_ids_and_order() -> None:
    state = read(STATE)
    assert list(state.columns) == ["c2", "c1"]
    assert [column.card_ids for column in state.columns.values()] == [(), ("k2", "k1")]
    assert list(state.cards) == ["k1", "k2"]


def test_card_keeps_what_it_is_given() -> None:
    card = read(STATE).cards["k2"]  # type: ignore[index]  # an id as on the wire
    assert (card.ticket_key, card.pr_url, card.ticket_type) == ("X-7", "https://h/1", "docs")
    assert (card.is_enhanced, card.disable_auto_close_on_pr_merge) == (True, True)
    assert card.github_issue is not None
    assert (card.github_issue.issue_number, card.github_issue.url) == (3, "https://h/3")
    assert (card.title, card.description, card.depends_on, card.column_id) == ("full", "", ("k1",), "c1")
    assert (card.created_at, card.updated_at) == (parse_iso(AT), parse_iso(AT))


def test_missing_fields_are_filled_in() -> None:
    card = read(STATE).cards["k1"]  # type: ignore[index]  # as above
    assert card == Card(card.id, BOARD, card.column_id, "bare", START, START)


def test_empty_board_fits() -> None:
    assert read({"columns": {}, "columnOrder": [], "cards": {}}) == BoardState()


def _with(path: str, value: object) -> dict[str, Any]:
    state = deepcopy(STATE)
    *way, last = path.split(".")
    place = state
    for step in way:
        place = place[step]
    place[last] = value
    return state


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("columnOrder", ["c1"], "columnOrder"),
        ("columnOrder", ["c1", "c2", "c2"], "columnOrder"),
        ("columnOrder", ["c1", "c3"], "columnOrder"),
        ("columns.c1.id", "other", r"columns\.c1\.id"),
        ("cards.k1.id", "other", r"cards\.k1\.id"),
        ("columns.c1.cardIds", ["k1"], "cardIds"),
        ("columns.c1.cardIds", ["k1", "k2", "k3"], "cardIds"),
        ("columns.c2.cardIds", ["k1"], "cardIds"),
        ("cards.k1.dependsOn", ["k3"], "dependsOn"),
        ("cards.k1.dependsOn", ["k2"], "cycle"),
        ("cards.k1.dependsOn", ["k1"], "cycle"),
        ("cards.k1.title", "", "title"),
        ("cards.k1.title", "x" * 501, "title"),
        ("cards.k1.description", "x" * (64 * 1024 + 1), "description"),
        ("cards.k1.ticketType", "nothing", "ticketType"),
        ("cards.k1.createdAt", "yesterday", "createdAt"),
        ("cards.k1.isEnhanced", "yes", "isEnhanced"),
        ("cards.k2.githubIssue.issueNumber", "3", "issueNumber"),
        ("cards.k2.githubIssue.issueNumber", 2**63, "issueNumber"),
        ("columns.c1.title", None, "title"),
        ("cards", [], "cards"),
    ],
)
def test_state_that_does_not_fit_together_is_refused(path: str, value: object, expected: str) -> None:
    with pytest.raises(ValidationError, match=expected):
        BoardStateInput.model_validate(_with(path, value))
