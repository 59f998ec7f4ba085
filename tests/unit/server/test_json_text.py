"""JSON that orjson refuses although its grammar is correct: it can be read, and the error is described."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from server.protocol.json_text import MAX_MENDED_DEPTH, read_json

_HALF = "expected text of whole characters, got half of a surrogate pair"
_HUGE = "expected numbers that a double holds, got a larger one"
_DEEP = "expected JSON that is nested at most 1,024 deep, got a deeper one"


@pytest.mark.parametrize(
    ("text", "value", "fault"),
    [
        ('{"a": "\\ud83d\\ude00"}', {"a": "😀"}, None),
        ('{"a": "\\ud800"}', {"a": "\ufffd"}, _HALF),
        ('{"a": "\\udc00\\ud83d\\ude00\\ud800"}', {"a": "\ufffd😀\ufffd"}, _HALF),
        ('{"a": "\\\\ud800", "b": "\\ud800"}', {"a": "\\ud800", "b": "\ufffd"}, _HALF),
        ('{"a": "\\\\\\ud800"}', {"a": "\\\ufffd"}, _HALF),
        ('{"\\ud800": 1}', {"\ufffd": 1}, _HALF),
        ("[1e999, -1E+9999, 1e-999]", [0, 0, 0.0], _HUGE),
        (f"[{'9' * 400}]", [0], _HUGE),
        ('["\\ud800", 1e999]', ["\ufffd", 0], _HALF),
        (f'{{"a": {"[" * 2000}{"]" * 2000}, "b": "]"}}', None, _DEEP),
    ],
)
def test_text_is_read_with_what_is_wrong_about_it(text: str, value: Any, fault: str | None) -> None:
    for given in (text, text.encode()):
        read = read_json(given)
        assert read.fault == fault
        if value is not None:
            assert read.value == value


def test_more_surrogates_than_are_looked_at_make_a_text_no_json() -> None:
    most = 20_000
    read = read_json('["' + "\\ud83d\\ude00" * (most - 1) + '\\ud800"]')
    assert (read.value, read.fault) == (["😀" * (most - 1) + "\ufffd"], _HALF)
    with pytest.raises(orjson.JSONDecodeError):
        read_json('["' + "\\ud800" * (most + 1) + '"]')
    # Without a half, nothing has to be replaced.
    assert read_json('["' + "\\ud83d\\ude00" * (most + 1) + '"]').value == ["😀" * (most + 1)]


def test_nested_fields_beyond_the_limit_are_cut_and_the_rest_is_kept() -> None:
    read: Any = read_json(f'{{"id": "x", "a": {"[" * 2000}"]"{"]" * 2000}, "b": [[{{}}]]}}')
    assert (read.value["id"], read.value["b"]) == ("x", [[{}]])
    depth, inner = 1, read.value["a"]
    while inner != [None]:
        depth, (inner,) = depth + 1, inner
    assert depth == MAX_MENDED_DEPTH - 1


@pytest.mark.parametrize(
    "text",
    ["", "{", "[NaN]", "[Infinity]", '"\\ud800', '{"a": "\\ud800",}', b'"\xed\xa0\x80"', b'"\xff"', "[" * 3000, "nul"],
)
def test_invalid_json_is_refused(text: str | bytes) -> None:
    with pytest.raises(orjson.JSONDecodeError):
        read_json(text)
