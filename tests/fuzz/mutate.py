"""Mutations of bytes, JSON and GraphQL.

Each function takes a random generator and valid data, and returns similar data.
"""

from __future__ import annotations

import copy
import json
import random
import re
from collections.abc import Callable
from typing import Any

from tests.fuzz.edges import BOUNDARIES, TEXTS, TOKENS

__all__ = ["as_json", "bytes_near", "deep", "document_near", "json_near", "text_near", "value"]

_MARK = "\u241e"
_NESTED = re.compile(rf'"{_MARK}(\d+)(.)"')
_MORE_BYTES = (
    b"\x00",
    b"\xff",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b'"',
    b"\\u0000",
    b"\\ud800",
    b"{",
    b"]",
    b",",
)
_MAX_REPEATS = 400
#: A little more than the limit of a body or a message. Longer JSON is cut, and so invalid.
_MAX_TEXT = 1_100_000


def text_near(rng: random.Random, text: str = "") -> str:
    """Return an unusual text, or `text` with an addition at its end."""
    edge = rng.choice(TEXTS)
    return edge if rng.random() < 0.7 else text + edge


def deep(rng: random.Random) -> str:
    """Return a placeholder that `as_json` replaces by nested lists or objects."""
    return f"{_MARK}{rng.choice((20, 127, 255, 1_000, 20_000))}{rng.choice('[{')}"


def value(rng: random.Random) -> Any:
    """Return a random value."""
    roll = rng.random()
    if roll < 0.05:
        return deep(rng)
    return copy.deepcopy(rng.choice(BOUNDARIES)) if roll < 0.5 else text_near(rng)


def as_json(data: Any) -> str:
    """Return JSON as lenient as Python's: lone surrogates as escapes, NaN unchanged, nesting of any depth."""
    return _NESTED.sub(_nesting, json.dumps(data, ensure_ascii=True).replace(_ascii(_MARK), _MARK))


def _ascii(text: str) -> str:
    return json.dumps(text)[1:-1]


def _nesting(match: re.Match[str]) -> str:
    depth = int(match[1])
    return "[" * depth + "]" * depth if match[2] == "[" else '{"a":' * depth + "0" + "}" * depth


def _places(data: Any) -> list[tuple[Any, Any]]:
    """Return every (container, key) in `data`."""
    found, todo = [], [data]
    while todo:
        one = todo.pop()
        entries = one.items() if isinstance(one, dict) else enumerate(one) if isinstance(one, list) else ()
        for key, child in entries:
            found.append((one, key))
            todo.append(child)
    return found


def json_near(rng: random.Random, data: Any, others: tuple[Any, ...] = ()) -> str:
    """Return `data` as JSON after one to three changes of its structure, and perhaps one of its text."""
    changed = copy.deepcopy(data)
    for _ in range(rng.choice((0, 1, 1, 1, 2, 3))):
        places = _places(changed)
        if not places or rng.random() < 0.04:
            changed = value(rng) if rng.random() < 0.5 else [changed]
            continue
        container, key = rng.choice(places)
        rng.choice(_CHANGES)(rng, container, key, others)
    text = as_json(changed)[:_MAX_TEXT]
    return _twice(rng, text) if rng.random() < 0.1 else text


def _replace(rng: random.Random, container: Any, key: Any, others: tuple[Any, ...]) -> None:
    container[key] = value(rng)


def _retype(rng: random.Random, container: Any, key: Any, others: tuple[Any, ...]) -> None:
    old = container[key]
    container[key] = rng.choice(
        ([old], {"value": old}, str(old)[:100], json.dumps(old)[:1_000], bool(old), len(str(old)))
    )


def _remove(rng: random.Random, container: Any, key: Any, others: tuple[Any, ...]) -> None:
    del container[key]


def _rename(rng: random.Random, container: Any, key: Any, others: tuple[Any, ...]) -> None:
    if isinstance(container, dict):
        container[rng.choice((key.upper(), key + " ", text_near(rng, key)))] = container.pop(key)


