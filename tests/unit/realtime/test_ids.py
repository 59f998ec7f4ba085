"""Identifiers: the form of new ones, and the prefixes and numbers of ticket keys."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from realtime.kanban import ids

_UUID = "[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"


@pytest.mark.parametrize(
    ("name", "prefix"),
    [
        ("Beta & Co 2", "BC2"),
        ("Alpha Board", "AB"),
        ("alpha", "A"),
        ("", "PRJ"),
        ("  \t\n", "PRJ"),
        ("& % –", "PRJ"),
        ("a b c d e f g h", "ABCDEF"),
        ("& a b c d e f g", "ABCDEF"),
        ("Über alles", "A"),
        ("日本 プロジェクト", "PRJ"),
        ("7 dwarfs", "7D"),
        ("²nd place", "P"),
        ("two\u00a0words", "TW"),
        ("well-known thing", "WT"),
    ],
)
def test_prefix_is_made_of_the_first_letters(name: str, prefix: str) -> None:
    assert ids.ticket_prefix(name) == prefix


@given(st.text())
def test_prefix_is_always_one_to_six_capitals_or_digits(name: str) -> None:
    assert re.fullmatch(r"[A-Z0-9]{1,6}", ids.ticket_prefix(name))


@pytest.mark.parametrize(
    ("key", "number"),
    [
        ("AB-1", 1),
        ("X-Y-041", 41),
        ("AB-999999999999999", 999_999_999_999_999),
        ("AB-1234567890123456", 0),
        ("AB-", 0),
        ("AB1", 0),
        ("AB-1 ", 0),
        ("AB-1\n", 0),
        ("AB-٣", 0),
        ("", 0),
        (None, 0),
    ],
)
def test_ticket_number_is_the_one_at_the_end(key: str | None, number: int) -> None:
    assert ids.ticket_number(key) == number


def test_id_of_a_line_depends_on_its_board_attempt_and_offset() -> None:
    places = [("b", "a", 1), ("b", "a", 2), ("b", "a1", 1), ("b1", "a", 1), ("ba", "1", 1), ("b", "\ud800", 1)]
    made = [ids.log_id(*place) for place in places]
    assert len(set(made)) == len(places)
    assert all(re.fullmatch(f"log-{_UUID}", one) for one in made)
    assert made == [ids.log_id(*place) for place in places]


@pytest.mark.parametrize(
    ("make", "form"),
    [
        (ids.new_board_id, _UUID),
        (ids.new_column_id, f"col-{_UUID}"),
        (ids.new_card_id, f"card-{_UUID}"),
        (ids.new_attempt_id, f"att-{_UUID}"),
    ],
)
def test_new_ids_have_their_form_and_differ(make: Callable[[], str], form: str) -> None:
    made = {make() for _ in range(50)}
    assert len(made) == 50
    assert all(re.fullmatch(form, one) for one in made)


@pytest.mark.parametrize(("length", "fits"), [(0, False), (1, True), (200, True), (201, False)])
def test_id_from_outside_has_one_to_two_hundred_characters(length: int, fits: bool) -> None:
    adapter: TypeAdapter[str] = TypeAdapter(ids.Id)
    if fits:
        assert adapter.validate_python("ü" * length) == "ü" * length
    else:
        with pytest.raises(ValidationError):
            adapter.validate_python("ü" * length)
