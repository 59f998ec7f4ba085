"""The inbox: items by kind with names, reasons and counts."""

from __future__ import annotations

import pytest

from realtime.clock import iso
from realtime.dashboard.inbox import NO_SUMMARY, build_inbox
from realtime.dashboard.model import Inbox
from tests.unit.realtime.dashboard.counting import Tables, figures_of
from tests.unit.realtime.dashboard.samples import ALL_TIME, NOW, ago, attempt, board, card, log


def inbox_of(rows: Tables) -> Inbox:
    """Build the inbox of all attempts."""
    figures = figures_of(rows, ALL_TIME.window(NOW))
    return build_inbox(figures.findings, figures.logs)


def test_inbox_without_items_has_no_counts() -> None:
    assert inbox_of(board(attempts=[])).model_dump(by_alias=True) == {"review": (), "failed": (), "stuck": ()}


def test_inbox_counts_items_by_kind() -> None:
    rows = [
        attempt("r", card="c1"),
        attempt("f", "failed", card="c2"),
        attempt("g", "stopped", card="c3"),
        attempt("s", "queued", card="c4", created=ago(600)),
    ]
    inbox = inbox_of(board(attempts=rows))
    assert inbox.meta is not None
    assert inbox.meta.model_dump() == {"total_items": 4, "total_review": 1, "total_failed": 2, "total_stuck": 1}


@pytest.mark.parametrize(
    ("column", "pr_url", "reason"),
    [
        ("Review", None, "card is not in a Done column"),
        ("Done", "https://pr", "PR is still open or pending review"),
        ("Review", "https://pr", "PR is still open or pending review; card is not in a Done column"),
    ],
)
def test_review_says_why(column: str, pr_url: str | None, reason: str) -> None:
    (item,) = inbox_of(board(card("c", column, pr_url=pr_url), attempts=[attempt("a")])).review
    assert (item.reason, item.card_status, item.pr_url) == (reason, column, pr_url)


def test_failure_shows_its_last_error() -> None:
    rows = board(card(), attempts=[attempt("a", "failed")], logs=[log("no"), log("of another", of="b")])
    assert [item.error_summary for item in inbox_of(rows).failed] == ["no"]


def test_failure_without_log_points_there() -> None:
    assert [item.error_summary for item in inbox_of(board(attempts=[attempt("a", "failed")])).failed] == [NO_SUMMARY]


@pytest.mark.parametrize(("title", "shown"), [("  Fix it ", "Fix it"), ("   ", "Card c")])
def test_card_title_is_trimmed_and_never_blank(title: str, shown: str) -> None:
    (item,) = inbox_of(board(card(title=title), attempts=[attempt("a")])).review
    assert item.card_title == shown


def test_item_of_unknown_card_is_named_by_id() -> None:
    rows = Tables(attempts=[attempt("a", "failed", card="lost", project="gone")])
    (item,) = inbox_of(rows).failed
    assert (item.card_title, item.card_status, item.ticket_key, item.pr_url) == ("Card lost", None, None, None)
    assert (item.project_id, item.project_name) == ("gone", None)


def test_item_changed_last_when_it_ended() -> None:
    row = attempt("a", "failed", created=ago(90), updated=ago(10), ended=ago(50))
    (item,) = inbox_of(board(attempts=[row])).failed
    assert (item.created_at, item.finished_at) == (ago(90), ago(50))
    assert item.updated_at == item.last_updated_at == ago(50)


def test_failure_without_end_changed_when_updated() -> None:
    row = attempt("a", "failed", updated=ago(10), ended=None)
    (item,) = inbox_of(board(attempts=[row])).failed
    assert (item.finished_at, item.last_updated_at) == (None, ago(10))


def test_stuck_item_is_never_finished() -> None:
    row = attempt("a", "running", created=ago(1800), ended=ago(5))
    (item,) = inbox_of(board(card(), attempts=[row])).stuck
    wire = item.model_dump(mode="json", by_alias=True)
    assert (wire["finishedAt"], wire["lastUpdatedAt"], wire["stuckForSeconds"]) == (None, iso(ago(5)), 1800)
    assert list(wire)[-3:] == ["prUrl", "stuckForSeconds", "meta"]
