"""Writes rows into a database without its store, so that they may contradict each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import Engine, Table, create_engine, delete, insert

from realtime.backends.sql.postgres.adapters import adapters_map
from realtime.backends.sql.tables import agents, attempts, cards, columns, logs, projects
from tests.unit.realtime.dashboard.counting import Tables

__all__ = ["engine_of", "put"]

_AT = datetime(2025, 1, 1, tzinfo=UTC)
#: Fields of rows whose column has another name; None for fields that have no column.
_RENAMED = {"project_id": "board_id", "at": "ts", "project_name": None, "card": None}
#: Values that the tables require and the dashboard does not read.
_REST: dict[str, dict[str, Any]] = {
    "projects": {"status": "Active", "ticket_prefix": "P", "next_ticket_number": 1},
    "cards": {"is_enhanced": False, "disable_auto_close_on_pr_merge": False, "created_at": _AT, "updated_at": _AT},
}


def engine_of(url: str) -> Engine:
    """Return an engine beside that of an open store."""
    if url.startswith("postgresql://"):
        forms = {"context": adapters_map()}  # as the store has them
        return create_engine(url.replace("postgresql://", "postgresql+psycopg://"), connect_args=forms)
    return create_engine(url)


def put(url: str, tables: Tables) -> None:
    """Replace the rows in the database of an open store by `tables`."""
    engine = engine_of(url)
    try:
        with engine.begin() as connection:
            for table, rows in _contents(tables):
                connection.execute(delete(table))
                if rows:
                    connection.execute(insert(table), rows)
    finally:
        engine.dispose()


def _contents(tables: Tables) -> Iterator[tuple[Table, list[dict[str, Any]]]]:
    yield projects, _rows(projects, tables.projects, "sequence")
    card_rows = _rows(cards, tables.cards, "sequence")
    listed: dict[tuple[str, str], list[str]] = {}
    for card in card_rows:
        listed.setdefault((card["board_id"], card["column_id"]), []).append(card["id"])
    yield (
        columns,
        [
            {**column, "card_ids": orjson.dumps(listed.get((column["board_id"], column["id"]), [])).decode()}
            for column in _rows(columns, tables.columns, "position")
        ],
    )
    yield cards, card_rows
    yield attempts, _rows(attempts, tables.attempts)
    yield logs, _rows(logs, tables.logs, "offset")
    yield agents, _rows(agents, tables.agents, "sequence")


def _rows(table: Table, rows: Iterable[Any], *numbered: str) -> list[dict[str, Any]]:
    """Return the rows as those of `table`, with their number in the columns `numbered`."""
    return [
        {**_REST.get(table.name, {}), **_fields(row), **dict.fromkeys(numbered, number)}
        for number, row in enumerate(rows, 1)
    ]


def _fields(row: Any) -> dict[str, Any]:
    named = {_RENAMED.get(field.name, field.name): getattr(row, field.name) for field in fields(row)}
    return {name: value for name, value in named.items() if name is not None}
