"""The statements behind the dashboard: each walks along an index, or takes a few rows off the end of one.

Parameters: `start` and `end` of the window, `ids` of attempts. They are constants, so that SQLAlchemy compiles them
once. Counting is by index, and not kept in a table beside, because windows slide: what counts changes with the clock
alone. A hundred thousand attempts in the window take the database about 20 ms, those outside take it nothing.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, case, desc, func, literal_column, select, union_all

from realtime.backends.sql.tables import ACTIVE, OVER, Instant, agents, attempts, cards, columns, logs, projects
from realtime.dashboard.figures import ACTIVE_ATTEMPTS, PROJECTS, RECENT_ATTEMPTS
from realtime.dashboard.triage import SCANNED_ATTEMPTS
from realtime.kanban.models import ACTIVE_STATUSES, AttemptStatus

__all__ = [
    "ACTIVE_LIST",
    "AGENTS",
    "CARDS",
    "COMPLETED_LIST",
    "COUNTS_BY_AGENT",
    "COUNTS_BY_PROJECT",
    "LAST_ERRORS",
    "LAST_LINES",
    "NEWEST_PROJECTS",
    "SCANNED_LIST",
    "TOTALS",
]


def _in_window(time: ColumnElement[Any]) -> ColumnElement[bool]:
    start, end = bindparam("start", type_=Instant), bindparam("end", type_=Instant)
    return (time >= start) & (time < end)


def _distinct(column: Any) -> Any:
    """Return the values of a column with which an index begins, in steps from one value to the next; the last is null.

    `SELECT DISTINCT` would read the index from end to end.
    """
    values = select(func.min(column).label("value")).cte(f"each_{column.name}", recursive=True)
    following = select(func.min(column)).where(column > values.c.value).scalar_subquery()
    return values.union_all(select(following).where(values.c.value.is_not(None))).c.value


def _counts_by(column: Any, key: Any) -> Any:
    """Return what counts the attempts of each key by status, where an index begins with `column` and status.

    Each pair's count is one walk along the index. `GROUP BY` takes twice the time.
    """
    count, latest = select(func.count()).select_from(attempts), select(func.max(attempts.c.created_at))

    def of_status(status: AttemptStatus) -> Select[Any]:
        name: Any = literal_column(f"'{status}'")
        of_key = (column == key, attempts.c.status == name)
        in_range = (*of_key, _in_window(attempts.c.created_at))
        active: Any = count.where(*of_key).scalar_subquery() if status in ACTIVE_STATUSES else literal_column("0")
        return select(
            key.label("key"),
            name.label("status"),
            count.where(*in_range).scalar_subquery().label("in_range"),
            active.label("active"),
            latest.where(*of_key).scalar_subquery().label("last_created"),
            latest.where(*in_range).scalar_subquery().label("last_in_range"),
        ).where(key.is_not(None))

    return union_all(*map(of_status, AttemptStatus))


def _cards(shown: Any) -> Select[Any]:
    """Return what counts cards by project and title of their column; the projects not `shown` are one, null."""
    place = cards.c["board_id", "column_id"]
    lying = select(*place, func.count().label("cards")).group_by(*place).subquery()
    return (
        select(
            case((lying.c.board_id.in_(shown), lying.c.board_id)).label("project_id"),
            columns.c.title,
            func.sum(lying.c.cards).label("cards"),
        )
        .join(columns, (columns.c.board_id == lying.c.board_id) & (columns.c.id == lying.c.column_id))
        .group_by("project_id", columns.c.title)
    )


def _totals() -> Select[Any]:
    board = _distinct(attempts.c.board_id)
    # Every status by name, because the index has them between board and time.
    of_board = (attempts.c.board_id == board, attempts.c.status.in_([*AttemptStatus]))
    created: Select[Any] = (
        select(literal_column("1")).select_from(attempts).where(*of_board, _in_window(attempts.c.created_at))
    )
    return select(
        select(func.count()).select_from(projects).scalar_subquery().label("projects"),
        select(func.count(board)).where(created.exists()).scalar_subquery().label("projects_in_range"),
        select(func.count()).where(OVER, _in_window(attempts.c.ended_at)).scalar_subquery().label("completed"),
    )


def _latest(time: Any, limit: int, *which: ColumnElement[bool]) -> Select[Any]:
    """Return what takes the latest attempts by `time`, with names, in the order of the fields of `AttemptRow`."""
    key = ("id", "board_id", "card_id", "agent", "status")
    times = ("created_at", "updated_at", "started_at", "ended_at", "sequence")
    card = (*cards.c["title", "ticket_key", "pr_url"], columns.c.title.label("column_title"))
    return (
        select(*attempts.c[key + times], projects.c.name, *card)
        .outerjoin(projects, projects.c.id == attempts.c.board_id)
        .outerjoin(cards, (cards.c.board_id == attempts.c.board_id) & (cards.c.id == attempts.c.card_id))
        .outerjoin(columns, (columns.c.board_id == cards.c.board_id) & (columns.c.id == cards.c.column_id))
        .where(*which)
        .order_by(desc(time), attempts.c.sequence)
        .limit(limit)
    )


def _last_lines(*which: ColumnElement[bool]) -> Select[Any]:
    of_attempt = select(logs.c.sequence).where(logs.c.attempt_id == attempts.c.id, *which)
    last = of_attempt.order_by(desc(logs.c.ts), desc(logs.c.sequence)).limit(1).scalar_subquery()
    found = select(last).where(attempts.c.id.in_(bindparam("ids", expanding=True)))
    return select(*logs.c["attempt_id", "ts", "level", "message"]).where(logs.c.sequence.in_(found))


AGENTS = select(agents).order_by(agents.c.sequence)
NEWEST_PROJECTS = select(projects).order_by(desc(projects.c.created_at), projects.c.sequence).limit(PROJECTS)
_shown = NEWEST_PROJECTS.with_only_columns(projects.c.id).cte("shown")
CARDS = _cards(select(_shown.c.id))
TOTALS = _totals()
COUNTS_BY_AGENT = _counts_by(attempts.c.agent, _distinct(attempts.c.agent))
COUNTS_BY_PROJECT = _counts_by(attempts.c.board_id, _shown.c.id)
ACTIVE_LIST = _latest(attempts.c.updated_at, ACTIVE_ATTEMPTS, ACTIVE)
COMPLETED_LIST = _latest(attempts.c.ended_at, RECENT_ATTEMPTS, OVER, _in_window(attempts.c.ended_at))
SCANNED_LIST = _latest(attempts.c.created_at, SCANNED_ATTEMPTS, _in_window(attempts.c.created_at))
LAST_ERRORS = _last_lines(logs.c.level == "error")
LAST_LINES = _last_lines()
