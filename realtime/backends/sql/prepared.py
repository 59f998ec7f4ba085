"""Statements that run for every event, in the form of the text and tuples that the driver takes.

SQLAlchemy makes a dictionary of each row's parameters, and calls each column's type for its value. That takes 15 µs
for a row of the log, where SQLite itself takes 5, and 300 µs for a query of one row by its key, where SQLite takes 3.
Here a statement is compiled once, and the caller passes values in the form of the tables. Errors are those of the
driver.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

from sqlalchemy import Column, Connection, Dialect, Executable, Insert, Select, Update, func, select

__all__ = ["Insertion", "NumberedInsertion", "Prepared"]

#: Sizes of the pieces in which rows are inserted. The driver releases Python's lock once for each execution, while the
#: database works. Executed row by row, an insertion would have to wait for the lock, and for the event loop, as often
#: as there are rows. Powers of two, because each number of rows is a separate statement, and a connection caches 100.
AT_ONCE = (64, 32, 16, 8, 4, 2, 1)


class Insertion:
    """An insertion of whole rows; each row has its values in the order of `columns`."""

    def __init__(self, statement: Insert, *columns: str) -> None:
        """Prepare `statement`; it is compiled when it first runs."""
        self._statement = statement
        self._columns = columns
        self._texts: dict[tuple[str, int], str] = {}

    def run(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert the rows, in order."""
        cursor = connection.connection.cursor()
        start = 0
        for size in AT_ONCE:
            while len(rows) - start >= size:
                values = tuple(chain.from_iterable(rows[start : start + size]))
                cursor.execute(self._text(connection.dialect, size), values)
                start += size
        cursor.close()

    def _text(self, dialect: Dialect, rows: int) -> str:
        text = self._texts.get((dialect.name, rows))
        if text is None:
            text = self._texts[dialect.name, rows] = self._compiled(dialect, rows)
        return text

    def _compiled(self, dialect: Dialect, rows: int) -> str:
        text, names = _compiled(self._statement, dialect, self._columns)
        row = f"({', '.join('?' * len(names))})"
        if names != list(self._columns) or text.count(row) != 1:
            raise ValueError(f"expected plain values of {self._columns} in the order of the table, got {text}")
        return text.replace(row, ", ".join([row] * rows))


class NumberedInsertion:
    """An insertion of rows without their last column, which continues from the highest number in the table.

    The numbers only order the rows. A row that exists already keeps its number, and the new number is not used.
    """

    def __init__(self, insertion: Insertion, number: Column[int]) -> None:
        """Insert by `insertion`, whose last column is `number`."""
        self._insertion = insertion
        self._highest = Prepared(select(func.max(number)))

    def run(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert the rows, in order."""
        ((highest,),) = self._highest.rows(connection)
        self._insertion.run(connection, [(*row, number) for number, row in enumerate(rows, start=(highest or 0) + 1)])


class Prepared:
    """A query or an update with several parameters, in the order of `names`."""

    def __init__(self, statement: Select[Any] | Update, *names: str) -> None:
        """Prepare `statement`; it is compiled when it first runs."""
        self._statement = statement
        self._names = names
        self._texts: dict[str, str] = {}

    def rows(self, connection: Connection, *values: Any) -> list[tuple[Any, ...]]:
        """Return the rows that a query finds, as the driver returns them."""
        cursor = connection.connection.cursor()
        cursor.execute(self._text(connection.dialect), values)
        found = list(cursor.fetchall())
        cursor.close()
        return found

    def run(self, connection: Connection, *values: Any) -> None:
        """Execute an update."""
        cursor = connection.connection.cursor()
        cursor.execute(self._text(connection.dialect), values)
        cursor.close()

    def _text(self, dialect: Dialect) -> str:
        text = self._texts.get(dialect.name)
        if text is None:
            text, names = _compiled(self._statement, dialect)
            if names != list(self._names):
                raise ValueError(f"expected the parameters {self._names}, got {names}")
            self._texts[dialect.name] = text
        return text


def _compiled(statement: Executable, dialect: Dialect, columns: Sequence[str] | None = None) -> tuple[str, list[str]]:
    """Return the text of `statement`, and the names of its parameters in their order."""
    compiled = statement.compile(dialect=dialect, column_keys=columns)  # type: ignore[attr-defined]  # all have it
    return str(compiled), list(compiled.positiontup or ())
