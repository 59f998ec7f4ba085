"""References to documents: each must be in the repository, or be public and named in full."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from pathlib import Path

__all__ = ["find_missing_documents"]

#: Sections of a document are written "§ n". Only those of an RFC are public.
_SECTION = re.compile(r"(?<!RFC \d{4} )§")
#: A specification or a ticket outside the repository. "The contract of a port" is its docstring, so it may be named.
_OUTSIDE = re.compile(
    r"\bthe contract(?:'s\b|(?! of)\b)|\b(?:design|style|contract) §|\bissue:? #?\d+\b|\(issue of\b", re.IGNORECASE
)
_PAGE = re.compile(r"(?<![\w:])(?:[\w.-]*/)*([\w-]+\.md)\b")
_ADDRESS = re.compile(r"\bhttps?://\S+")
#: The specifications of graphql-ws, graphql-sse and subscriptions-transport-ws; docs/graphql.md links to them.
_PUBLIC = frozenset({"PROTOCOL.md"})
#: Minified third-party code.
_NOT_OURS = "vendor"


def find_missing_documents(files: Collection[Path]) -> list[str]:
    """Return one line for each reference in `files` to a document that is none of them.

    A page is known if the path of one of `files` ends in its name. Files that are not UTF-8 text are skipped.
    """
    known = {path.as_posix() for path in files if path.suffix == ".md"}
    return [
        f"{path}:{number}: {name}"
        for path in files
        if _NOT_OURS not in path.parts
        for number, line in enumerate(_lines(path), start=1)
        for name in _missing(line, known)
    ]


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        return []


def _missing(line: str, known: Iterable[str]) -> list[str]:
    words = [hit[0] for pattern in (_SECTION, _OUTSIDE) for hit in pattern.finditer(line)]
    return words + [hit[0] for hit in _PAGE.finditer(_ADDRESS.sub("", line)) if not _is_known(hit[0], hit[1], known)]


def _is_known(page: str, name: str, known: Iterable[str]) -> bool:
    tail = "/" + re.sub(r"^(?:\.{0,2}/)+", "", page)
    return name in _PUBLIC or any(path.endswith(tail) for path in known)
