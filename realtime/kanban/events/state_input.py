"""A board state from outside: parsed, completed and checked (docs/ingest.md, "A whole state")."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StrictInt, model_validator
from pydantic.alias_generators import to_camel

from realtime.clock import parse_iso
from realtime.kanban.changes import StateReplaced
from realtime.kanban.dependencies import cycle_text, find_cycle
from realtime.kanban.ids import BoardId, CardId, ColumnId, Id
from realtime.kanban.input.fields import Dependencies, Description, Flag, IsoTime, ShortText, TicketTypeName, Title, Url
from realtime.kanban.input.many import Many
from realtime.kanban.models import Card, Column, GithubIssue

__all__ = ["BoardStateInput"]

#: Most columns of a board; each command that enlarges the board reads all of them.
MAX_COLUMNS = 1000


class _Input(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)


class _GithubIssueInput(_Input):
    # A number that fits the 64 bits of the databases.
    issue_number: Annotated[StrictInt, Field(ge=0, lt=2**53)]  # the whole numbers that JavaScript knows exactly
    url: Url


class _ColumnInput(_Input):
    id: Id
    title: ShortText
    card_ids: Annotated[tuple[Id, ...], Many]


class _CardInput(_Input):
    """A card; unknown keys are dropped, missing flags are false, a missing ticket type is null (docs/ingest.md)."""

    id: Id
    title: Title
    ticket_key: ShortText | None = None
    pr_url: Url | None = None
    disable_auto_close_on_pr_merge: Flag = Field(default=False, alias="disableAutoCloseOnPRMerge")
    ticket_type: TicketTypeName | None = None
    is_enhanced: Flag = False
    github_issue: _GithubIssueInput | None = None
    description: Description | None = None
    depends_on: Dependencies = ()
    created_at: IsoTime | None = None
    updated_at: IsoTime | None = None

    def card(self, board_id: BoardId, column_id: str, at: datetime) -> Card:
        """Return the card in a column of a board. `at` stands for each time that did not come."""
        issue = self.github_issue
        return Card(
            id=CardId(self.id),
            board_id=board_id,
            column_id=ColumnId(column_id),
            title=self.title,
            created_at=parse_iso(self.created_at) if self.created_at else at,
            updated_at=parse_iso(self.updated_at) if self.updated_at else at,
            ticket_key=self.ticket_key,
            pr_url=self.pr_url,
            disable_auto_close_on_pr_merge=self.disable_auto_close_on_pr_merge,
            ticket_type=self.ticket_type,
            is_enhanced=self.is_enhanced,
            github_issue=GithubIssue(issue.issue_number, issue.url) if issue else None,
            description=self.description,
            depends_on=tuple(dict.fromkeys(map(CardId, self.depends_on))),
        )


class BoardStateInput(_Input):
    """`{columns, columnOrder, cards}` as a client sends it."""

    columns: Annotated[dict[Id, _ColumnInput], Many]
    column_order: Annotated[tuple[Id, ...], Many]
    cards: Annotated[dict[Id, _CardInput], Many]

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if len(self.columns) > MAX_COLUMNS:
            raise ValueError(f"expected at most {MAX_COLUMNS} columns, {len(self.columns)} came")
        if sorted(self.column_order) != sorted(self.columns):
            raise ValueError("expected columnOrder to name each of the columns once")
        for kind, things in (("columns", self.columns), ("cards", self.cards)):
            for key, thing in things.items():
                if thing.id != key:
                    raise ValueError(f"expected {kind}.{key}.id to be {key!r}, {thing.id!r} came")
        listed = [card_id for column in self.columns.values() for card_id in column.card_ids]
        if sorted(listed) != sorted(self.cards):
            raise ValueError("expected cardIds of the columns to name each of the cards once")
        self._check_dependencies()
        return self

    def _check_dependencies(self) -> None:
        for card in self.cards.values():
            unknown = [other for other in card.depends_on if other not in self.cards]
            if unknown:
                raise ValueError(f"expected cards.{card.id}.dependsOn to name cards of this board, {unknown[0]!r} came")
        cycle = find_cycle({card.id: card.depends_on for card in self.cards.values()})
        if cycle:
            raise ValueError(f"expected dependencies without a cycle, {cycle_text(cycle)} came")

    def replacement(self, board_id: BoardId, at: datetime) -> StateReplaced:
        """Return the change that gives a board this state; missing times become `at`."""
        column_of = {card_id: column.id for column in self.columns.values() for card_id in column.card_ids}
        columns = tuple(
            Column(ColumnId(key), self.columns[key].title, tuple(map(CardId, self.columns[key].card_ids)))
            for key in self.column_order
        )
        cards = tuple(card.card(board_id, column_of[key], at) for key, card in self.cards.items())
        return StateReplaced(columns, cards)
