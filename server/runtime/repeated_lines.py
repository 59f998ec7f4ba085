"""Equal log lines: the first few of a minute are written, of the rest one line says how many there were."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["RepeatedLines"]

#: Equal lines that are written in one window, and its seconds.
LINES = 5
WINDOW_SECONDS = 60.0
#: Most kinds of lines that are told apart; beyond that the kind that began first is told of and forgotten.
MAX_KINDS = 256
#: What makes two lines different is looked for in so many characters.
KIND_CHARACTERS = 200

#: Numbers and addresses tell two lines of one kind apart, and would make each a kind of its own.
_NUMBER = re.compile(r"0x[0-9a-fA-F]+|[0-9]+")
_Kind = tuple[str, int, str, type[BaseException] | None]


@dataclass(slots=True)
class _Window:
    began: float
    #: The first line, to say what was repeated.
    first: logging.LogRecord
    lines: int = 0

    @property
    def left_out(self) -> int:
        return self.lines - LINES


class RepeatedLines:
    """Tells which lines to write. Two are equal when logger, level and words are, whatever is filled into these."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._windows: dict[_Kind, _Window] = {}

    def passed(self, record: logging.LogRecord, now: float) -> list[logging.LogRecord]:
        """Return what is to be written when `record` comes at `now` (seconds): perhaps it, and what it makes due."""
        lines = list(self._ended(now))
        kind = _kind(record)
        window = self._windows.get(kind)
        if window is None:
            if len(self._windows) >= MAX_KINDS:
                lines += self._end(next(iter(self._windows)))
            window = self._windows[kind] = _Window(now, record)
        window.lines += 1
        return lines if window.left_out > 0 else [*lines, record]

    def rest(self) -> list[logging.LogRecord]:
        """Return what is still to be told, and forget all."""
        return [line for kind in list(self._windows) for line in self._end(kind)]

    def _ended(self, now: float) -> Iterator[logging.LogRecord]:
        # In the order in which they began, so that those that are over come first.
        while self._windows:
            kind, window = next(iter(self._windows.items()))
            if now - window.began < WINDOW_SECONDS:
                return
            yield from self._end(kind)

    def _end(self, kind: _Kind) -> list[logging.LogRecord]:
        window = self._windows.pop(kind)
        if window.left_out <= 0:
            return []
        first = window.first
        words = (window.left_out, WINDOW_SECONDS, first.getMessage()[:KIND_CHARACTERS])
        told = "repeated %d more times within %g s: %s"
        return [logging.LogRecord(first.name, first.levelno, first.pathname, first.lineno, told, words, None)]


def _kind(record: logging.LogRecord) -> _Kind:
    words = _NUMBER.sub("#", str(record.msg)[:KIND_CHARACTERS])
    return record.name, record.levelno, words, record.exc_info[0] if record.exc_info else None
