"""Projects, columns and cards by id: what an attempt is called by, where its card lies."""

from __future__ import annotations

from dataclasses import dataclass

from realtime.dashboard.rows import AttemptRow, CardRow, ColumnRow, DashboardRows, ProjectRow
from realtime.kanban.ids import BoardId, CardId, ColumnId

__all__ = ["Lookup"]


@dataclass(frozen=True, slots=True)
class Lookup:
    """The rows by id. An attempt may name a project or a card that is not there."""

    projects: dict[BoardId, ProjectRow]
    columns: dict[tuple[BoardId, ColumnId], ColumnRow]
    cards: dict[tuple[BoardId, CardId], CardRow]

    @classmethod
    def of(cls, rows: DashboardRows) -> Lookup:
        """Index `rows`."""
        return cls(
            {project.id: project for project in rows.projects},
            {(column.project_id, column.id): column for column in rows.columns},
            {(card.project_id, card.id): card for card in rows.cards},
        )

    def project_name(self, attempt: AttemptRow) -> str | None:
        """Return the name of the attempt's project."""
        project = self.projects.get(attempt.project_id)
        return project.name if project else None

    def card(self, attempt: AttemptRow) -> CardRow | None:
        """Return the attempt's card."""
        return self.cards.get((attempt.project_id, attempt.card_id))

    def column_title(self, attempt: AttemptRow) -> str | None:
        """Return the title of the column in which the attempt's card lies."""
        card = self.card(attempt)
        column = self.columns.get((card.project_id, card.column_id)) if card else None
        return column.title if column else None
