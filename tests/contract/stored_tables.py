"""Rows put into a database past its store, so that they may contradict each other as they like."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import Table, create_engine, delete, insert

from realtime.backends.sql.tables import agents, attempts, cards, columns, logs, projects
from tests.unit.realtime.dashboard.counting import Tables

__all__ = ["put"]

_AT = datetime(2025, 1, 1, tzinfo=UTC)
#: Names of the fields of rows that have another one in the tables, None for those that are none of the tables'.
_RENAMED = {"project_id": "board_id", "at": "ts", "project_name": None, "card": None}
#: What the tables want and the dashboard does not look at.
_REST: dict[str, dict[str, Any]] = {
    "projects": {"status": "Active", "ticket_prefix": "P", "next_ticket_number": 1},
    "cards": {"is_enhanced": False, "disable_auto_close_on_pr_merge": False, "created_at": _AT, "updated_at": _AT},
}


def put(url: str, tables: Tables) -> None:
    """Make `tables` the rows of the database of an open store, in place of those that are there."""
    engine = create_engine(url)
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
    placed = _rows(cards, tables.cards, "sequence")
    listed: dict[tuple[str, str], list[str]] = {}
    for card in placed:
        listed.setdefault((card["board_id"], card["column_id"]), []).append(card["id"])
    yield (
        columns,
        [
            {**column, "card_ids": orjson.dumps(listed.get((column["board_id"], column["id"]), [])).decode()}
            for column in _rows(columns, tables.columns, "position")
        ],
    )
    yield cards, placed
    yield attempts, _rows(attempts, tables.attempts)
    yield logs, _rows(logs, tables.logs, "id")
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
