"""Pages: their beginning and their end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from realtime.errors import InvalidInput, Refused
from realtime.kanban.ids import BoardId
from realtime.messages.channels import EVERYBODY, board_channel
from realtime.messages.position import EntryCursors, channel_tag
from realtime.ports import Page
from schema.types.paging import DEFAULT_FIRST, MAX_FIRST, Stretch, checked_first, offset_after

CURSORS = EntryCursors("e1", "00000001")
CHANNEL = board_channel(BoardId("b1"))


def test_stretch_ends_at_its_last_entry() -> None:
    stretch = Stretch.of_page(Page([(3, "a"), (7, "b")], more=True), CURSORS.at(2), CURSORS)
    assert (stretch.nodes, stretch.end_cursor, stretch.has_next_page) == (["a", "b"], CURSORS.at(7), True)
    assert [offset_after(edge.cursor, CURSORS) for edge in stretch.edges] == [3, 7]


@pytest.mark.parametrize("page", [None, Page([], more=False)])
def test_stretch_without_entries_ends_where_it_was_asked_to_begin(page: Page[str] | None) -> None:
    stretch = Stretch.of_page(page, "2", CURSORS)
    assert (stretch.nodes, stretch.end_cursor, stretch.has_next_page) == ([], "2", False)
    assert Stretch.of_page(page, None, CURSORS).end_cursor is None


@pytest.mark.parametrize(("after", "previous"), [(None, False), ("2", True)])
def test_stretch_behind_a_cursor_has_something_before_it(after: str | None, previous: bool) -> None:
    assert Stretch.of_page(Page([(3, "a")], more=False), after, CURSORS).has_previous_page is previous


@dataclass(frozen=True)
class Made:
    """An entry of a list in the order of creation."""

    id: str
    created_at: datetime


def made(id: str, seconds: int) -> Made:
    """An entry, by the seconds of its creation."""
    return Made(id, datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds))


#: Two of them have an equal time; an id may hold any character.
LIST = [made("a", 1), made("b:\n1", 2), made("c", 2), made("d", 3)]


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("first", [1, 2, 3, 4, 5])
def test_pages_of_a_list_by_time_join_to_the_list(first: int, newest_first: bool) -> None:
    entries = LIST[::-1] if newest_first else LIST
    found: list[Made] = []
    after, more = None, True
    while more:
        page = Stretch.of_dated(CHANNEL, entries, first, after, newest_first=newest_first)
        found += page.nodes
        after, more = page.end_cursor, page.has_next_page
    assert found == entries


@pytest.mark.parametrize(("newest_first", "left"), [(False, ["c", "d"]), (True, ["c", "a"])])
def test_list_by_time_goes_on_where_an_entry_went(newest_first: bool, left: list[str]) -> None:
    entries = LIST[::-1] if newest_first else LIST
    after = Stretch.of_dated(CHANNEL, [LIST[1]], 1, None).end_cursor
    rest = [one for one in entries if one is not LIST[1]]
    assert [one.id for one in Stretch.of_dated(CHANNEL, rest, 9, after, newest_first=newest_first).nodes] == left


@pytest.mark.parametrize("place", ["", "x", "7", ":a", "1.5:a", "1" * 16 + ":a"])
@pytest.mark.parametrize("tag", ["", f"{channel_tag(CHANNEL)}:"])
def test_invalid_place_in_a_list_by_time_is_refused(tag: str, place: str) -> None:
    with pytest.raises(Refused, match="expected a cursor of this list") as refused:
        Stretch.of_dated(CHANNEL, LIST, 1, tag + place)
    assert refused.value.code == "invalid_cursor"


def test_place_in_another_list_by_time_is_refused() -> None:
    other = Stretch.of_dated(EVERYBODY, LIST, 1, None).end_cursor
    with pytest.raises(Refused, match="expected a cursor of this list") as refused:
        Stretch.of_dated(CHANNEL, LIST, 1, other)
    assert refused.value.code == "invalid_cursor"


@pytest.mark.parametrize("first", [1, MAX_FIRST])
def test_length_within_the_bounds_is_taken(first: int) -> None:
    assert checked_first(first) == first


def test_length_that_is_null_is_the_default() -> None:
    assert checked_first(None) == DEFAULT_FIRST


@pytest.mark.parametrize("first", [0, -1, MAX_FIRST + 1])
def test_length_out_of_bounds_is_refused(first: int) -> None:
    with pytest.raises(InvalidInput, match=f"first: expected a whole number from 1 to 1000, got {first}"):
        checked_first(first)


@pytest.mark.parametrize(
    "after",
    [
        "",
        "x",
        "7",
        "e1-00000001-",
        "e1-00000001--1",
        "e1-00000001-1\n",
        "e1-00000001-²",
        "e1-00000001-" + "1" * 19,
        "e2-00000001-1",
        "e1-00000002-1",
        "e1-00000001-1-1",
    ],
)
def test_invalid_place_is_refused(after: str) -> None:
    with pytest.raises(Refused, match="expected a cursor of this list") as refused:
        offset_after(after, CURSORS)
    assert refused.value.code == "invalid_cursor"


def test_list_begins_at_its_first_entry_without_a_cursor() -> None:
    assert offset_after(None, CURSORS) == 0
