"""The results of the reading ports: rows as the store has them, and pages of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from realtime.global_ids import Kind, global_id
from realtime.kanban.board import Board
from realtime.kanban.ids import AttemptId, BoardId, CardId, log_id
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

    @property
    def global_id(self) -> str:
        """The id that is unique in the installation: of the board and the attempt (`global_ids`)."""
        return global_id(Kind.ATTEMPT, self.board_id, self.id)


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One line of an attempt's log."""

    board_id: BoardId
    attempt_id: AttemptId
    #: Offset in the board's log of the event that brought the line.
    offset: int
    ts: datetime
    level: str
    message: str

    @property
    def id(self) -> str:
        """The line's id, `log-<uuid>`."""
        return log_id(self.board_id, self.attempt_id, self.offset)


@dataclass(frozen=True, slots=True)
class Agent:
    """A registered agent."""

    key: str
    label: str | None

    @property
    def global_id(self) -> str:
        """The id that is unique in the installation: of the key of the agent (`global_ids`)."""
        return global_id(Kind.AGENT, self.key, self.key)


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile of an agent."""

    id: str
    agent: str
    label: str | None

    @property
    def global_id(self) -> str:
        """The id that is unique in the installation: of the id of the profile (`global_ids`)."""
        return global_id(Kind.PROFILE, self.id, self.id)


@dataclass(frozen=True, slots=True)
class Page(Generic[_T]):
    """The first entries of a list after an offset, oldest first."""

    #: Entries with the offsets of their events in the log of the channel. The next page continues after the last one.
    entries: Sequence[tuple[int, _T]]
    #: Whether there are more entries after the last.
    more: bool
