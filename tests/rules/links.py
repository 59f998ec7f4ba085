"""Links of Markdown pages to files of the repository and to headings in them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

__all__ = ["broken_links", "broken_references", "headings", "links", "pages"]

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^(```|~~~).*?^\1\s*$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")
_HEADING = re.compile(r"^#{1,6} +(.+?)(?: +#+)?$", re.MULTILINE)
#: The form of a reference from code to a page: its path, then a heading in quotation marks or rows of a table.
_REFERENCE = re.compile(r'(docs/[\w/-]+\.md)(?:, (?:"([^"\n]+)"|rows? (\d+)(?: and (\d+))?))?')
_ELSEWHERE = ("http:", "https:", "mailto:")


def pages(root: Path) -> Iterator[Path]:
    """Yield the pages for readers: those of `docs`, and the README of the repository and of each package."""
    yield from sorted((root / "docs").rglob("*.md"))
    yield from sorted(path for pattern in ("*.md", "*/README.md") for path in root.glob(pattern))


def headings(text: str) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a page."""
    anchors: set[str] = set()
    for title in _HEADING.findall(_FENCE.sub("", text)):
        shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).replace("`", "").lower()
        letters = "".join(one for one in shown if one in "-_ " or unicodedata.category(one)[0] in "LN")
        anchor, number = letters.replace(" ", "-"), 0
        while (numbered := f"{anchor}-{number}" if number else anchor) in anchors:
            number += 1
        anchors.add(numbered)
    return anchors


def links(page: Path) -> list[str]:
    """Return the relative links of a page, including those of pictures, except links in code."""
    text = _CODE.sub("", _FENCE.sub("", page.read_text(encoding="utf-8")))
    return [link for link in _LINK.findall(text) if not link.startswith(_ELSEWHERE)]


def broken_links(page: Path) -> list[str]:
    """Return the relative links of a page without a target file, or without a target heading."""
    return [link for link in links(page) if not _leads_somewhere(page, link)]


def broken_references(root: Path, text: str) -> list[str]:
    """Return the references of a source file to pages, headings of pages, or rows that do not exist."""
    return [
        found[0] for found in _REFERENCE.finditer(text) if not _is_there(root / found[1], found[2], found.groups()[2:])
    ]


def _is_there(page: Path, heading: str | None, rows: tuple[str | None, ...]) -> bool:
    if not page.is_file():
        return False
    text = page.read_text(encoding="utf-8")
    return (heading is None or heading in _HEADING.findall(_FENCE.sub("", text))) and all(
        f"\n| {row} | " in text for row in rows if row is not None
    )


def _leads_somewhere(page: Path, link: str) -> bool:
    name, _, anchor = link.partition("#")
    target = page.parent / name if name else page
    if not target.exists():
        return False
    return not anchor or (target.suffix == ".md" and anchor in headings(target.read_text(encoding="utf-8")))
