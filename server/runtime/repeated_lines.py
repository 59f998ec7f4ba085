"""Limits equal log lines: the first few of a minute are written, and one line says how many more there were.

Lines with a source, the address of a client, are counted for each source, so that one client does not hide the lines of
others; and for all together.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

__all__ = ["RepeatedLines"]

#: Equal lines that are written in one window, of each source and of all sources, and the seconds of a window.
LINES, LINES_OF_ALL = 5, 50
WINDOW_SECONDS = 60.0
#: Most kinds of lines that are counted; beyond that the oldest kind is reported and forgotten.
MAX_KINDS = 256
#: Only so many characters of two lines are compared.
KIND_CHARACTERS = 200

#: Numbers and addresses differ between lines of one kind, so they are ignored.
_NUMBER = re.compile(r"0x[0-9a-fA-F]+|[0-9]+")
_Kind = tuple[str, int, str, type[BaseException] | None]


@dataclass(slots=True)
class _Window:
    began: float
    #: The first line of the window, which the report quotes.
    first: logging.LogRecord
    #: The lines that were not written.
    left_out: int = 0
    #: The written lines by source; no more sources than lines that may be written.
    written: Counter[str | None] = field(default_factory=Counter)

    def is_written(self, source: str | None) -> bool:
        """Count a line of a source, and return whether it is to be written."""
        passes = self.written[source] < LINES and self.written.total() < LINES_OF_ALL
        if passes:
            self.written[source] += 1
        else:
            self.left_out += 1
        return passes


class RepeatedLines:
    """Decides which lines to write. Two lines are equal when logger, level and message template are equal."""

    def __init__(self) -> None:
        """Begin without any lines."""
        self._windows: dict[_Kind, _Window] = {}

    def passed(self, record: logging.LogRecord, now: float, source: str | None = None) -> list[logging.LogRecord]:
        """Return the lines to write when `record` comes at `now` (seconds): due reports, and perhaps `record`."""
        lines = list(self._ended(now))
        kind = _kind(record)
        window = self._windows.get(kind)
        if window is None:
            if len(self._windows) >= MAX_KINDS:
                lines += self._end(next(iter(self._windows)))
            window = self._windows[kind] = _Window(now, record)
        return [*lines, record] if window.is_written(source) else lines

    def rest(self) -> list[logging.LogRecord]:
        """Return the remaining reports, and forget all lines."""
        return [line for kind in list(self._windows) for line in self._end(kind)]

    def _ended(self, now: float) -> Iterator[logging.LogRecord]:
        # The windows are in the order of their beginning, so those that have ended come first.
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
        report = "repeated %d more times within %g s: %s"
        return [logging.LogRecord(first.name, first.levelno, first.pathname, first.lineno, report, words, None)]


def _kind(record: logging.LogRecord) -> _Kind:
    words = _NUMBER.sub("#", str(record.msg)[:KIND_CHARACTERS])
    return record.name, record.levelno, words, record.exc_info[0] if record.exc_info else None
