"""Rows for tests, with defaults for all other fields."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TypedDict, Unpack

from realtime.dashboard.rows import AttemptLogRow, AttemptRow, ProjectRow
from realtime.dashboard.time_range import TimeRange, TimeRangePreset
from realtime.kanban.ids import AttemptId, BoardId, CardId, ColumnId
from realtime.kanban.models import AttemptStatus
from tests.unit.realtime.dashboard.counting import CardOnBoard, ColumnOfBoard, Tables

__all__ = ["ALL_TIME", "NOW", "ago", "attempt", "board", "card", "log"]

NOW = datetime(2025, 3, 1, 12, 0, 0, 500_000, tzinfo=UTC)
ALL_TIME = TimeRange(TimeRangePreset.ALL_TIME)


class _Times(TypedDict, total=False):
    created: datetime
    updated: datetime
    started: datetime | None
    ended: datetime | None


def ago(seconds: float) -> datetime:
    """Return the instant this long before `NOW`."""
    return NOW - timedelta(seconds=seconds)


def attempt(
    name: str,
    status: str = "succeeded",
    *,
    card: str = "c",
    agent: str = "CODEX",
    project: str = "p",
    sequence: int = 0,
    **times: Unpack[_Times],
) -> AttemptRow:
    """Make an attempt, created a minute ago. One that is over ended at its update."""
    created = times.get("created", ago(60))
    updated = times.get("updated", created)
    over = status not in {"queued", "running", "stopping"}
    return AttemptRow(
        id=AttemptId(name),
        project_id=BoardId(project),
        card_id=CardId(card),
        agent=agent,
        status=AttemptStatus(status),
        created_at=created,
        updated_at=updated,
        started_at=times.get("started"),
        ended_at=times.get("ended", updated if over else None),
        sequence=sequence,
    )


def card(name: str = "c", column: str = "Backlog", *, title: str = "Card", pr_url: str | None = None) -> CardOnBoard:
    """Make a card in the column of `board` with that title."""
    return CardOnBoard(CardId(name), BoardId("p"), ColumnId(f"col-{column}"), title, f"T-{name}", pr_url)


def log(message: str, level: str = "error", *, of: str = "a", at: datetime | None = None) -> AttemptLogRow:
    """Make a line of an attempt's log."""
    return AttemptLogRow(BoardId("p"), AttemptId(of), at or ago(30), level, message)


def board(*cards: CardOnBoard, attempts: list[AttemptRow], logs: list[AttemptLogRow] | None = None) -> Tables:
    """Make the rows of the project `p` with its default columns."""
    titles = ("Backlog", "In Progress", "Review", "Done", "Closed")
    return Tables(
        projects=[ProjectRow(BoardId("p"), "Project", "/srv/p", ago(86_400))],
        columns=[ColumnOfBoard(ColumnId(f"col-{title}"), BoardId("p"), title) for title in titles],
        cards=cards,
        attempts=attempts,
        logs=logs or [],
    )
