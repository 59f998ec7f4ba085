"""Statements that run for every event, in the form of the text and tuples that the driver takes.

The text is that of the database of the connection. Its driver must take parameters by their place (`?` or `%s`).

SQLAlchemy makes a dictionary of each row's parameters, and calls each column's type for its value. That takes 15 µs
for a row of the log, where SQLite itself takes 5, and 300 µs for a query of one row by its key, where SQLite takes 3.
Here a statement is compiled once, and the caller passes values in the form of the tables. Errors are those of the
driver.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from itertools import chain
from typing import Any

from sqlalchemy import Column, Connection, Dialect, Executable, Insert, Select, Table, Update, func, insert, select

__all__ = ["Addition", "Insertion", "NumberedInsertion", "Prepared", "PreparedList", "Replacement"]

#: Sizes of the pieces in which rows are inserted. The driver releases Python's lock once for each execution, while the
#: database works. Executed row by row, an insertion would have to wait for the lock, and for the event loop, as often
#: as there are rows. Powers of two, because each number of rows is a separate statement, and a connection caches 100.
AT_ONCE = (64, 32, 16, 8, 4, 2, 1)
#: Least rows that are copied: `COPY` waits twice for the server, an insertion once.
COPIED_ROWS = 8
#: The mark of a parameter in the text, by the style of the driver (PEP 249).
_MARKS = {"qmark": "?", "format": "%s"}
#: The values of a row in the text of an insertion, with or without types.
_ROW = re.compile(r"\((?:(?:\?|%s)(?:::\w+)?(?:, )?)+\)")


class Insertion:
    """An insertion of whole rows; each row has its values in the order of `columns`."""

    def __init__(self, statement: Insert, *columns: str) -> None:
        """Prepare `statement`; it is compiled when it first runs."""
        self.table = statement.table
        # Inline: the numbers that the database gives to the rows are not returned.
        self._statement = statement.inline()
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
        found = _ROW.findall(text)
        if names != list(self._columns) or len(found) != 1 or found[0].count(",") != len(names) - 1:
            raise ValueError(f"expected plain values of {self._columns} in the order of the table, got {text}")
        return text.replace(found[0], ", ".join(found * rows))


class Addition(Insertion):
    """An insertion of rows that do not exist yet. Many of them are copied, if the driver can.

    In PostgreSQL, `COPY` takes a quarter of the CPU time: 7 µs instead of 29 for a row of the log (measured).
    """

    def __init__(self, table: Table, *columns: str) -> None:
        """Add rows to `table`; each row has its values in the order of `columns`."""
        super().__init__(insert(table), *columns)
        self._table = table

    def run(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert the rows, in order."""
        cursor = connection.connection.cursor()
        copying = getattr(cursor, "copy", None)  # psycopg has it, and sqlite3 does not
        if copying is None or len(rows) < COPIED_ROWS:
            super().run(connection, rows)
        else:
            quoted = map(connection.dialect.identifier_preparer.quote, (self._table.name, *self._columns))
            table, *columns = quoted
            with copying(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        cursor.close()


class Replacement(Insertion):
    """An insertion of rows in place of those with the same key: one statement, where updates are one for each row."""

    def __init__(self, statement: Insert, *columns: str, keys: int) -> None:
        """Prepare `statement`, whose conflict is that of the first `keys` columns."""
        super().__init__(statement, *columns)
        self._keys = keys

    def run(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Replace by the rows; of several rows with one key the last counts (PostgreSQL takes only one of them)."""
        last = {row[: self._keys]: row for row in rows}
        super().run(connection, list(last.values()))


class NumberedInsertion(Insertion):
    """An insertion of rows without their last column, which continues from the highest number in the table.

    The numbers only order the rows. A row whose key (the first column) exists keeps its number, and the new number is
    not used.
    """

    def __init__(self, statement: Insert, number: Column[int], *columns: str, updated: Collection[str]) -> None:
        """Prepare `statement`, which sets the columns `updated` of a row that exists; `number` is the last column."""
        super().__init__(statement, *columns)
        self._highest = Prepared(select(func.max(number)))
        self._updated = [columns.index(name) for name in updated]

    def run(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert the rows, in order. Rows with one key become one row: PostgreSQL does not insert and update it."""
        ((highest,),) = self._highest.rows(connection)
        merged: dict[Any, list[Any]] = {}
        for number, row in enumerate(rows, start=(highest or 0) + 1):
            first = merged.setdefault(row[0], [*row, number])
            for place in self._updated:
                first[place] = row[place]
        super().run(connection, [tuple(row) for row in merged.values()])


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


class PreparedList:
    """A query with a list for `in_` as its last parameter, behind parameters in the order of `names`.

    The values are parameters of their own. As one JSON list (`json_each`), a text would end at its first NUL.
    """

    def __init__(self, statement: Select[Any], name: str, *names: str) -> None:
        """Prepare `statement`, in which `name` is an expanding parameter."""
        self._statement = statement
        self._names = [*names, name]
        self._place = re.compile(rf"__\[POSTCOMPILE_{name}[^]]*]")
        self._texts: dict[tuple[str, int], str] = {}

    def rows(self, connection: Connection, values: Collection[Any], *others: Any) -> list[tuple[Any, ...]]:
        """Return the rows that the query finds, as the driver returns them."""
        if not values:
            return []
        # A power of two, as each number of values is a separate statement. A value that is repeated changes nothing.
        filled = list(values)
        filled += filled[-1:] * ((1 << (len(filled) - 1).bit_length()) - len(filled))
        cursor = connection.connection.cursor()
        cursor.execute(self._text(connection.dialect, len(filled)), (*others, *filled))
        found = list(cursor.fetchall())
        cursor.close()
        return found

    def _text(self, dialect: Dialect, count: int) -> str:
        text = self._texts.get((dialect.name, count))
        if text is None:
            compiled, names = _compiled(self._statement, dialect)
            if len(self._place.findall(compiled)) != 1 or names != self._names:
                raise ValueError(f"expected one place for the list, behind {self._names[:-1]}, got {compiled}")
            marks = ", ".join([_MARKS[dialect.paramstyle]] * count)
            text = self._texts[dialect.name, count] = self._place.sub(marks, compiled)
        return text


def _compiled(statement: Executable, dialect: Dialect, columns: Sequence[str] | None = None) -> tuple[str, list[str]]:
    """Return the text of `statement`, and the names of its parameters in their order."""
    compiled = statement.compile(dialect=dialect, column_keys=columns)  # type: ignore[attr-defined]  # all have it
    return str(compiled), list(compiled.positiontup or ())
