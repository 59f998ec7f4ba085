"""Reads the documents of `graphql/operations/`, which the real clients send unchanged."""

from __future__ import annotations

from pathlib import Path

__all__ = ["OPERATIONS", "operation_names", "read_operation"]

OPERATIONS = Path(__file__).parents[2] / "graphql" / "operations"


def operation_names() -> list[str]:
    """The names of all documents, without suffix, sorted."""
    return sorted(path.stem for path in OPERATIONS.glob("*.graphql"))


def read_operation(name: str) -> str:
    """The text of one document."""
    return (OPERATIONS / f"{name}.graphql").read_text(encoding="utf-8")
