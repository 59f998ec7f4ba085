"""Hints as texts for a line between nodes: `[node, {channel: offset, …}]`, with null for hints that were lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import orjson

from realtime.messages.channels import Channel
from realtime.ports import Heads

__all__ = ["MAX_TEXT_BYTES", "BadHint", "Hint", "hint_of", "texts_of"]

#: PostgreSQL takes no notification of 8,000 bytes or more.
MAX_TEXT_BYTES = 7_900


class BadHint(Exception):
    """A text that no node has sent."""


class Hint(NamedTuple):
    """The message of one node to all others."""

    node: str
    #: None: some of its hints were lost.
    heads: Heads | None


def texts_of(hint: Hint) -> Iterator[str]:
    """Yield the hint in as many texts as it needs; one whose channel is too long for a text becomes a lost hint."""
    if hint.heads is None:
        yield _text(hint)
        return
    waiting = [dict(hint.heads)]
    while waiting:
        heads = waiting.pop()
        text = _text(Hint(hint.node, heads))
        if len(text.encode()) <= MAX_TEXT_BYTES:
            yield text
        elif len(heads) == 1:
            yield _text(Hint(hint.node, None))
        else:
            pairs = list(heads.items())
            half = len(pairs) // 2
            waiting += [dict(pairs[half:]), dict(pairs[:half])]


def hint_of(text: str) -> Hint:
    """Return the hint of a text.

    Raises:
        BadHint: it has none. The message has nothing of the text, which may be anything.
    """
    try:
        node, heads = orjson.loads(text)
    except (orjson.JSONDecodeError, ValueError, TypeError) as error:
        raise BadHint("expected a JSON list of two") from error
    if not isinstance(node, str) or not (heads is None or isinstance(heads, dict)):
        raise BadHint("expected the id of a node and an object")
    if heads is not None and not all(type(offset) is int for offset in heads.values()):
        raise BadHint("expected offsets")
    return Hint(node, heads and {Channel(name): offset for name, offset in heads.items()})


def _text(hint: Hint) -> str:
    return orjson.dumps(tuple(hint)).decode()
