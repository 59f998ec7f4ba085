"""Pages of a list: `after` and `limit` in the query, `nextAfter` in the answer.

The log and the conversation of an attempt come in pages, the oldest entry first. An answer has `nextAfter` only if
there are more entries. The client gives it back as `after` and gets the next page. An answer with several lists has one
`nextAfter` for all: the position in each list, joined by dots.
"""

from __future__ import annotations

import re
from typing import Any, TypedDict

from starlette.datastructures import QueryParams

from realtime.errors import FieldError
from realtime.ports import Page
from server.problem import Problem
from server.transports.query import Parameter, first_values

__all__ = ["MAX_LIMIT", "PAGE", "next_after", "page_of"]

#: Most entries of each list in one answer, and the default.
MAX_LIMIT = 1000
AFTER = Parameter("after", "The `nextAfter` of an earlier answer. Without it the page is the first one.")
LIMIT = Parameter("limit", f"The most entries of each list: 1 to {MAX_LIMIT:,}. Without it {MAX_LIMIT:,}.")
#: The parameters of a call that answers with a page.
PAGE = (AFTER, LIMIT)
_PLACE = "[0-9]{1,18}"


def page_of(query: QueryParams, lists: int) -> tuple[tuple[int, ...], int]:
    """Return the position after which each of `lists` lists begins (0 = the beginning), and the limit.

    Raises:
        Problem: 400, `after` or `limit` is invalid.
    """
    given = first_values(query)
    return _places(given.get(AFTER.name), lists), _limit(given.get(LIMIT.name))


class NextAfter(TypedDict, total=False):
    """The member of an answer that leads to the next page, if there is one."""

    nextAfter: str


def next_after(*lists: tuple[int, Page[Any]]) -> NextAfter:
    """Return the member `nextAfter` for these pages; each comes with the position after which it begins."""
    if not any(page.more for _, page in lists):
        return {}
    return {"nextAfter": ".".join(str(page.entries[-1][0] if page.entries else after) for after, page in lists)}


def _places(text: str | None, lists: int) -> tuple[int, ...]:
    if text is None:
        return (0,) * lists
    if not re.fullmatch(r"\.".join([_PLACE] * lists), text):
        raise _bad(AFTER.name, f"expected the nextAfter of an earlier answer, got {text!r:.80}")
    return tuple(map(int, text.split(".")))


def _limit(text: str | None) -> int:
    if text is None:
        return MAX_LIMIT
    if not re.fullmatch("[0-9]{1,4}", text) or not 1 <= int(text) <= MAX_LIMIT:
        raise _bad(LIMIT.name, f"expected a whole number from 1 to {MAX_LIMIT}, got {text!r:.80}")
    return int(text)


def _bad(field: str, message: str) -> Problem:
    return Problem(400, message, errors=[FieldError(field, message)])
