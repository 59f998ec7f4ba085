"""A condition that lets a database look up the few values of a query that depends on another row.

As `IN`, PostgreSQL does not look them up: it reads the whole table, and runs the query for each of its rows (EXPLAIN).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

__all__ = ["OneOf"]


class OneOf(FunctionElement[Any]):
    """Whether a column has one of the values of a scalar subquery, which may have several rows.

    It has no type: SQLAlchemy compares a boolean one with 1 in SQLite, which then looks nothing up either.
    """

    inherit_cache = True


@compiles(OneOf)
def _one_of(element: OneOf, compiler: Any, **options: Any) -> str:
    column, values = element.clauses
    return f"{compiler.process(column, **options)} IN {compiler.process(values, **options)}"
