"""Effects of an event on the rows (docs/ingest.md): event → statements with parameters. Pure, without a connection.

Statements are constants of this module, so that consecutive events of one kind become one `executemany`. The rows must
equal the result of folding (`kanban.board`, `kanban.changes`); a property test compares both. `board_rows` writes the
rows of columns and the ticket counter.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
from sqlalchemy import Executable, Table, bindparam, delete, update

from realtime.backends.sql.prepared import Addition, Insertion, NumberedInsertion
from realtime.backends.sql.tables import (
    agents,
    board_tags,
    conversation,
    logs,
    milliseconds,
    profiles,
    projects,
)
from realtime.backends.sql.upsert import insert
from realtime.backends.sql.writing import card_effects
from realtime.backends.sql.writing.attempt_effects import (
    DELETE_ATTEMPTS_OF_BOARD,
    attempt_effects,
    effects_of_gone_card,
    session_effects,
    todo_effects,
)
from realtime.clock import parse_iso
from realtime.global_ids import tag_of
from realtime.kanban import events
from realtime.kanban.board import Recorded
from realtime.kanban.changes import CardDeleted
from realtime.kanban.projection import new_project

__all__ = ["Effect", "effects"]

#: A statement and the parameters of one execution.
Effect = tuple[Executable, dict[str, Any]] | tuple[Insertion, tuple[Any, ...]]

_PROJECT_FIELDS = ("name", "repository_path", "repository_url", "repository_slug")


def _put(table: Table, *updated: str) -> NumberedInsertion:
    """Return a statement that inserts rows, or updates some columns of a row that exists."""
    made = insert(table)
    made = made.on_conflict_do_update(
        index_elements=list(table.primary_key.columns), set_={name: made.excluded[name] for name in updated}
    )
    return NumberedInsertion(made, table.c.sequence, *table.c.keys(), updated=updated)


_put_project = _put(projects, *_PROJECT_FIELDS)
_set_project = {
    name: update(projects).where(projects.c.id == bindparam("board")).values({name: bindparam("value")})
    for name in _PROJECT_FIELDS
}
_add_tag = Insertion(insert(board_tags).on_conflict_do_nothing(), "tag", "board_id")
_delete_tag = delete(board_tags).where(board_tags.c.board_id == bindparam("board"))
_delete_project = delete(projects).where(projects.c.id == bindparam("board"))

_add_log = Addition(logs, "board_id", "attempt_id", "offset", "ts", "level", "message")
_add_item = Addition(conversation, "board_id", "attempt_id", "offset", "item")
_put_agent = _put(agents, "label")
_put_profile = _put(profiles, "agent", "label")
_delete_profile = delete(profiles).where(profiles.c.id == bindparam("profile"))


def effects(recorded: Recorded, offset: int) -> Iterator[Effect]:
    """Yield the effects of `recorded` on the rows, in order; `offset` is its place in the log of its channel."""
    event, at = recorded.event, recorded.at
    match event:
        # First, because most events are log lines, and a case costs time in every case below it.
        case events.AttemptLogAppended(attempt_id=attempt, level=level, message=message, ts=ts):
            instant = parse_iso(ts) if ts else at
            yield _add_log, (event.board_id, attempt, offset, milliseconds(instant), level, message)
        case events.ProjectCreated() | events.ProjectUpdated() | events.ProjectDeleted():
            yield from _project(recorded)
        case events.AgentRegistered(agent=agent, label=label):
            yield _put_agent, (agent, label)
        case events.AgentProfileChanged(kind="deleted", profile_id=profile):
            yield _delete_profile, {"profile": profile}
        case events.AgentProfileChanged(profile_id=profile, agent=agent, label=label):
            yield _put_profile, (profile, agent, label)
        case events.AttemptConversationAppended(attempt_id=attempt, item=item):
            yield _add_item, (event.board_id, attempt, offset, orjson.dumps(item).decode())
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
        yield _add_tag, (tag_of(project.id), project.id)
    elif isinstance(event, events.ProjectUpdated):
        for name in sorted(event.changes.model_fields_set & set(_PROJECT_FIELDS)):
            value = getattr(event.changes, name)
            if value or name == "repository_url":
                yield _set_project[name], {"board": event.project_id, "value": value}
    elif isinstance(event, events.ProjectDeleted):
        board = {"board": event.project_id}
        for statement in (*DELETE_ATTEMPTS_OF_BOARD, *card_effects.DELETE_BOARD, _delete_tag, _delete_project):
            yield statement, board
