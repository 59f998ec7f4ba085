"""The texts of SQLAlchemy's constructs that PostgreSQL has under other names (`gathered`)."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.compiler import compiles

from realtime.backends.sql.gathered import JsonRow, JsonRows, JsonValues, OneOf

__all__: list[str] = []


@compiles(JsonRow, "postgresql")
def _json_row(element: JsonRow, compiler: Any, **options: Any) -> str:
    return f"json_build_array({compiler.process(element.clauses, **options)})"


@compiles(JsonRows, "postgresql")
def _json_rows(element: JsonRows, compiler: Any, **options: Any) -> str:
    return f"coalesce(json_agg(json_build_array({compiler.process(element.clauses, **options)})), '[]')"


@compiles(JsonValues, "postgresql")
def _json_values(element: JsonValues, compiler: Any, **options: Any) -> str:
    return f"coalesce(json_agg({compiler.process(element.clauses, **options)}), '[]')"


@compiles(OneOf, "postgresql")
def _one_of(element: OneOf, compiler: Any, **options: Any) -> str:
    column, values = element.clauses
    return f"{compiler.process(column, **options)} = ANY (ARRAY{compiler.process(values, **options)})"
