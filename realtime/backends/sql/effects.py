"""What an event does to the rows (contract §6): event → statements with parameters. Pure, no connection.

Statements are constants of this module, so that a run of events of one kind becomes one `executemany`. The rows must
say the same as folding (`kanban.board`, `kanban.changes`); a property test compares.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
from sqlalchemy import Executable, bindparam, case, delete, func, select, update
from sqlalchemy.dialects.sqlite import insert

from realtime.backends.sql import card_effects
from realtime.backends.sql.placing import Placing
from realtime.backends.sql.prepared import Insertion
from realtime.backends.sql.tables import (
    Instant,
    agents,
    attempts,
    conversation,
    logs,
    milliseconds,
    profiles,
    projects,
    sessions,
    todos,
)
from realtime.clock import parse_iso
from realtime.kanban import events
from realtime.kanban.board import Recorded
from realtime.kanban.ids import new_log_id
from realtime.kanban.models import ACTIVE_STATUSES, AttemptStatus
from realtime.kanban.projection import new_project

__all__ = ["Effect", "effects"]

#: A statement and the parameters of one execution.
Effect = tuple[Executable, dict[str, Any]] | tuple[Insertion | Placing, tuple[Any, ...]]

_PROJECT_FIELDS = ("name", "repository_path", "repository_url", "repository_slug")


def _next(table: Any) -> Any:
    return select(func.coalesce(func.max(table.c.sequence), 0) + 1).scalar_subquery()


_put_project = insert(projects).values(sequence=_next(projects))
_put_project = _put_project.on_conflict_do_update(
    index_elements=["id"], set_={name: _put_project.excluded[name] for name in _PROJECT_FIELDS}
)
_set_project = {
    name: update(projects).where(projects.c.id == bindparam("board")).values({name: bindparam("value")})
    for name in _PROJECT_FIELDS
}
_delete_project = delete(projects).where(projects.c.id == bindparam("board"))
_of_board = select(attempts.c.id).where(attempts.c.board_id == bindparam("board"))
_delete_kept = [
    delete(table).where(table.c.attempt_id.in_(_of_board)) for table in (logs, conversation, todos, sessions)
]
_delete_attempts = delete(attempts).where(attempts.c.board_id == bindparam("board"))

_put_attempt = insert(attempts).values(sequence=_next(attempts))
_new = _put_attempt.excluded
_put_attempt = _put_attempt.on_conflict_do_update(
    index_elements=["board_id", "id"],
    set_={
        **{name: _new[name] for name in ("card_id", "agent", "status", "updated_at", "started_at", "ended_at")},
        **{
            name: func.coalesce(_new[name], attempts.c[name])
            for name in ("base_branch", "branch_name", "worktree_path")
        },
    },
)
# Typed: inside an expression SQLAlchemy does not know whose value it is, and would bind a datetime as text.
_at = bindparam("at", type_=Instant)
_ended = bindparam("ended", type_=Instant)
_this_attempt = (attempts.c.board_id == bindparam("board")) & (attempts.c.id == bindparam("attempt"))
_set_status = (
    update(attempts)
    .where(_this_attempt)
    .values(
        status=bindparam("new_status"),
        updated_at=_at,
        started_at=case(
            (bindparam("new_status") == AttemptStatus.RUNNING, func.coalesce(attempts.c.started_at, _at)),
            else_=attempts.c.started_at,
        ),
        ended_at=func.coalesce(_ended, case((bindparam("over"), attempts.c.ended_at), else_=None)),
    )
)
_end_if_open = update(attempts).where(_this_attempt, attempts.c.ended_at.is_(None)).values(ended_at=_at)
_complete = (
    update(attempts)
    .where(_this_attempt)
    .values(
        status=bindparam("new_status"),
        updated_at=_at,
        ended_at=func.coalesce(attempts.c.ended_at, _at),
        worktree_path=func.coalesce(bindparam("path"), attempts.c.worktree_path),
    )
)
_stop = (
    update(attempts)
    # While it is `stopping` the runner still reports the end itself, with its own time.
    .where(_this_attempt, attempts.c.status != AttemptStatus.STOPPING)
    .values(
        status=AttemptStatus.STOPPED.value,
        updated_at=_at,
        ended_at=func.coalesce(attempts.c.ended_at, _at),
    )
)

_add_log = Insertion(insert(logs), "id", "attempt_id", "ts", "level", "message")
_add_item = insert(conversation)
_put_todos = insert(todos)
_put_todos = _put_todos.on_conflict_do_update(
    index_elements=["attempt_id"], set_={"todos": _put_todos.excluded["todos"]}
)
_put_session = insert(sessions)
_put_session = _put_session.on_conflict_do_update(
    index_elements=["attempt_id"], set_={"session_id": _put_session.excluded["session_id"]}
)
_put_agent = insert(agents).values(sequence=_next(agents))
_put_agent = _put_agent.on_conflict_do_update(index_elements=["key"], set_={"label": _put_agent.excluded["label"]})
_put_profile = insert(profiles).values(sequence=_next(profiles))
_put_profile = _put_profile.on_conflict_do_update(
    index_elements=["id"], set_={name: _put_profile.excluded[name] for name in ("agent", "label")}
)
_delete_profile = delete(profiles).where(profiles.c.id == bindparam("profile"))


def effects(recorded: Recorded) -> Iterator[Effect]:
    """Yield what `recorded` does to the rows, in order."""
    event, at = recorded.event, recorded.at
    match event:
        # First, because most events are lines, and each case costs those below it.
        case events.AttemptLogAppended(attempt_id=attempt, level=level, message=message, ts=ts):
            instant = parse_iso(ts) if ts else at
            yield _add_log, (new_log_id(), attempt, milliseconds(instant), level, message)
        case events.ProjectCreated() | events.ProjectUpdated() | events.ProjectDeleted():
            yield from _project(recorded)
        case events.AgentRegistered(agent=agent, label=label):
            yield _put_agent, {"key": agent, "label": label}
        case events.AgentProfileChanged(kind="deleted", profile_id=profile):
            yield _delete_profile, {"profile": profile}
        case events.AgentProfileChanged(profile_id=profile, agent=agent, label=label):
            yield _put_profile, {"id": profile, "agent": agent, "label": label}
        case events.AttemptConversationAppended(attempt_id=attempt, item=item):
            yield _add_item, {"attempt_id": attempt, "item": orjson.dumps(item).decode()}
        case events.AttemptTodosUpdated(attempt_id=attempt, todos=items):
            yield _put_todos, {"attempt_id": attempt, "todos": orjson.dumps(items).decode()}
        case events.AttemptSessionRecorded(attempt_id=attempt, session_id=session):
            yield _put_session, {"attempt_id": attempt, "session_id": session}
        case _:
            yield from _attempt(recorded)
    if recorded.changes and event.board_id is not None:
        for change in recorded.changes:
            yield from card_effects.effects(event.board_id, change)


def _project(recorded: Recorded) -> Iterator[Effect]:
    event = recorded.event
    if isinstance(event, events.ProjectCreated):
        project = new_project(event, recorded.at)
        fields = ("id", "name", "status", "repository_path", "repository_url", "repository_slug", "ticket_prefix")
        row = {name: getattr(project, name) for name in (*fields, "created_at")}
        yield _put_project, {**row, "next_ticket_number": 1}
    elif isinstance(event, events.ProjectUpdated):
        for name in sorted(event.changes.model_fields_set & set(_PROJECT_FIELDS)):
            value = getattr(event.changes, name)
            if value or name == "repository_url":
                yield _set_project[name], {"board": event.project_id, "value": value}
    elif isinstance(event, events.ProjectDeleted):
        board = {"board": event.project_id}
        for statement in (*_delete_kept, _delete_attempts, *card_effects.DELETE_BOARD, _delete_project):
            yield statement, board


def _attempt(recorded: Recorded) -> Iterator[Effect]:
    event, at = recorded.event, recorded.at
    if isinstance(event, events.AttemptQueued | events.AttemptStarted):
        started = isinstance(event, events.AttemptStarted)
        yield (
            _put_attempt,
            {
                "board_id": event.board_id,
                "id": event.attempt_id,
                "card_id": event.card_id,
                "agent": event.agent,
                "status": (AttemptStatus.RUNNING if started else AttemptStatus.QUEUED).value,
                "base_branch": event.base_branch,
                "branch_name": event.branch_name,
                "worktree_path": event.worktree_path if isinstance(event, events.AttemptStarted) else None,
                "created_at": at,
                "updated_at": at,
                "started_at": at if started else None,
                "ended_at": None,
            },
        )
        return
    if not isinstance(event, events.AttemptStatusChanged | events.AttemptCompleted | events.AttemptStopped):
        return
    this = {"board": event.board_id, "attempt": event.attempt_id, "at": at}
    if isinstance(event, events.AttemptStatusChanged):
        over = event.status not in ACTIVE_STATUSES
        ended = parse_iso(event.ended_at) if event.ended_at else None
        yield _set_status, {**this, "new_status": event.status.value, "ended": ended, "over": over}
        if over and "ended_at" not in event.model_fields_set:
            # A sender that says `endedAt: null` does not know the end, and neither do we.
            yield _end_if_open, this
    elif isinstance(event, events.AttemptCompleted):
        yield _complete, {**this, "new_status": event.status.value, "path": event.worktree_path}
    else:
        yield _stop, this
