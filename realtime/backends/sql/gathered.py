"""Rows that the database gathers into one JSON text, instead of returning them one by one.

The driver of SQLite releases Python's lock for each row that it fetches. While the event loop is busy, it waits for the
lock each time: 2,500 cards took 200 ms, of which 80 ms were work (measured). One text is one fetch, and `orjson` parses
it at a third of the cost of as many rows. Values are those of the tables: times are milliseconds, and flags are 0 or 1,
or false or true.
"""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import Column, ColumnElement, Connection, Text, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from realtime.kanban.ids import BoardId

__all__ = ["JsonRow", "JsonRows", "JsonValues", "OneOf", "gathered_by_board", "gathered_values"]


# Each database has its own names for these; the names here are those of SQLite.
class JsonRow(FunctionElement[str]):
    """The values of a row, as a JSON list."""

    type = Text()
    inherit_cache = True


class JsonRows(FunctionElement[str]):
    """The values of all rows of a group, as a JSON list of lists; they come in any order."""

    type = Text()
    inherit_cache = True


class JsonValues(FunctionElement[str]):
    """The values of one column in all rows of a group, as a JSON list; they come in any order."""

    type = Text()
    inherit_cache = True


class OneOf(FunctionElement[Any]):
    """Whether a column has one of the values of a scalar subquery, which may have several rows.

    As `IN`, PostgreSQL looks nothing up: it reads the whole table, and runs the query for each of its rows (EXPLAIN).
    It has no type: SQLAlchemy compares a boolean one with 1 in SQLite, which then looks nothing up either.
    """

    inherit_cache = True


@compiles(JsonRow)
def _json_row(element: JsonRow, compiler: Any, **options: Any) -> str:
    return f"json_array({compiler.process(element.clauses, **options)})"


@compiles(JsonRows)
def _json_rows(element: JsonRows, compiler: Any, **options: Any) -> str:
    return f"json_group_array(json_array({compiler.process(element.clauses, **options)}))"


@compiles(JsonValues)
def _json_values(element: JsonValues, compiler: Any, **options: Any) -> str:
    return f"json_group_array({compiler.process(element.clauses, **options)})"


@compiles(OneOf)
def _one_of(element: OneOf, compiler: Any, **options: Any) -> str:
    column, values = element.clauses
    return f"{compiler.process(column, **options)} IN {compiler.process(values, **options)}"


def gathered_by_board(
    connection: Connection, which: ColumnElement[bool], board: Column[Any], *columns: Column[Any]
) -> dict[BoardId, list[list[Any]]]:
    """Return the matching rows by the id in `board`, sorted; each row is a list of the values of `columns`."""
    query = select(board, JsonRows(*columns)).where(which).group_by(board)
    return {board_id: sorted(orjson.loads(text)) for board_id, text in connection.execute(query)}


def gathered_values(connection: Connection, column: Column[Any]) -> list[Any]:
    """Return the values of a column, in any order."""
    values: list[Any] = orjson.loads(connection.execute(select(JsonValues(column))).scalar_one())
    return values
