"""Pages: their beginning and their end."""

from __future__ import annotations

import pytest

from realtime.errors import InvalidInput, Refused
from realtime.ports import Page
from schema.types.paging import MAX_FIRST, Stretch, checked_first, place_of


def test_stretch_ends_at_its_last_entry() -> None:
    stretch = Stretch.of_page(Page([(3, "a"), (7, "b")], more=True), "2")
    assert (stretch.nodes, stretch.end_cursor, stretch.has_next_page) == (["a", "b"], "7", True)
    assert [place_of(edge.cursor) for edge in stretch.edges] == [3, 7]


@pytest.mark.parametrize("page", [None, Page([], more=False)])
def test_stretch_without_entries_ends_where_it_was_asked_to_begin(page: Page[str] | None) -> None:
    stretch = Stretch.of_page(page, "2")
    assert (stretch.nodes, stretch.end_cursor, stretch.has_next_page) == ([], "2", False)
    assert Stretch.of_page(page, None).end_cursor is None


@pytest.mark.parametrize("first", [1, MAX_FIRST])
def test_length_within_the_bounds_is_taken(first: int) -> None:
    assert checked_first(first) == first


@pytest.mark.parametrize("first", [0, -1, MAX_FIRST + 1])
def test_length_out_of_bounds_is_refused(first: int) -> None:
    with pytest.raises(InvalidInput, match=f"first: expected a whole number from 1 to 1000, got {first}"):
        checked_first(first)


@pytest.mark.parametrize("after", ["", "x", "-1", "1.0", " 1", "1\n", "1" * 19, "²"])
def test_invalid_place_is_refused(after: str) -> None:
    with pytest.raises(Refused, match="expected a cursor of this list") as refused:
        place_of(after)
    assert refused.value.code == "invalid_cursor"


def test_list_begins_at_its_first_entry_without_a_cursor() -> None:
    assert place_of(None) == 0
