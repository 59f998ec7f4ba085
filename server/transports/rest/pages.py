"""Pages of growing lists (docs/rest.md, "Pages of a list"): `after` and `limit` in the query, `nextAfter` in the
answer.

An answer has `nextAfter` only when there are more entries; as `after` it gives the next page. An answer with several
lists has one `nextAfter` for all: the position in each list, joined by dots.
"""

from __future__ import annotations

import re
from typing import Any

from starlette.datastructures import QueryParams

from realtime.errors import FieldError
from realtime.ports import Page
from server.problem import Problem
from server.transports.query import first_values

__all__ = ["MAX_LIMIT", "next_after", "page_of"]

#: Most entries of each list in one answer, and the default.
MAX_LIMIT = 1000
_PLACE = "[0-9]{1,18}"


def page_of(query: QueryParams, lists: int) -> tuple[tuple[int, ...], int]:
    """Return the position after which each of `lists` lists begins (0 = the beginning), and the limit.

    Raises:
        Problem: 400, `after` or `limit` is invalid.
    """
    given = first_values(query)
    return _places(given.get("after"), lists), _limit(given.get("limit"))


def next_after(*lists: tuple[int, Page[Any]]) -> dict[str, str]:
    """Return the member `nextAfter` for these pages; each comes with the position after which it begins."""
    if not any(page.more for _, page in lists):
        return {}
    return {"nextAfter": ".".join(str(page.entries[-1][0] if page.entries else after) for after, page in lists)}


def _places(text: str | None, lists: int) -> tuple[int, ...]:
    if text is None:
        return (0,) * lists
    if not re.fullmatch(r"\.".join([_PLACE] * lists), text):
        raise _bad("after", f"expected the nextAfter of an earlier answer, got {text!r:.80}")
    return tuple(map(int, text.split(".")))


def _limit(text: str | None) -> int:
    if text is None:
        return MAX_LIMIT
    if not re.fullmatch("[0-9]{1,4}", text) or not 1 <= int(text) <= MAX_LIMIT:
        raise _bad("limit", f"expected a whole number from 1 to {MAX_LIMIT}, got {text!r:.80}")
    return int(text)


def _bad(field: str, message: str) -> Problem:
    return Problem(400, message, errors=[FieldError(field, message)])