def _add(rng: random.Random, container: Any, key: Any, others: tuple[Any, ...]) -> None:
    if isinstance(container, dict):
        container[text_near(rng, "extra")] = value(rng)
    else:
        container.insert(0, value(rng))


def _repeat(rng: random.Random, container: Any, key: Any, others: tuple[Any, ...]) -> None:
    count = rng.choice((2, 10, _MAX_REPEATS))
    if isinstance(container, list):
        container.extend([container[key]] * count)
    else:
        container.update({f"{key}{n}": container[key] for n in range(count)})


def _graft(rng: random.Random, container: Any, key: Any, others: tuple[Any, ...]) -> None:
    if others:
        container[key] = copy.deepcopy(rng.choice(others))


def _nest(rng: random.Random, container: Any, key: Any, others: tuple[Any, ...]) -> None:
    container[key] = deep(rng)


_Change = Callable[[random.Random, Any, Any, tuple[Any, ...]], None]
_CHANGES: tuple[_Change, ...] = (_replace, _replace, _replace, _retype, _remove, _rename, _add, _repeat, _graft, _nest)


def _twice(rng: random.Random, text: str) -> str:
    """Repeat a key in an object, which is still JSON."""
    keys = list(re.finditer(r'"(\w+)":', text))
    if not keys:
        return text
    key = rng.choice(keys)
    return f"{text[: key.start()]}{key[0]}{as_json(value(rng))},{text[key.start() :]}"


def bytes_near(rng: random.Random, data: bytes) -> bytes:
    """Return `data` with some bytes flipped, removed, repeated, inserted, or cut off at the end."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4))):
        at = rng.randrange(len(out) + 1)
        match rng.randrange(6):
            case 0 if at < len(out):
                out[at] ^= 1 << rng.randrange(8)
            case 1:
                del out[at : at + rng.choice((1, 2, 8, 64))]
            case 2:
                out[at:at] = out[at : at + rng.choice((1, 8, 64))] * rng.choice((1, 3, 50))
            case 3:
                out[at:at] = rng.choice(_MORE_BYTES)
            case 4:
                del out[at:]
            case _:
                out[at:at] = rng.randbytes(rng.choice((1, 4, 32)))
    return bytes(out)


_TOKEN = re.compile(r'"""[\s\S]*?"""|"(?:\\.|[^"\\\n])*"|\.\.\.|[$@]?\w+|#[^\n]*|\S')


def document_near(rng: random.Random, document: str) -> str:
    """Return a GraphQL document with some tokens removed, doubled, swapped, inserted, or repeated very often."""
    tokens = _TOKEN.findall(re.sub(r"#[^\n]*", "", document))
    for _ in range(rng.choice((0, 1, 1, 2, 3))):
        at = rng.randrange(len(tokens) + 1)
        match rng.randrange(7):
            case 0:
                del tokens[at : at + rng.choice((1, 1, 3))]
            case 1 if len(tokens) > 1:
                other = rng.randrange(len(tokens))
                tokens[other : other + 1], tokens[at : at + 1] = tokens[at : at + 1], tokens[other : other + 1]
            case 2:
                tokens[at:at] = [rng.choice(TOKENS)]
            case 3 if at < len(tokens):
                tokens[at] = rng.choice(TOKENS)
            case 4:
                tokens[at:at] = tokens[at : at + rng.choice((1, 4))] * rng.choice((2, 30))
            case 5 if "{" in tokens:
                inside = tokens.index("{") + 1
                tokens[inside:inside] = _many(rng)
            case _:
                tokens[at:at] = [json.dumps(text_near(rng)[:2_000], ensure_ascii=False)]
    return " ".join(tokens)


def _many(rng: random.Random) -> list[str]:
    """Return very many fields, aliases, arguments or fragments."""
    count = rng.choice((10, 100, 400))
    match rng.randrange(4):
        case 0:
            return ["__typename"] * count
        case 1:
            return [f"a{n}: __typename" for n in range(count)]
        case 2:
            return ["... { __typename }"] * count
        case _:
            return ["... on Query {"] * count + ["__typename"] + ["}"] * count
