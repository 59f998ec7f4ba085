"""The statements of the dashboard; each reads along an index, or takes a few rows from its end.

They are constants, so that SQLAlchemy compiles them once. Parameters, times in milliseconds: `start` and `end` of the
window, with `start` not after `end`; `first` and `last`, the first spans of `attempt_counts` that do not begin before
them; `ids` of attempts. A window moves with the clock by milliseconds. In the two spans that it cuts, the attempts
themselves are counted, by index.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    and_,
    bindparam,
    case,
    cast,
    desc,
    func,
    literal_column,
    select,
    type_coerce,
)

from realtime.backends.sql.tables import (
    ACTIVE,
    OVER,
    agents,
    attempt_counts,
    attempts,
    cards,
    columns,
    logs,
    projects,
)
from realtime.dashboard.figures import ACTIVE_ATTEMPTS, NAME_CHARACTERS, PROJECTS, RECENT_ATTEMPTS
from realtime.dashboard.triage import SCANNED_ATTEMPTS
from realtime.kanban.models import AttemptStatus

__all__ = [
    "ACTIVE_LIST",
    "AGENTS",
    "CARDS",
    "COMPLETED_LIST",
    "COUNTS_BY_AGENT",
    "COUNTS_BY_PROJECT",
    "LAST_ERRORS",
    "LAST_LINES",
    "NAMED_LIST",
    "NEWEST_PROJECTS",
    "SCANNED_LIST",
    "TOTALS",
]


def _between(time: ColumnElement[Any], first: str, last: str) -> ColumnElement[bool]:
    # As integers: the end of the last span in the year 9999 is no valid datetime.
    return (time >= bindparam(first, type_=BigInteger)) & (time < bindparam(last, type_=BigInteger))


def _in_window(time: ColumnElement[Any]) -> ColumnElement[bool]:
    return _between(time, "start", "end")


def _distinct(column: Any) -> Any:
    """Return the values of the first column of an index, stepping from one value to the next; the last value is null.

    `SELECT DISTINCT` would read the whole index.
    """
    values = select(func.min(column).label("value")).cte(f"each_{column.name}", recursive=True)
    following = select(func.min(column)).where(column > values.c.value).scalar_subquery()
    return values.union_all(select(following).where(values.c.value.is_not(None))).c.value


def _counted(kind: str, *which: ColumnElement[bool]) -> Any:
    """Return a condition that selects the spans with the counts of `kind`."""
    return and_(attempt_counts.c.kind == literal_column(f"'{kind}'"), *which)


def _sum(column: ColumnElement[Any], *which: ColumnElement[bool]) -> Any:
    """Return the sum of integers as an integer; PostgreSQL would give a decimal number."""
    total = func.sum(column)
    return cast(total.filter(*which) if which else total, BigInteger)


def _number(name: str, time: Any, *which: ColumnElement[bool]) -> Any:
    """Return the number of attempts in the window. `name` is a span's count, and `which` selects the same attempts.

    The spans that begin in the window are summed. Then the attempts before the first of these spans are added, and
    the attempts of the last span that are after the window are subtracted.
    """
    count = select(func.count()).select_from(attempts)
    spans = _sum(attempt_counts.c[name], _between(attempt_counts.c.since, "first", "last"))
    before = count.where(*which, _between(time, "start", "first")).scalar_subquery()
    beyond = count.where(*which, _between(time, "end", "last")).scalar_subquery()
    return func.coalesce(spans, 0) + before - beyond


def _counts_by(kind: str, column: Any, *which: ColumnElement[bool]) -> Select[Any]:
    """Return a query that counts the attempts of each key of `kind`; an index has `column`, then the creation time."""
    key, created = attempt_counts.c.key, attempts.c.created_at
    latest = select(func.max(created)).where(column == key)

    def number(name: str, *of_these: ColumnElement[bool]) -> Any:
        return _number(name, created, column == key, *of_these).label(name)

    return (
        select(
            key,
            _sum(attempt_counts.c.active).label("active"),
            number("attempts"),
            number("succeeded", _has(AttemptStatus.SUCCEEDED)),
            number("failed", _has(AttemptStatus.FAILED)),
            latest.scalar_subquery().label("last_created"),
            latest.where(_in_window(created)).scalar_subquery().label("last_in_range"),
        )
        .where(_counted(kind, *which))
        .group_by(key)
    )


def _has(status: AttemptStatus) -> ColumnElement[bool]:
    return attempts.c.status == literal_column(f"'{status}'")


def _cards(shown: Any) -> Select[Any]:
    """Return a query that counts cards by project and column title; all projects not `shown` count together as null."""
    place = cards.c["board_id", "column_id"]
    lying = select(*place, func.count().label("cards")).group_by(*place).subquery()
    return (
        select(
            case((lying.c.board_id.in_(shown), lying.c.board_id)).label("project_id"),
            columns.c.title,
            _sum(lying.c.cards).label("cards"),
        )
        .join(columns, (columns.c.board_id == lying.c.board_id) & (columns.c.id == lying.c.column_id))
        .group_by("project_id", columns.c.title)
    )


def _totals() -> Select[Any]:
    board = _distinct(attempts.c.board_id)
    created = select(attempts.c.board_id).where(attempts.c.board_id == board, _in_window(attempts.c.created_at))
    return select(
        select(func.count()).select_from(projects).scalar_subquery().label("projects"),
        select(func.count(board)).where(created.exists()).scalar_subquery().label("projects_in_range"),
        select(_number("attempts", attempts.c.ended_at, OVER))
        .where(_counted("over"))
        .scalar_subquery()
        .label("completed"),
    )


def _named() -> Select[Any]:
    """Return a query for attempts with names, in the order of the fields of `AttemptRow`; times are milliseconds."""
    key = attempts.c["id", "board_id", "card_id", "agent", "status"]
    times = (type_coerce(time, BigInteger) for time in attempts.c["created_at", "updated_at", "started_at", "ended_at"])
    card = (*cards.c["title", "ticket_key", "pr_url"], columns.c.title.label("column_title"))
    query = select(*key, *times, attempts.c.sequence, projects.c.name, *card)
    return _with_card(query.outerjoin(projects, projects.c.id == attempts.c.board_id))


def _scanned() -> Select[Any]:
    """Return a query for attempts in the order of the fields of `ScannedRow`."""
    began = func.coalesce(*attempts.c["started_at", "created_at"], type_=BigInteger)
    finished = func.coalesce(*attempts.c["ended_at", "updated_at"], type_=BigInteger)
    key = attempts.c["id", "board_id", "card_id", "status"]
    return _with_card(select(*key, began, finished, columns.c.title, cards.c.pr_url).select_from(attempts))


def _with_card(query: Select[Any]) -> Select[Any]:
    return query.outerjoin(
        cards, (cards.c.board_id == attempts.c.board_id) & (cards.c.id == attempts.c.card_id)
    ).outerjoin(columns, (columns.c.board_id == cards.c.board_id) & (columns.c.id == cards.c.column_id))


def _latest(query: Select[Any], time: Any, limit: int, which: ColumnElement[bool]) -> Select[Any]:
    return query.where(which).order_by(desc(time), attempts.c.sequence).limit(limit)


def _last_lines(*which: ColumnElement[bool]) -> Select[Any]:
    this = (logs.c.attempt_id == attempts.c.id, logs.c.board_id == attempts.c.board_id)
    of_attempt = select(logs.c.sequence).where(*this, *which)
    last = of_attempt.order_by(desc(logs.c.ts), desc(logs.c.sequence)).limit(1).scalar_subquery()
    found = select(last).where(attempts.c.id.in_(bindparam("ids", expanding=True)))
    return select(*logs.c["board_id", "attempt_id", "ts", "level", "message"]).where(logs.c.sequence.in_(found))


AGENTS = select(agents.c.key, func.substr(agents.c.label, 1, NAME_CHARACTERS).label("label")).order_by(
    agents.c.sequence
)
NEWEST_PROJECTS = select(projects).order_by(desc(projects.c.created_at), projects.c.sequence).limit(PROJECTS)
_shown = NEWEST_PROJECTS.with_only_columns(projects.c.id).cte("shown")
CARDS = _cards(select(_shown.c.id))
TOTALS = _totals()
COUNTS_BY_AGENT = _counts_by("agent", attempts.c.agent)
COUNTS_BY_PROJECT = _counts_by("board", attempts.c.board_id, attempt_counts.c.key.in_(select(_shown.c.id)))
ACTIVE_LIST = _latest(_named(), attempts.c.updated_at, ACTIVE_ATTEMPTS, ACTIVE)
COMPLETED_LIST = _latest(_named(), attempts.c.ended_at, RECENT_ATTEMPTS, OVER & _in_window(attempts.c.ended_at))
SCANNED_LIST = _latest(_scanned(), attempts.c.created_at, SCANNED_ATTEMPTS, _in_window(attempts.c.created_at))
NAMED_LIST = _named().where(attempts.c.id.in_(bindparam("ids", expanding=True)))
LAST_ERRORS = _last_lines(logs.c.level == "error")
LAST_LINES = _last_lines()
