"""Repeated header lines are one list."""

from __future__ import annotations

import pytest

from server.protocol.http.fields import SINGLE, list_of, merged, parse_field_lines
from server.protocol.http.refusal import RequestRefused


def test_repeated_fields_are_one_list_at_the_first_place() -> None:
    fields = [(b"accept", b"a"), (b"x", b"1"), (b"accept", b"b;q=0.5"), (b"accept", b"")]
    assert merged(fields) == [(b"accept", b"a, b;q=0.5, "), (b"x", b"1")]


def test_cookies_are_joined_as_cookies() -> None:
    assert merged([(b"cookie", b"a=b"), (b"cookie", b"c=d")]) == [(b"cookie", b"a=b; c=d")]


@pytest.mark.parametrize("name", sorted(SINGLE))
def test_field_of_one_value_is_refused_twice(name: bytes) -> None:
    with pytest.raises(RequestRefused, match="expected one"):
        merged([(name, b"a"), (b"x", b""), (name, b"a")])


def test_members_of_a_list_are_lower_case_without_blanks() -> None:
    assert list_of(b" A ,\t,b,, c d") == [b"a", b"b", b"c d"]
    assert list_of(None) == []


def test_lines_are_read_at_once() -> None:
    assert parse_field_lines(b"A:b\r\nC-D: \t e f \t\r\nG:\r\n") == [(b"a", b"b"), (b"c-d", b"e f"), (b"g", b"")]


@pytest.mark.parametrize(
    "block",
    [
        *(b"A: b\r\n\r\n", b"A: b\r\nc\r\n", b"A: b\nC: d\r\n", b"A: b\r\n C: d\r\n", b"A: b\rC: d\r\n"),
        *(b"A : b\r\n", b"A: \x00\r\n", b"\r\n", b"A: b\r\n: c\r\n", b"A: b\n\r\n"),
    ],
)
def test_one_bad_line_among_others_is_refused(block: bytes) -> None:
    with pytest.raises(RequestRefused):
        parse_field_lines(block)
