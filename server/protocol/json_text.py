r"""Reads JSON that orjson refuses although its grammar is right, and names the part that was replaced.

One message on a socket carries one operation of many. Its variables may hold half of a surrogate pair (`"\ud800"`), a
number too large for a double, or a list nested a thousand deep. Such a fault must end that operation only, so the
server has to read the rest of the message, such as the operation's id.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import orjson

__all__ = ["MAX_MENDED_DEPTH", "ReadJson", "load_json", "read_json"]

#: Levels of nesting that are kept when a text is nested too deeply for orjson.
MAX_MENDED_DEPTH = 100
#: Longest text whose nesting is scanned in Python. No well-meaning client sends a longer text that is nested so deeply.
_MAX_NESTED_CHARACTERS = 64 * 1024

#: From this length on, a text may have so many lists that reading them starts the garbage collector several times.
_LONG = 16 * 1024

_PAIR = r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
#: An escaped surrogate after an even number of backslashes: a pair (group 2) or half of a pair.
_SURROGATE = re.compile(rf"(?<!\\)((?:\\\\)*)(?:({_PAIR})|\\u[dD][89a-fA-F][0-9a-fA-F]{{2}})")
#: Most surrogates, halves or pairs, that are looked at: each is a call, and 170,000 held the event loop for 200 ms.
#: With a half behind them, a text is no JSON.
_MOST_SURROGATES = 20_000
_HUGE = re.compile(r"(?<![\w.])-?(?:\d[\d.]{300,}|\d[\d.]*[eE]\+?\d{3,})[\d.eE+-]*")
#: Each huge number has them, and looking for them is quicker.
_THREE_DIGITS = re.compile("[0-9]{3}")
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]')


@dataclass(frozen=True, slots=True)
class ReadJson:
    """The value of a JSON text."""

    #: Each part that could not be read is replaced by U+FFFD, 0 or null.
    value: Any
    #: A sentence about the first replaced part: what was expected and what came. None = nothing was replaced.
    fault: str | None = None


def load_json(data: str | bytes) -> Any:
    """Return the value of a JSON text. Use it for every text from a client.

    No garbage is collected meanwhile: all new lists and objects are in use. With the collector, 350,000 empty lists
    (1 MiB) held the event loop for 97 ms, without it for 33 ms (measured).

    Raises:
        orjson.JSONDecodeError: `data` is no JSON.
    """
    if len(data) < _LONG or not gc.isenabled():
        return orjson.loads(data)
    gc.disable()
    try:
        return orjson.loads(data)
    finally:
        gc.enable()


def read_json(data: str | bytes) -> ReadJson:
    """Read JSON.

    Raises:
        orjson.JSONDecodeError: `data` is no JSON.
    """
    try:
        return ReadJson(load_json(data))
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
        with suppress(orjson.JSONDecodeError):  # on an error the text has another fault: try the next mending too
            return ReadJson(orjson.loads(text), fault)
    return None


def _without_half_pairs(text: str) -> str:
    if "\\ud" not in text and "\\uD" not in text:
        return text  # found in 2 ms for 1 MiB, where the pattern takes 80
    return _SURROGATE.sub(lambda found: found[0] if found[2] else found[1] + "\\ufffd", text, _MOST_SURROGATES)


def _without_huge_numbers(text: str) -> str:
    if _THREE_DIGITS.search(text) is None:
        return text
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


#: Each function replaces one kind of unreadable part; the sentence goes into `ReadJson.fault`.
_MENDINGS: Sequence[tuple[Callable[[str], str], str]] = (
    (_without_half_pairs, "expected text of whole characters, got half of a surrogate pair"),
    (_without_huge_numbers, "expected numbers that a double holds, got a larger one"),
    (_without_depth, "expected JSON that is nested at most 1,024 deep, got a deeper one"),
)
