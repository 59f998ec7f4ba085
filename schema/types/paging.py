"""Pages of long lists: the arguments `first` and `after`, and the objects behind the connection types."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Protocol

import strawberry

from realtime.errors import FieldError, InvalidInput, Refused
from realtime.messages.channels import Channel
from realtime.messages.position import EntryCursors, InvalidCursor, channel_tag
from realtime.ports import Page

__all__ = [
    "DEFAULT_FIRST",
    "DEFAULT_OF_CARD",
    "MAX_FIRST",
    "AfterEntry",
    "Edge",
    "First",
    "FirstOfCard",
    "PageInfo",
    "Stretch",
    "checked_first",
    "offset_after",
]

DEFAULT_FIRST = 100
#: The default for the attempts of a card. A query asks for those of all cards of a board, and most cards have one.
DEFAULT_OF_CARD = 20
MAX_FIRST = 1000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DATED_PLACE = re.compile(r"([0-9a-f]{8}):(-?[0-9]{1,15}):(.+)", re.DOTALL)

First = Annotated[int | None, strawberry.argument(description="Most entries to return, 1 to 1,000; null is 100.")]
FirstOfCard = Annotated[int | None, strawberry.argument(description="Most entries to return, 1 to 1,000; null is 20.")]
AfterEntry = Annotated[
    str | None, strawberry.argument(description="A `cursor` of this list: return the entries after it.")
]


class InvalidPage(InvalidInput):
    """`first` is out of bounds."""

    code = "bad_user_input"


@strawberry.type(description="The beginning and the end of a page, and whether there is more on either side.")
class PageInfo:
    """The fields are read from a `Stretch`."""

    has_next_page: bool = strawberry.field(description="Whether there are entries after this page.")
    has_previous_page: bool = strawberry.field(
        description="Whether the page begins after an entry; pages go forwards only, so this leads nowhere."
    )
    start_cursor: str | None = strawberry.field(description="The cursor of the first entry; null for an empty page.")
    end_cursor: str | None = strawberry.field(
        description="The cursor of the last entry; for an empty page, the cursor in the request or null."
    )


@dataclass(frozen=True, slots=True)
class Edge:
    """An entry and its cursor."""

    cursor: str
    node: Any


class Dated(Protocol):
    """An entry of a list in the order of creation."""

    @property
    def id(self) -> str:
        """The id within the list."""

    @property
    def created_at(self) -> datetime:
        """The time by which the entries of a list are ordered, in UTC."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A page with its cursors."""

    edges: list[Edge]
    has_next_page: bool
    #: The cursor after which the page begins; None = at the first entry.
    after: str | None

    @classmethod
    def of(cls, edges: Iterable[Edge], more: bool, after: str | None) -> Stretch:
        """Make a page of the entries after the cursor `after`."""
        return cls(list(edges), more, after)

    @classmethod
    def of_page(cls, page: Page[Any] | None, after: str | None, cursors: EntryCursors) -> Stretch:
        """Make a page from a page of the store, with the cursors of the board."""
        if page is None:
            return cls([], False, after)
        return cls.of((Edge(cursors.at(offset), entry) for offset, entry in page.entries), page.more, after)

    @classmethod
    def of_dated(
        cls, channel: Channel, entries: Sequence[Dated], first: int, after: str | None, *, newest_first: bool = False
    ) -> Stretch:
        """Make a page of at most `first` of all `entries` of a channel, which are in the order of their creation.

        The cursors hold when entries come or go. Those of another channel are refused.

        Raises:
            Refused: `invalid_cursor`, the text is no cursor of such a list.
        """
        tag = channel_tag(channel)
        start = 0 if after is None else _start_after(tag, entries, after, newest_first)
        page = entries[start : start + first]
        edges = [Edge(f"{tag}:{_milliseconds(one)}:{one.id}", one) for one in page]
        return cls(edges, start + first < len(entries), after)

    @property
    def nodes(self) -> list[Any]:
        """The entries without their cursors."""
        return [edge.node for edge in self.edges]

    @property
    def has_previous_page(self) -> bool:
        """Whether the page begins after an entry."""
        return self.after is not None

    @property
    def start_cursor(self) -> str | None:
        """The cursor of the first entry."""
        return self.edges[0].cursor if self.edges else None

    @property
    def end_cursor(self) -> str | None:
        """The cursor of the last entry, else that after which the page begins."""
        return self.edges[-1].cursor if self.edges else self.after

    @property
    def page_info(self) -> Stretch:
        """The object from which `PageInfo` is read."""
        return self


def checked_first(first: int | None, default: int = DEFAULT_FIRST) -> int:
    """Return `first` if it is valid; None is the default.

    Raises:
        InvalidPage: `first` is out of bounds.
    """
    if first is None:
        return default
    if not 1 <= first <= MAX_FIRST:
        raise InvalidPage(FieldError("first", f"expected a whole number from 1 to {MAX_FIRST}, got {first}"))
    return first


def offset_after(after: str | None, cursors: EntryCursors) -> int:
    """Return the offset in a cursor of `Stretch.of_page`; 0 without a cursor.

    Raises:
        Refused: `invalid_cursor`, the text is no cursor of this list.
    """
    if after is None:
        return 0
    try:
        return cursors.offset_of(after)
    except InvalidCursor as error:
        raise Refused(str(error), "invalid_cursor") from None


def _start_after(tag: str, entries: Sequence[Dated], after: str, newest_first: bool) -> int:
    """Return the index of the first entry after the cursor."""
    found = _DATED_PLACE.fullmatch(after)
    if found is None or found[1] != tag:
        raise Refused(f"expected a cursor of this list, got {after!r:.80}", "invalid_cursor")
    place = next((index for index, one in enumerate(entries) if one.id == found[3]), None)
    if place is not None:
        return place + 1
    # The entry is gone: go on where it was. Entries of the same millisecond come again.
    at, sign = int(found[2]), -1 if newest_first else 1
    return next((i for i, one in enumerate(entries) if sign * (_milliseconds(one) - at) >= 0), len(entries))


def _milliseconds(entry: Dated) -> int:
    return (entry.created_at - _EPOCH) // timedelta(milliseconds=1)
