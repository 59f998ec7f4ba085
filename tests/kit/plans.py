"""Records the statements that databases run, and asks the database how it would carry them out."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from psycopg import Cursor, ServerCursor
from sqlalchemy import event
from sqlalchemy.pool import Pool

__all__ = ["Scan", "Statement", "recorded", "scans"]

_KINDS = ("SELECT", "WITH", "INSERT", "UPDATE", "DELETE")
_LITERAL = re.compile(r"x?'(?:[^']|'')*'|\b\d+\b", re.IGNORECASE)
_LIST = re.compile(r"\((?:\s*\?\s*,?)+\)(?:,\s*\((?:\s*\?\s*,?)+\))*")
#: SQLite's line of a plan that reads a table, or one of its indexes, from end to end.
_SCAN = re.compile(r"SCAN (\w+?)(?:_\d+)?(?: USING (?:COVERING )?INDEX (\w+))?$")
#: Nodes of PostgreSQL's plans that read by an index, if they have a condition.
_BY_INDEX = ("Index Scan", "Index Only Scan", "Bitmap Index Scan")


class Statement(NamedTuple):
    """A statement as the driver got it. The driver of SQLite gives it with its values, so it has no parameters."""

    text: str
    parameters: Any = None

    @property
    def shape(self) -> str:
        """The text without values and lengths of lists: equal for statements of one kind."""
        return _LIST.sub("(…)", _LITERAL.sub("?", " ".join(self.text.split())).replace("%s", "?"))


class Scan(NamedTuple):
    """A statement reads a whole table, or a whole index of it."""

    table: str
    #: The index; empty = the table itself.
    by: str
    shape: str


@contextmanager
def recorded() -> Iterator[dict[str, Statement]]:
    """Yield the statements that the databases of this process run within the block, by shape."""
    seen: dict[str, Statement] = {}

    def note(text: str | bytes, parameters: Any = None) -> None:
        one = Statement(text if isinstance(text, str) else text.decode(), parameters)
        if one.text.lstrip().startswith(_KINDS):
            seen.setdefault(one.shape, one)

    def begin(connection: Any, *_: Any) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.set_trace_callback(note)
        else:
            connection.cursor_factory = _noting(Cursor, note)
            connection.server_cursor_factory = _noting(ServerCursor, note)

    def end(connection: Any, *_: Any) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.set_trace_callback(None)
        elif connection is not None:  # None: it was closed
            connection.cursor_factory, connection.server_cursor_factory = Cursor, ServerCursor

    event.listen(Pool, "checkout", begin)
    event.listen(Pool, "checkin", end)
    try:
        yield seen
    finally:
        event.remove(Pool, "checkout", begin)
        event.remove(Pool, "checkin", end)


def _noting(kind: Any, note: Callable[[Any, Any], None]) -> Any:
    class NotingCursor(kind):  # type: ignore[misc]  # one of the two kinds of cursors
        def execute(self, query: Any, parameters: Any = None, **options: Any) -> Any:
            note(query, parameters)
            return super().execute(query, parameters, **options)

        def executemany(self, query: Any, rows: Any, **options: Any) -> Any:
            for row in rows:
                note(query, row)
            return super().executemany(query, rows, **options)

    return NotingCursor


def scans(url: str, statements: Collection[Statement], *, by_index: bool = False) -> list[Scan]:
    """Return where the statements would read a whole table or index of the database at `url`.

    With `by_index`, PostgreSQL reads a whole table only if no index can serve the statement, however few the rows are.
    """
    return _of_postgres(url, statements, by_index) if url.startswith("postgresql:") else _of_sqlite(url, statements)


def _of_sqlite(url: str, statements: Collection[Statement]) -> list[Scan]:
    found = []
    with closing(sqlite3.connect(Path(url.removeprefix("sqlite:///")))) as connection:
        for one in statements:
            for *_, line in connection.execute(f"EXPLAIN QUERY PLAN {one.text}"):
                if match := _SCAN.match(line):
                    found.append(Scan(match[1], match[2] or "", one.shape))
    return found


def _of_postgres(url: str, statements: Collection[Statement], by_index: bool) -> list[Scan]:
    found = []
    with psycopg.connect(url, autocommit=True) as connection:
        if by_index:
            for other in ("seqscan", "hashjoin", "mergejoin"):
                connection.execute(f"SET enable_{other} = off".encode())
        for one in statements:
            explained = connection.execute(f"EXPLAIN (FORMAT JSON) {one.text}".encode(), one.parameters).fetchone()
            assert explained is not None
            whole = filter(_reads_all, _nodes(explained[0][0]["Plan"]))
            found += [Scan(_table_of(node), node.get("Index Name", ""), one.shape) for node in whole]
    return found


def _reads_all(node: dict[str, Any]) -> bool:
    return node["Node Type"] == "Seq Scan" or (node["Node Type"] in _BY_INDEX and "Index Cond" not in node)


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)


def _table_of(node: dict[str, Any]) -> str:
    # A scan of an index for a bitmap does not name its table; the name of each index of ours begins with it.
    return str(node.get("Relation Name") or node["Index Name"].partition("_by_")[0])
