"""Ports for reading rows: boards, attempts, many of them at once, and the dashboard."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from realtime.dashboard.figures import DashboardFigures
from realtime.dashboard.time_range import Window
from realtime.kanban.ids import AttemptId, BoardId, CardId, ColumnId
from realtime.kanban.models import Card, Project
from realtime.messages.channels import Channel
from realtime.ports.rows import Agent, Attempt, AttemptKey, CardKey, LogEntry, Page, Profile, StoredBoard

__all__ = ["AttemptReader", "BatchReader", "BoardReader", "DashboardReader"]


class BoardReader(Protocol):
    """Reads boards. The rows and offsets of one call belong together, because a call sees one moment."""

    async def board(self, board_id: BoardId) -> StoredBoard | None:
        """Return the board, None if it does not exist.

        Raises:
            StoreUnavailable: the store did not answer.
        """

    async def projects(self) -> list[Project]:
        """Return all projects, oldest first."""

    async def project(self, project_id: BoardId) -> Project | None:
        """Return one project, None if it does not exist."""

    async def homes_of(self, card_id: CardId, among: Collection[BoardId] | None = None) -> Mapping[BoardId, ColumnId]:
        """Return those of some boards that have a card with this id, and the column it is in there; None = of all."""

    async def offset(self, channel: Channel) -> int:
        """Return the offset of the last event of a channel, 0 before the first."""


class AttemptReader(Protocol):
    """Reads attempts and their rows. An id alone is ambiguous, because two boards may use the same one."""

    async def attempts(self, board_id: BoardId, *card_ids: CardId) -> list[Attempt]:
        """Return the attempts of a board (or of the given cards of it), newest first."""

    async def attempt(self, board_id: BoardId, attempt_id: AttemptId) -> Attempt | None:
        """Return one attempt, None if it is not known."""

    async def boards_of_attempt(
        self, attempt_id: AttemptId, among: Collection[BoardId] | None = None
    ) -> Mapping[BoardId, bool]:
        """Return those of some boards with rows under an attempt's id, and for each whether it knows the attempt.

        None = of all boards. A log alone counts. A store of an older version may have lines without a board, under the
        board `""`.
        """

    async def logs(self, board_id: BoardId, attempt_id: AttemptId, after: int, limit: int) -> Page[LogEntry]:
        """Return the first `limit` lines of the log under an attempt's id, after the offset `after`."""

    async def conversation(
        self, board_id: BoardId, attempt_id: AttemptId, after: int, limit: int
    ) -> Page[dict[str, Any]]:
        """Return the first `limit` conversation items after the offset `after`, as they came."""

    async def todos(self, board_id: BoardId, attempt_id: AttemptId) -> dict[str, Any] | None:
        """Return the attempt's todo list, None if it has none."""


class BatchReader(Protocol):
    """Reads many rows at once. Each call is one query, and sees one moment.

    The result has no entry for a row that does not exist.
    """

    async def projects_by_id(self, project_ids: Collection[BoardId]) -> Mapping[BoardId, Project]:
        """Return the projects with these ids; a deleted or unknown one is left out."""

    async def boards_by_id(self, board_ids: Collection[BoardId]) -> Mapping[BoardId, StoredBoard]:
        """Return the stored boards with these ids, each with its cursor; a deleted or unknown one is left out."""

    async def boards_of_tags(self, tags: Collection[str]) -> Mapping[str, BoardId]:
        """Return the boards with these tags (`global_ids`), by tag."""

    async def cards_by_key(self, keys: Collection[CardKey]) -> Mapping[CardKey, Card]:
        """Return the cards by board and id; an unknown one is left out."""

    async def attempts_of_cards(self, keys: Collection[CardKey]) -> Mapping[CardKey, Sequence[Attempt]]:
        """Return the attempts at each card, newest first."""

    async def attempts_by_key(self, keys: Collection[AttemptKey]) -> Mapping[AttemptKey, Attempt]:
        """Return the attempts by board and id; an unknown one is left out."""

    async def log_pages(
        self, keys: Collection[AttemptKey], after: int, limit: int
    ) -> Mapping[AttemptKey, Page[LogEntry]]:
        """Return the first `limit` log lines of each known attempt after the offset `after`."""

    async def conversation_pages(
        self, keys: Collection[AttemptKey], after: int, limit: int
    ) -> Mapping[AttemptKey, Page[dict[str, Any]]]:
        """Return the first `limit` conversation items of each known attempt after the offset `after`."""

    async def todos_of_attempts(self, keys: Collection[AttemptKey]) -> Mapping[AttemptKey, dict[str, Any]]:
        """Return the todo lists of the attempts that have one."""


class DashboardReader(Protocol):
    """Reads the figures from which the dashboard is computed."""

    async def dashboard_figures(self, window: Window) -> DashboardFigures:
        """Return the figures of all projects for a window, at one moment.

        Raises:
            StoreUnavailable: the store did not answer.
        """

    async def agents(self) -> tuple[list[Agent], list[Profile]]:
        """Return the registered agents and their profiles, oldest first."""
