"""The triggers' counts must equal the counts of the rows after any change of the rows."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import BigInteger, Connection, Engine, TextClause, bindparam, text

from realtime.backends.sql.tables import COUNTED_MILLISECONDS
from realtime.kanban.models import ACTIVE_STATUSES, AttemptStatus
from tests.contract.conftest import BACKENDS
from tests.contract.stored_tables import engine_of
from tests.kit.nodes import open_store
from tests.kit.older_database import undo_boards_of_attempts

_SPAN = COUNTED_MILLISECONDS
#: At the edges of spans, also before 1970.
TIMES = st.sampled_from([-_SPAN - 1, -_SPAN, -1, 0, 1, _SPAN - 1, _SPAN, 80_000 * _SPAN])
_FIELDS = {
    "board_id": st.sampled_from(["p1", "p2"]),
    "id": st.sampled_from(["a1", "a2", "a3"]),
    "agent": st.sampled_from(["A", "B"]),
    "status": st.sampled_from([*AttemptStatus]).map(str),
    "created_at": TIMES,
    "ended_at": st.none() | TIMES,
}
_TRIGGERS = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
_Step = tuple[str, dict[str, Any]]
_Connection = sqlite3.Connection | Connection
_INSERT = (
    "INSERT INTO attempts (board_id, id, card_id, agent, status, created_at, updated_at, ended_at, sequence)"
    " VALUES (:board_id, :id, 'c', :agent, :status, :created_at, 0, :ended_at, 0)"
)
_SET = ", ".join(f"{name} = excluded.{name}" for name in ("agent", "status", "created_at", "ended_at"))
_THIS = "board_id = :board_id AND id = :id"
#: Changes of an attempt, as the store makes them and as a migration may make them.
_WORK = st.sampled_from(
    [
        f"{_INSERT} ON CONFLICT (board_id, id) DO UPDATE SET {_SET}",
        f"UPDATE attempts SET status = :status, ended_at = :ended_at WHERE {_THIS}",
        f"UPDATE attempts SET agent = :agent, created_at = :created_at WHERE {_THIS}",
        "UPDATE attempts SET status = :status WHERE agent = :agent",
        f"DELETE FROM attempts WHERE {_THIS}",
        "DELETE FROM attempts WHERE board_id = :board_id",
    ]
)
STEPS: st.SearchStrategy[list[_Step]] = st.lists(st.tuples(_WORK, st.fixed_dictionaries(_FIELDS)), max_size=20)


@pytest.fixture(params=[name for name in BACKENDS if name != "sqlite-memory"])
async def engine(request: pytest.FixtureRequest) -> AsyncIterator[Engine]:
    """An engine to a database with all tables."""
    url = BACKENDS[request.param](request)
    async with open_store(url):
        pass
    made = engine_of(url)
    yield made
    made.dispose()


@pytest.fixture
async def file(tmp_path: Path) -> Path:
    """A database with all tables."""
    async with open_store(f"sqlite:///{tmp_path / 'store.db'}"):
        pass
    return tmp_path / "store.db"


def _counted(connection: _Connection) -> dict[tuple[Any, ...], tuple[int, ...]]:
    """Count the rows without the triggers."""
    counts: dict[tuple[Any, ...], Counter[str]] = {}
    for place, *flags in _places(connection):
        counts.setdefault(place, Counter()).update(["attempts", *flags])
    names = ("attempts", "active", "succeeded", "failed")
    return {place: tuple(count[name] for name in names) for place, count in counts.items()}


def _places(connection: _Connection) -> Iterator[tuple[Any, ...]]:
    """Yield the key under which each attempt is counted, with the names of its counts."""
    query = "SELECT board_id, agent, status, created_at, ended_at FROM attempts"
    for board, agent, status, created, ended in _rows(connection, query):
        active = "active" if status in ACTIVE_STATUSES else "over"
        yield ("agent", agent, created // _SPAN * _SPAN), active, status
        yield ("board", board, created // _SPAN * _SPAN), active, status
        if active == "over" and ended is not None:
            yield (("over", "", ended // _SPAN * _SPAN),)


def _stored(connection: _Connection) -> dict[tuple[Any, ...], tuple[int, ...]]:
    rows = _rows(connection, "SELECT kind, key, since, attempts, active, succeeded, failed FROM attempt_counts")
    return {row[:3]: row[3:] for row in rows}


def _rows(connection: _Connection, query: str) -> list[tuple[Any, ...]]:
    if isinstance(connection, sqlite3.Connection):
        return connection.execute(query).fetchall()
    return [tuple(row) for row in connection.execute(text(query))]


def _statement(statement: str) -> TextClause:
    numbers = (name for name in ("created_at", "ended_at") if f":{name}" in statement)
    return text(statement).bindparams(*(bindparam(name, type_=BigInteger) for name in numbers))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(steps=STEPS)
async def test_counts_are_those_of_the_rows(engine: Engine, steps: list[_Step]) -> None:
    with engine.connect() as connection:  # the next example begins without these uncommitted changes
        for statement, parameters in steps:
            connection.execute(_statement(statement), parameters)
        assert _stored(connection) == _counted(connection)


async def test_rows_of_an_older_version_are_counted(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        undo_boards_of_attempts(connection)
        for trigger in connection.execute(_TRIGGERS).fetchall():
            connection.execute(f"DROP TRIGGER {trigger[0]}")
        connection.execute("DROP TABLE attempt_counts")
        connection.execute("UPDATE alembic_version SET version_num = '0005'")
        for number, status in enumerate(AttemptStatus):
            row = {"board_id": "p", "id": f"a{number}", "agent": "A", "status": str(status), "created_at": -number}
            connection.execute(_INSERT, {**row, "ended_at": None if number % 2 else number})
        connection.commit()
    async with open_store(f"sqlite:///{file}"):
        pass
    with closing(sqlite3.connect(file)) as connection:
        assert _stored(connection) == _counted(connection) != {}
