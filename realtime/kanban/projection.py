"""Reactions to events from outside: the event itself, and its effects on the board (docs/ingest.md).

Pure: from board, event and time they make recorded events, in the order in which these are stored and published.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from realtime.clock import parse_iso
from realtime.kanban import changes, events
from realtime.kanban.board import Board, Recorded
from realtime.kanban.changes import StateReplaced
from realtime.kanban.events import DomainEvent
from realtime.kanban.ids import AttemptId, BoardId, CardId, new_column_id, ticket_prefix
from realtime.kanban.models import DEFAULT_COLUMNS, IN_PROGRESS, REVIEW, AttemptStatus, Column, Project
from realtime.kanban.projects import repository_slug

__all__ = ["default_columns", "needs_board", "new_project", "react"]


def needs_board(event: DomainEvent) -> bool:
    """Return whether `react` reads the board; if not, the caller need not load it for this event."""
    return type(event) in _REACTIONS


def new_project(event: events.ProjectCreated, at: datetime) -> Project:
    """Return the project that `event` creates."""
    return Project(
        id=BoardId(event.project_id),
        name=event.name,
        repository_path=event.repository_path,
        created_at=parse_iso(event.created_at) if event.created_at else at,
        repository_url=event.repository_url,
        repository_slug=event.repository_slug or repository_slug(event.repository_path, event.repository_url),
        ticket_prefix=ticket_prefix(event.name),
    )


def default_columns() -> StateReplaced:
    """Return the change that gives a new board its default columns."""
    return StateReplaced(tuple(Column(new_column_id(), title) for title in DEFAULT_COLUMNS), ())


def react(board: Board | None, event: DomainEvent, at: datetime) -> list[Recorded]:
    """Return the events to record for `event`; `board` is None if it does not exist or is not needed."""
    reaction = _REACTIONS.get(type(event))
    return reaction(board, event, at) if reaction else [Recorded(event, at)]


def _project_created(board: Board | None, event: events.ProjectCreated, at: datetime) -> list[Recorded]:
    # On an existing board the event only changes name and repository.
    return [Recorded(event, at, () if board else (default_columns(),))]


def _project_updated(board: Board | None, event: events.ProjectUpdated, at: datetime) -> list[Recorded]:
    # Without a given slug, the slug follows from the repository, as in a command that changes a project.
    given = event.changes.model_fields_set
    if board is None or event.changes.repository_slug or not given & {"repository_path", "repository_url"}:
        return [Recorded(event, at)]
    project = board.project
    path = event.changes.repository_path or project.repository_path
    url = event.changes.repository_url if "repository_url" in given else project.repository_url
    payload = event.payload()
    payload["changes"] = {**payload["changes"], "repositorySlug": repository_slug(path, url)}
    return [Recorded(events.parse_event(event.type, payload), at)]


def _board_state_changed(board: Board | None, event: events.BoardStateChanged, at: datetime) -> list[Recorded]:
    if event.state is None:
        return [Recorded(event, at)]
    # The change has the state already; a second copy in the payload would double the size of the log.
    note = events.parse_event(event.type, event.payload("state"))
    return [Recorded(note, at, (event.state.replacement(BoardId(event.board_id_), at),))]


def _attempt_started(board: Board | None, event: events.AttemptStarted, at: datetime) -> list[Recorded]:
    if board is None or board.ignores(event.attempt_id, at, event.card_id):
        return [Recorded(event, at)]
    return [Recorded(event, at), *_to_column(board, event.card_id, IN_PROGRESS, at)]


def _attempt_completed(board: Board | None, event: events.AttemptCompleted, at: datetime) -> list[Recorded]:
    if board is None or board.ignores(event.attempt_id, at):
        return [Recorded(event, at)]
    title = REVIEW if event.status is AttemptStatus.SUCCEEDED else IN_PROGRESS
    return [Recorded(event, at), *_to_column(board, event.card_id, title, at)]


def _pull_request_created(board: Board | None, event: events.GithubPrCreated, at: datetime) -> list[Recorded]:
    attempt = board.attempts.get(AttemptId(event.attempt_id or "")) if board else None
    card = board.state.cards.get(attempt.card_id) if board and attempt else None
    url = event.pr["url"]
    if board is None or attempt is None or card is None or card.pr_url == url or attempt.held_at(at):
        return [Recorded(event, at)]
    change = changes.CardUpdated(replace(card, pr_url=url, updated_at=at), ("pr_url", "updated_at"))
    return [Recorded(event, at), Recorded(events.BoardStateChanged(board_id_=board.id), at, (change,))]


def _to_column(board: Board, card_id: str, title: str, at: datetime) -> list[Recorded]:
    # As in the original: to the end of the column, regardless of the locks for people (Done, dependencies).
    card = board.state.cards.get(CardId(card_id))
    column = board.state.column_titled(title)
    return board.move(card, column, len(column.card_ids), at) if card and column else []


Reaction = Callable[[Board | None, Any, datetime], list[Recorded]]
#: A lookup, because most events have no reaction, and testing class by class would double their cost.
_REACTIONS: dict[type[DomainEvent], Reaction] = {
    events.ProjectCreated: _project_created,
    events.ProjectUpdated: _project_updated,
    events.BoardStateChanged: _board_state_changed,
    events.AttemptStarted: _attempt_started,
    events.AttemptCompleted: _attempt_completed,
    events.GithubPrCreated: _pull_request_created,
}
