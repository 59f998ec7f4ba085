"""Effects of an event on the rows (docs/ingest.md): event → statements with parameters. Pure, without a connection.

Statements are constants of this module, so that consecutive events of one kind become one `executemany`. The rows must
equal the result of folding (`kanban.board`, `kanban.changes`); a property test compares both.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
from sqlalchemy import Executable, Table, bindparam, delete, update
from sqlalchemy.dialects.sqlite import insert

from realtime.backends.sql.column_moves import ColumnMoves
from realtime.backends.sql.prepared import Insertion, NumberedInsertion
from realtime.backends.sql.tables import (
    agents,
    conversation,
    logs,
    milliseconds,
    profiles,
    projects,
)
from realtime.backends.sql.writing import card_effects
from realtime.backends.sql.writing.attempt_effects import (
    DELETE_ATTEMPTS_OF_BOARD,
    attempt_effects,
    effects_of_gone_card,
    session_effects,
    todo_effects,
)
from realtime.clock import parse_iso
from realtime.kanban import events
from realtime.kanban.board import Recorded
from realtime.kanban.changes import CardDeleted
from realtime.kanban.ids import new_log_id
from realtime.kanban.projection import new_project

__all__ = ["Effect", "effects"]

#: A statement and the parameters of one execution.
Effect = tuple[Executable, dict[str, Any]] | tuple[Insertion | NumberedInsertion | ColumnMoves, tuple[Any, ...]]

_PROJECT_FIELDS = ("name", "repository_path", "repository_url", "repository_slug")


def _put(table: Table, *updated: str) -> NumberedInsertion:
    """Return a statement that inserts rows, or updates some columns of a row that exists."""
    made = insert(table)
    made = made.on_conflict_do_update(
        index_elements=list(table.primary_key.columns), set_={name: made.excluded[name] for name in updated}
    )
    return NumberedInsertion(Insertion(made, *table.c.keys()), table.c.sequence)


_put_project = _put(projects, *_PROJECT_FIELDS)
_set_project = {
    name: update(projects).where(projects.c.id == bindparam("board")).values({name: bindparam("value")})
    for name in _PROJECT_FIELDS
}
_delete_project = delete(projects).where(projects.c.id == bindparam("board"))

_add_log = Insertion(insert(logs), "id", "board_id", "attempt_id", "ts", "level", "message")
_add_item = Insertion(insert(conversation), "board_id", "attempt_id", "item")
_put_agent = _put(agents, "label")
_put_profile = _put(profiles, "agent", "label")
_delete_profile = delete(profiles).where(profiles.c.id == bindparam("profile"))


def effects(recorded: Recorded) -> Iterator[Effect]:
    """Yield the effects of `recorded` on the rows, in order."""
    event, at = recorded.event, recorded.at
    match event:
        # First, because most events are log lines, and a case costs time in every case below it.
        case events.AttemptLogAppended(attempt_id=attempt, level=level, message=message, ts=ts):
            instant = parse_iso(ts) if ts else at
            yield _add_log, (new_log_id(), event.board_id, attempt, milliseconds(instant), level, message)
        case events.ProjectCreated() | events.ProjectUpdated() | events.ProjectDeleted():
            yield from _project(recorded)
        case events.AgentRegistered(agent=agent, label=label):
            yield _put_agent, (agent, label)
        case events.AgentProfileChanged(kind="deleted", profile_id=profile):
            yield _delete_profile, {"profile": profile}
        case events.AgentProfileChanged(profile_id=profile, agent=agent, label=label):
            yield _put_profile, (profile, agent, label)
        case events.AttemptConversationAppended(attempt_id=attempt, item=item):
            yield _add_item, (event.board_id, attempt, orjson.dumps(item).decode())
        case events.AttemptTodosUpdated():
            yield todo_effects(event, at)
        case events.AttemptSessionRecorded():
            yield session_effects(event, at)
        case _:
            yield from attempt_effects(recorded)
    if recorded.changes and event.board_id is not None:
        for change in recorded.changes:
            yield from card_effects.effects(event.board_id, change)
            if isinstance(change, CardDeleted):
                yield from effects_of_gone_card(event.board_id, change.card_id)


def _project(recorded: Recorded) -> Iterator[Effect]:
    event = recorded.event
    if isinstance(event, events.ProjectCreated):
        project = new_project(event, recorded.at)
        fields = ("id", "name", "status", "repository_path", "repository_url", "repository_slug", "ticket_prefix")
        yield _put_project, (*(getattr(project, name) for name in fields), 1, milliseconds(project.created_at))
    elif isinstance(event, events.ProjectUpdated):
        for name in sorted(event.changes.model_fields_set & set(_PROJECT_FIELDS)):
            value = getattr(event.changes, name)
            if value or name == "repository_url":
                yield _set_project[name], {"board": event.project_id, "value": value}
    elif isinstance(event, events.ProjectDeleted):
        board = {"board": event.project_id}
        for statement in (*DELETE_ATTEMPTS_OF_BOARD, *card_effects.DELETE_BOARD, _delete_project):
            yield statement, board
