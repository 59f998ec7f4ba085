"""The pages that people read link to files and headings that exist, and architecture names modules that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.rules.trees import REPOSITORY

_PAGES = [
    REPOSITORY / "README.md",
    REPOSITORY / "CONTRIBUTING.md",
    REPOSITORY / "realtime" / "README.md",
    *sorted((REPOSITORY / "docs").rglob("*.md")),
]
PAGES = [page for page in _PAGES if page.exists()]
_LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)")
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_MAP = re.compile(r"^### (\w+)\n\n((?:\|.*\n)+)", re.MULTILINE)
_NAME = re.compile(r"`([\w/]+)`")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_links_lead_to_files_and_headings(page: Path) -> None:
    assert [link for link in _links(page) if not _leads_somewhere(page, *link)] == []


def test_readme_shows_its_picture() -> None:
    assert (".images/boardcast.png", "") in _links(REPOSITORY / "README.md")


def test_link_to_nothing_is_noticed() -> None:
    page = REPOSITORY / "docs" / "operating.md"
    assert not _leads_somewhere(page, "page-that-was-renamed.md", "")
    assert not _leads_somewhere(page, "", "heading-that-was-renamed")
    assert _leads_somewhere(page, "", "start-and-stop")


def test_module_map_names_modules_that_exist() -> None:
    text = (REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8")
    maps = dict(_MAP.findall(text))
    assert set(maps) == {"realtime", "schema", "server"}
    named = [f"{package}/{name}" for package, table in maps.items() for name in _NAME.findall(table)]
    assert [path for path in named if not _is_module(path)] == []


def _links(page: Path) -> list[tuple[str, str]]:
    return _LINK.findall(_FENCE.sub("", page.read_text(encoding="utf-8")))


def _leads_somewhere(page: Path, path: str, anchor: str) -> bool:
    target = page.parent / path if path else page
    if not target.exists():
        return False
    return not anchor or target.suffix != ".md" or anchor in _anchors(target)


def _anchors(page: Path) -> set[str]:
    """Return the names of the headings of a page, as GitHub makes them; repeated headings are not told apart."""
    headings = _HEADING.findall(_FENCE.sub("", page.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _is_module(path: str) -> bool:
    return (REPOSITORY / path).is_dir() if path.endswith("/") else (REPOSITORY / f"{path}.py").is_file()
