"""The tables of the pages below `docs/`."""

from __future__ import annotations

import re

from tests.rules.trees import REPOSITORY

__all__ = ["first_cells", "read_page", "table_rows"]

_QUOTED = re.compile(r"`([^`\n]+)`")


def read_page(name: str) -> str:
    """Return a page."""
    return (REPOSITORY / "docs" / name).read_text(encoding="utf-8")


def table_rows(text: str, heading: str) -> list[str]:
    """Return the rows of the tables below a heading, up to the next heading of any depth."""
    section = re.split(r"^#+ ", text.partition(f"# {heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    tables = re.findall(r"^\| --- .*\n((?:\|.*\n)*)", section, re.MULTILINE)
    return [row for table in tables for row in table.splitlines()]


def first_cells(text: str, heading: str) -> set[str]:
    """Return the words in backquotes in the first cells of those rows."""
    return {name for row in table_rows(text, heading) for name in _QUOTED.findall(row.split("|")[1])}
