"""Effects of an event on the rows of attempts and the rows under them: event → statements. Pure.

The key of an attempt is (board, id). Its end is final: an older event is stored in the log, but changes no row
(docs/ingest.md, `AttemptRef.held_at`).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import (
    BindParameter,
    Executable,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    not_,
    or_,
    select,
    tuple_,
    update,
)

from realtime.backends.sql.tables import (
    ACTIVE,
    OVER,
    Instant,
    attempts,
    cards,
    conversation,
    gone_attempts,
    logs,
    sessions,
    todos,
)
from realtime.backends.sql.upsert import insert
from realtime.clock import parse_iso
from realtime.kanban import events
from realtime.kanban.board import GONE_ATTEMPTS, Recorded
from realtime.kanban.events.base import OfAttempt
from realtime.kanban.ids import BoardId, CardId
from realtime.kanban.models import ACTIVE_STATUSES, AttemptStatus

__all__ = ["DELETE_ATTEMPTS_OF_BOARD", "attempt_effects", "effects_of_gone_card", "session_effects", "todo_effects"]

Effect = tuple[Executable, dict[str, Any]]

_TABLES = (logs, conversation, todos, sessions)
_board: BindParameter[str] = bindparam("board")
_attempt: BindParameter[str] = bindparam("attempt")
# Typed, because within an expression SQLAlchemy does not know the type, and would bind a datetime as text.
_at = bindparam("at", type_=Instant)
_ended, _otherwise = (bindparam(name, type_=Instant) for name in ("ended", "otherwise"))
_this = and_(attempts.c.board_id == _board, attempts.c.id == _attempt)
_end = func.coalesce(*attempts.c["ended_at", "updated_at"])

_VALUES = (
    *("board_id", "id", "card_id", "agent", "status", "base_branch", "branch_name", "worktree_path"),
    *("created_at", "updated_at", "started_at", "ended_at"),
)
_values = {name: bindparam(f"new_{name}", type_=attempts.c[name].type) for name in _VALUES}
_is_gone = exists().where(gone_attempts.c.board_id == _values["board_id"], gone_attempts.c.attempt_id == _values["id"])
_is_known = exists().where(attempts.c.board_id == _values["board_id"], attempts.c.id == _values["id"])
_has_card = exists().where(cards.c.board_id == _values["board_id"], cards.c.id == _values["card_id"])
_next = select(func.coalesce(func.max(attempts.c.sequence), 0) + 1).scalar_subquery()
_put = insert(attempts).from_select(
    [*_VALUES, "sequence"], select(*_values.values(), _next).where(or_(not_(_is_gone), _is_known, _has_card))
)
_new = _put.excluded
_put = _put.on_conflict_do_update(
    index_elements=["board_id", "id"],
    set_={
        **{name: _new[name] for name in ("card_id", "agent", "status", "updated_at", "started_at", "ended_at")},
        **{
            name: func.coalesce(_new[name], attempts.c[name])
            for name in ("base_branch", "branch_name", "worktree_path")
        },
    },
    where=or_(ACTIVE, _end <= _new.updated_at),
)
_change = update(attempts).where(_this, or_(ACTIVE, _end <= _at))
_set_status = _change.values(
    status=bindparam("new_status"),
    updated_at=_at,
    started_at=case(
        (bindparam("new_status") == AttemptStatus.RUNNING, func.coalesce(attempts.c.started_at, _at)),
        else_=attempts.c.started_at,
    ),
    ended_at=func.coalesce(
        _ended,
        case(
            (bindparam("over"), func.coalesce(attempts.c.ended_at, bindparam("otherwise", type_=Instant))), else_=None
        ),
    ),
)
_complete = _change.values(
    status=bindparam("new_status"),
    updated_at=_at,
    ended_at=func.coalesce(attempts.c.ended_at, _at),
    worktree_path=func.coalesce(bindparam("path"), attempts.c.worktree_path),
)
_stop = (
    update(attempts)
    # While the attempt is `stopping`, its runner still reports the end, with its own time. An end is final.
    .where(_this, ACTIVE, attempts.c.status != AttemptStatus.STOPPING)
    .values(status=AttemptStatus.STOPPED.value, updated_at=_at, ended_at=func.coalesce(attempts.c.ended_at, _at))
)

_is_late = exists().where(_this, OVER, _end > _at)


def _set_single(table: Any, name: str) -> Any:
    """Return a statement that sets the only value `name` under an attempt's id."""
    made = insert(table).from_select(
        ["board_id", "attempt_id", name], select(_board, _attempt, bindparam("value")).where(not_(_is_late))
    )
    return made.on_conflict_do_update(index_elements=["board_id", "attempt_id"], set_={name: made.excluded[name]})


