r"""JSON that orjson refuses though its grammar is right: what can be read of it, and why it cannot be taken.

A message of a socket carries one operation of many. Half of a surrogate pair (`"\ud800"`), a number beyond a double, or
a list nested a thousand deep in a variable is a mistake of that operation, so the rest of the message has to be read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import orjson

__all__ = ["MAX_MENDED_DEPTH", "ReadJson", "read_json"]

#: Deepest nesting of what is kept of a text that is nested too deeply for orjson.
MAX_MENDED_DEPTH = 100
#: Longest text whose nesting is looked through in Python; a longer one is no message of a client in good faith.
_MAX_NESTED_CHARACTERS = 64 * 1024

_PAIR = r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
#: An escaped surrogate, behind an even number of backslashes: as a pair (group 2) or half of one.
_SURROGATE = re.compile(rf"(?<!\\)((?:\\\\)*)(?:({_PAIR})|\\u[dD][89a-fA-F][0-9a-fA-F]{{2}})")
_HUGE = re.compile(r"(?<![\w.])-?(?:\d[\d.]{300,}|\d[\d.]*[eE]\+?\d{3,})[\d.eE+-]*")
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]')


@dataclass(frozen=True, slots=True)
class ReadJson:
    """What a text says."""

    #: What was not taken is U+FFFD, 0 or null in here.
    value: Any
    #: What was expected and what came, where something was not taken.
    fault: str | None = None


def read_json(data: str | bytes) -> ReadJson:
    """Read JSON.

    Raises:
        orjson.JSONDecodeError: it is none.
    """
    try:
        return ReadJson(orjson.loads(data))
    except orjson.JSONDecodeError:
        try:
            text = data if isinstance(data, str) else data.decode()
        except UnicodeDecodeError:
            text = None
        if text is None or (mended := _mended(text)) is None:
            raise
        return mended


def _mended(text: str) -> ReadJson | None:
    fault: str | None = None
    for mend, sentence in _MENDINGS:
        mended = mend(text)
        if mended == text:
            continue
        text, fault = mended, fault or sentence
        with suppress(orjson.JSONDecodeError):  # else there is something more
            return ReadJson(orjson.loads(text), fault)
    return None


def _without_half_pairs(text: str) -> str:
    return _SURROGATE.sub(lambda found: found[0] if found[2] else found[1] + "\\ufffd", text)


def _without_huge_numbers(text: str) -> str:
    return _HUGE.sub("0", text)


def _without_depth(text: str) -> str:
    return "".join(_shallow_parts(text)) if len(text) <= _MAX_NESTED_CHARACTERS else text


def _shallow_parts(text: str) -> Iterator[str]:
    depth, begin = 0, 0
    for found in _STRING_OR_BRACKET.finditer(text):
        match found[0]:
            case "[" | "{":
                depth += 1
                if depth == MAX_MENDED_DEPTH + 1:
                    yield text[begin : found.start()] + "null"
            case "]" | "}":
                if depth == MAX_MENDED_DEPTH + 1:
                    begin = found.end()
                depth -= 1
    yield text[begin:] if depth <= MAX_MENDED_DEPTH else ""


#: What makes a text one that can be read, and what is told of it.
_MENDINGS: Sequence[tuple[Callable[[str], str], str]] = (
    (_without_half_pairs, "expected text of whole characters, got half of a surrogate pair"),
    (_without_huge_numbers, "expected numbers that a double holds, got a larger one"),
    (_without_depth, "expected JSON that is nested at most 1,024 deep, got a deeper one"),
)
