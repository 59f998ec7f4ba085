"""The pages link to files and headings that exist, and docs/architecture.md names functions that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.rules.links import broken_links, broken_references, headings, links, pages
from tests.rules.trees import PACKAGES, REPOSITORY, parse, plant, python_files

_FUNCTION = re.compile(r"^\| \[`([\w.]+)`\]\(([^)]+)\) \|", re.MULTILINE)
#: These files name pages that are not ours: of an invented repository, or of none.
_OTHER_PAGES = {
    REPOSITORY / "server" / "demo" / "catalogue.py",
    *(Path(__file__), Path(__file__).with_name("test_documents.py")),
}


@pytest.mark.parametrize("page", list(pages(REPOSITORY)), ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_links_lead_to_files_and_headings(page: Path) -> None:
    assert broken_links(page) == []


#: The entry page links to pages only.
_DESCRIBING = [page for page in sorted((REPOSITORY / "docs").glob("*.md")) if page.name != "index.md"]


@pytest.mark.parametrize("page", _DESCRIBING, ids=lambda page: page.name)
def test_page_links_to_the_code_it_describes(page: Path) -> None:
    code = tuple(f"../{folder}/" for folder in (*PACKAGES, "tests"))
    assert [link for link in links(page) if link.startswith(code)]


def test_index_links_to_every_page() -> None:
    named = {
        (REPOSITORY / "docs" / link.partition("#")[0]).resolve() for link in links(REPOSITORY / "docs" / "index.md")
    }
    folder = REPOSITORY / "docs" / "howto"
    assert {*_DESCRIBING, *folder.glob("*.md"), REPOSITORY / "docs" / "decisions" / "README.md"} - named == set()


def test_readme_shows_its_picture() -> None:
    assert ".images/boardcast.png" in links(REPOSITORY / "README.md")


def test_link_that_leads_nowhere_is_caught(tmp_path: Path) -> None:
    page = """\
        # One

        [a](two.md) [b](two.md#second-of-two) [c](#one) [d](https://example.org/x#y) `[e](code.md)`
        [f](three.md) [g](two.md#third) [h](#two)

        ```
        # Two
        [i](fence.md)
        ```
        """
    root = plant(tmp_path, {"docs/one.md": page, "docs/two.md": "## `Second`, of two\n"})
    assert [broken_links(one) for one in pages(root)] == [["three.md", "two.md#third", "#two"], []]


def test_code_refers_to_pages_headings_and_rows_that_exist() -> None:
    files = [path for path in python_files(REPOSITORY, (*PACKAGES, "tests")) if path not in _OTHER_PAGES]
    broken = {path: broken_references(REPOSITORY, path.read_text(encoding="utf-8")) for path in files}
    assert {path: found for path, found in broken.items() if found} == {}


def test_reference_to_nothing_is_caught(tmp_path: Path) -> None:
    root = plant(tmp_path, {"docs/rows.md": "## Some rows\n\n| # |\n| --- |\n| 1 | a |\n| 2 | b |\n"})
    right = 'docs/rows.md, "Some rows"; docs/rows.md, row 1; docs/rows.md, rows 1 and 2; docs/rows.md'
    assert broken_references(root, right) == []
    wrong = ['docs/rows.md, "Rows"', "docs/rows.md, row 3", "docs/rows.md, rows 1 and 4", "docs/no-rows.md"]
    assert broken_references(root, "; ".join(wrong)) == wrong


def test_anchors_are_those_of_github() -> None:
    page = "# A `b`: c, d & e\n\n## Why\n\n## Why\n\n## [Link](x.md) and ÄÖ_1-2\n"
    assert headings(page) == {"a-b-c-d--e", "why", "why-1", "link-and-äö_1-2"}


def test_functions_of_architecture_are_in_their_files() -> None:
    page = REPOSITORY / "docs" / "architecture.md"
    rows = _FUNCTION.findall(page.read_text(encoding="utf-8"))
    assert rows
    assert [(name, link) for name, link in rows if not _is_defined(name, page.parent / link)] == []


def test_function_that_is_not_defined_is_caught(tmp_path: Path) -> None:
    text = "class Bus:\n    async def execute(self): ...\n\ndef decide(): ...\n"
    path = plant(tmp_path, {"bus.py": text}) / "bus.py"
    names = ["Bus.execute", "decide", "Bus.decide", "execute", "Hub.execute", "Bus.publish"]
    assert [name for name in names if _is_defined(name, path)] == ["Bus.execute", "decide"]


def _is_defined(name: str, path: Path) -> bool:
    owner, _, function = name.rpartition(".")
    body: list[ast.stmt] = parse(path).body
    if owner:
        body = [one for kind in body if isinstance(kind, ast.ClassDef) and kind.name == owner for one in kind.body]
    return any(isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) and one.name == function for one in body)
