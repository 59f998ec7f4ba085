"""Collects the statements that are sent to databases."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from psycopg import Cursor, ServerCursor
from sqlalchemy import event
from sqlalchemy.pool import Pool

__all__ = ["counted"]

#: The words with which a query begins.
QUERIES = ("SELECT", "WITH")


@contextmanager
def counted(words: tuple[str, ...] = QUERIES) -> Iterator[list[str]]:
    """Yield the list of statements that the databases of this process run within the block: those that begin so.

    The list grows with each of them. `("",)` is for all statements. The driver reports them, because prepared
    statements do not pass through SQLAlchemy.
    """
    seen: list[str] = []

    def note(statement: str) -> None:
        if statement.startswith(words):
            seen.append(statement)

    def trace(connection: Any, *_: Any) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.set_trace_callback(note)
        else:
            connection.cursor_factory = _noting(Cursor, note)
            connection.server_cursor_factory = _noting(ServerCursor, note)

    def trace_no_more(connection: Any, *_: Any) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.set_trace_callback(None)
        elif connection is not None:  # None: it was closed
            connection.cursor_factory, connection.server_cursor_factory = Cursor, ServerCursor

    event.listen(Pool, "checkout", trace)
    event.listen(Pool, "checkin", trace_no_more)
    try:
        yield seen
    finally:
        event.remove(Pool, "checkout", trace)
        event.remove(Pool, "checkin", trace_no_more)


def _noting(kind: Any, note: Callable[[str], None]) -> Any:
    class NotingCursor(kind):  # type: ignore[misc]  # one of the two kinds of cursors
        def execute(self, query: Any, *arguments: Any, **options: Any) -> Any:
            note(query)
            return super().execute(query, *arguments, **options)

    return NotingCursor
