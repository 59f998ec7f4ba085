"""Pages of long lists: the arguments `first` and `after`, and the objects behind the connection types."""

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
    str | None, strawberry.argument(description="A `cursor` of this list: return the entries after it.")
]


class InvalidPage(InvalidInput):
    """`first` is out of bounds."""

    code = "bad_user_input"


@strawberry.type(description="The end of a page, and whether more entries follow.")
class PageInfo:
    """The fields are read from a `Stretch`."""

    has_next_page: bool = strawberry.field(description="Whether there are entries after this page.")
    end_cursor: str | None = strawberry.field(
        description="The cursor of the last entry; for an empty page, the cursor in the request or null."
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
        """Make a page of the entries after the cursor `after`."""
        listed = list(edges)
        return cls(listed, more, listed[-1].cursor if listed else after)

    @classmethod
    def of_page(cls, page: Page[Any] | None, after: str | None) -> Stretch:
        """Make a page from a page of the store; the positions of the entries are the cursors."""
        if page is None:
            return cls([], False, after)
        return cls.of((Edge(str(place), entry) for place, entry in page.entries), page.more, after)

    @property
    def nodes(self) -> list[Any]:
        """The entries."""
        return [edge.node for edge in self.edges]

    @property
    def page_info(self) -> Stretch:
        """The object from which `PageInfo` is read."""
        return self


def checked_first(first: int) -> int:
    """Return `first` if it is valid.

    Raises:
        InvalidPage: `first` is out of bounds.
    """
    if not 1 <= first <= MAX_FIRST:
        raise InvalidPage(FieldError("first", f"expected a whole number from 1 to {MAX_FIRST}, got {first}"))
    return first


def place_of(after: str | None) -> int:
    """Return the position for a cursor of `Stretch.of_page`; 0 without a cursor.

    Raises:
        Refused: `invalid_cursor`, the text is no cursor of this list.
    """
    if after is None:
        return 0
    if not _PLACE.fullmatch(after):
        raise Refused(f"expected a cursor of this list, got {after!r:.80}", "invalid_cursor")
    return int(after)