_put_todos, _put_session = _set_single(todos, "todos"), _set_single(sessions, "session_id")

#: Delete the attempts of a board and all rows under attempt ids of the board; parameter `board`.
DELETE_ATTEMPTS_OF_BOARD = tuple(
    delete(table).where(table.c.board_id == _board) for table in (*_TABLES, gone_attempts, attempts)
)

_of_card = and_(attempts.c.board_id == _board, attempts.c.card_id == bindparam("card"))
_keys_of_card = select(*attempts.c["board_id", "id"]).where(_of_card)
_last_gone = select(func.coalesce(func.max(gone_attempts.c.sequence), 0)).where(gone_attempts.c.board_id == _board)
_go = insert(gone_attempts).from_select(
    ["board_id", "attempt_id", "sequence"],
    select(
        *attempts.c["board_id", "id"],
        _last_gone.scalar_subquery() + func.row_number().over(order_by=attempts.c.sequence),
    ).where(_of_card),
)
_go = _go.on_conflict_do_update(index_elements=["board_id", "attempt_id"], set_={"sequence": _go.excluded.sequence})
_beyond = (
    select(gone_attempts.c.sequence)
    .where(gone_attempts.c.board_id == _board)
    .order_by(gone_attempts.c.sequence.desc())
    .limit(1)
    .offset(GONE_ATTEMPTS)
    .scalar_subquery()
)
_forget_gone = delete(gone_attempts).where(gone_attempts.c.board_id == _board, gone_attempts.c.sequence <= _beyond)
_delete_with_card = (
    *(delete(table).where(tuple_(table.c.board_id, table.c.attempt_id).in_(_keys_of_card)) for table in _TABLES),
    _go,
    _forget_gone,
    delete(attempts).where(_of_card),
)


def attempt_effects(recorded: Recorded) -> Iterator[Effect]:
    """Yield the effects of an event on the row of its attempt; none if the event does not change it."""
    event, at = recorded.event, recorded.at
    match event:
        case events.AttemptQueued() | events.AttemptStarted():
            yield _put, _row(event, recorded)
        case events.AttemptStatusChanged(status=status):
            # A sender that sends `endedAt: null` does not know when it ended, so the server does not know it either.
            otherwise = None if "ended_at" in event.model_fields_set else at
            ended = parse_iso(event.ended_at) if event.ended_at else None
            over = status not in ACTIVE_STATUSES
            this = {"new_status": status.value, "ended": ended, "over": over, "otherwise": otherwise}
            yield _set_status, {**_key(event), "at": at, **this}
        case events.AttemptCompleted(status=status, worktree_path=path):
            yield _complete, {**_key(event), "at": at, "new_status": status.value, "path": path}
        case events.AttemptStopped():
            yield _stop, {**_key(event), "at": at}


def todo_effects(event: events.AttemptTodosUpdated, at: datetime) -> Effect:
    """Return the statement that stores the todo list of an attempt, known or not."""
    return _put_todos, {**_key(event), "at": at, "value": orjson.dumps(event.todos).decode()}


def session_effects(event: events.AttemptSessionRecorded, at: datetime) -> Effect:
    """Return the statement that stores the session of an attempt, known or not."""
    return _put_session, {**_key(event), "at": at, "value": event.session_id}


def effects_of_gone_card(board_id: BoardId, card_id: CardId) -> Iterator[Effect]:
    """Yield statements that delete the attempts at a card, with all rows under them (docs/protocol.md, "Commands")."""
    for statement in _delete_with_card:
        yield statement, {"board": board_id, "card": card_id}


def _key(event: OfAttempt) -> dict[str, Any]:
    return {"board": event.board_id, "attempt": event.attempt_id}


def _row(event: events.AttemptQueued | events.AttemptStarted, recorded: Recorded) -> dict[str, Any]:
    at, started = recorded.at, isinstance(event, events.AttemptStarted)
    row = {
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
    }
    return {f"new_{name}": value for name, value in row.items()}
