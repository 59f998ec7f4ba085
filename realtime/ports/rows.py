"""The results of the reading ports: rows as the store has them, and pages of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from realtime.kanban.board import Board
from realtime.kanban.ids import AttemptId, BoardId, CardId
from realtime.kanban.models import AttemptStatus

__all__ = ["Agent", "Attempt", "AttemptKey", "CardKey", "LogEntry", "Page", "Profile", "StoredBoard"]

_T = TypeVar("_T")
#: A card and its board, because card ids are unique only within a board.
CardKey = tuple[BoardId, CardId]
#: An attempt and its board, because two boards may use one id (docs/ingest.md).
AttemptKey = tuple[BoardId, AttemptId]


@dataclass(frozen=True, slots=True)
class StoredBoard:
    """A board as the rows have it, and its offsets in the log."""

    board: Board
    offset: int
    global_offset: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """The row of an attempt."""

    id: AttemptId
    board_id: BoardId
    card_id: CardId
    agent: str
    status: AttemptStatus
    created_at: datetime
    updated_at: datetime
    base_branch: str | None = None
    branch_name: str | None = None
    worktree_path: str | None = None
    session_id: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One line of an attempt's log."""

    id: str
    attempt_id: AttemptId
    ts: datetime
    level: str
    message: str


@dataclass(frozen=True, slots=True)
class Agent:
    """A registered agent."""

    key: str
    label: str | None


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile of an agent."""

    id: str
    agent: str
    label: str | None


@dataclass(frozen=True, slots=True)
class Page(Generic[_T]):
    """The first entries after a given sequence (or offset), oldest first."""

    #: Entries with their sequence, a growing whole number. The next page continues after that of the last entry.
    entries: Sequence[tuple[int, _T]]
    #: Whether there are more entries after the last.
    more: bool
