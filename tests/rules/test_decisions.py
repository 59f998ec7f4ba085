"""The pages of `docs/decisions/` have their four parts and are in the index."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.rules.trees import REPOSITORY

_FOLDER = REPOSITORY / "docs" / "decisions"
_PAGE = re.compile(
    r"# (?P<number>\d+)\. [^\n]+\n\nDate: (?P<date>\d{4}-\d{2}-\d{2}).*"
    r"\n## Context\n\n.+\n## Choice\n\n.+\n## Consequence\n\n.+",
    re.DOTALL,
)
_ROW = re.compile(r"^\| (\d+) \| \[([^\n]+)\]\(([^)]+)\) \| ([\d-]+) \|$", re.MULTILINE)
PAGES = sorted(_FOLDER.glob("[0-9]*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_decision_has_its_four_parts(page: Path) -> None:
    found = _PAGE.fullmatch(page.read_text(encoding="utf-8"))
    assert found, "expected a title with a number, a date, Context, Choice and Consequence"
    assert int(found["number"]) == int(page.name[:4])


def test_index_has_every_decision_under_its_title_and_date() -> None:
    shown = _ROW.findall((_FOLDER / "README.md").read_text(encoding="utf-8"))
    assert shown == [_row_of(page) for page in PAGES]


def _row_of(page: Path) -> tuple[str, str, str, str]:
    text = page.read_text(encoding="utf-8")
    number, title = text.partition("\n")[0].removeprefix("# ").split(". ", 1)
    return number, title, page.name, text.partition("Date: ")[2][:10]
