"""Pages of long lists: the arguments `first` and `after`, and what the connection types are read off."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any

import strawberry

from realtime.errors import FieldError, InvalidInput, Refused
from realtime.ports import Page

__all__ = [
    "DEFAULT_FIRST",
    "MAX_FIRST",
    "AfterEntry",
    "Edge",
    "First",
    "PageInfo",
    "Stretch",
    "checked_first",
    "place_of",
]

DEFAULT_FIRST = 100
MAX_FIRST = 1000
_PLACE = re.compile(r"[0-9]{1,18}")

First = Annotated[int, strawberry.argument(description="Most entries to return, 1 to 1,000.")]
AfterEntry = Annotated[
    str | None, strawberry.argument(description="A `cursor` of this list: return what comes behind it.")
]


class InvalidPage(InvalidInput):
    """`first` is out of bounds."""

    code = "bad_user_input"


@strawberry.type(description="Where a page ends, and whether the list goes on.")
class PageInfo:
    """Read off a `Stretch`."""

    has_next_page: bool = strawberry.field(description="Whether there are entries behind this page.")
    end_cursor: str | None = strawberry.field(
        description="The cursor of the last entry; of an empty page the one it was asked with; null when there is none."
    )


@dataclass(frozen=True, slots=True)
class Edge:
    """An entry and its cursor."""

    cursor: str
    node: Any


@dataclass(frozen=True, slots=True)
class Stretch:
    """A page with its cursors."""

    edges: list[Edge]
    has_next_page: bool
    end_cursor: str | None

    @classmethod
    def of(cls, edges: Iterable[Edge], more: bool, after: str | None) -> Stretch:
        """Make one of the entries behind the cursor `after`."""
        listed = list(edges)
        return cls(listed, more, listed[-1].cursor if listed else after)

    @classmethod
    def of_page(cls, page: Page[Any] | None, after: str | None) -> Stretch:
        """Make one of a page of the store; places are the cursors."""
        if page is None:
            return cls([], False, after)
        return cls.of((Edge(str(place), entry) for place, entry in page.entries), page.more, after)

    @property
    def nodes(self) -> list[Any]:
        """The entries."""
        return [edge.node for edge in self.edges]

    @property
    def page_info(self) -> Stretch:
        """What `PageInfo` is read off."""
        return self


def checked_first(first: int) -> int:
    """Return how many entries are asked for.

    Raises:
        InvalidPage: it is out of bounds.
    """
    if not 1 <= first <= MAX_FIRST:
        raise InvalidPage(FieldError("first", f"expected a whole number from 1 to {MAX_FIRST}, got {first}"))
    return first


def place_of(after: str | None) -> int:
    """Return the place that a cursor of `Stretch.of_page` stands for, 0 without one.

    Raises:
        Refused: `invalid_cursor`, it is none.
    """
    if after is None:
        return 0
    if not _PLACE.fullmatch(after):
        raise Refused(f"expected a cursor of this list, got {after!r:.80}", "invalid_cursor")
    return int(after)
