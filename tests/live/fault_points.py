"""Faults everywhere: each function of ours that runs between a commit and the last socket fails once, at either end.

A first run counts what runs; the runs after it raise at one place each. The interpreter's own hook does it, so that no
function is left out because somebody forgot it: what is awaited fails where it is awaited, and what is called where it
is called.
"""

from __future__ import annotations

import opcode
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from tests.rules.trees import REPOSITORY

__all__ = ["Injected", "Injector", "Point"]

_OURS = tuple(f"{REPOSITORY / name}/" for name in ("realtime", "schema", "server"))
_RETURN, _RESUME = opcode.opmap["RETURN_VALUE"], opcode.opmap["RESUME"]
#: Everything behind the commit runs below this function, or in a turn of the loop of its own.
_BEGIN = "Bus._hand_on"
#: What runs above it, and gives its caller the answer that is ready.
_CALLER = ("Bus.", "WriterPriority.taken")
#: What puts right what has failed; it has tests of its own, and runs only then.
_REPAIR = "realtime/views/repair.py"


class Injected(Exception):
    """The fault."""


class Point(NamedTuple):
    """Where a function fails: as it begins, with nothing done, or as it returns, with all of it done."""

    file: str
    function: str
    event: str
    #: Which of its calls, from 1.
    number: int

    def __str__(self) -> str:
        """Name it as a traceback does."""
        where = "before" if self.event == "call" else "after"
        return f"{where} {self.function} ({self.file}), call {self.number}"


@dataclass
class Injector:
    """Counts what runs on this thread; with `at`, raises there, once."""

    at: Point | None = None
    #: Whether that has happened.
    has_raised: bool = False

    def __post_init__(self) -> None:
        self.seen: Counter[tuple[str, str, str]] = Counter()
        self._has_begun = False

    def points(self) -> Iterator[Point]:
        """Yield where something could be raised: before the first call of each function, and after its last."""
        for (file, function, event), count in sorted(self.seen.items()):
            yield Point(file, function, event, 1 if event == "call" else count)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch this thread for the length of the block."""
        sys.setprofile(self._look)
        try:
            yield
        finally:
            sys.setprofile(None)

    def _look(self, frame: FrameType, event: str, argument: Any) -> None:
        code = frame.f_code
        if event not in ("call", "return") or not code.co_filename.startswith(_OURS):
            return
        if code.co_qualname == _BEGIN:
            self._has_begun = True
        elif self._has_begun and _is_at_an_end(frame, event) and not _is_called_by_the_loop(frame):
            self._count(str(Path(code.co_filename).relative_to(REPOSITORY)), code.co_qualname, event)

    def _count(self, *place: str) -> None:
        file, function, event = place
        if file == _REPAIR or function.startswith(_CALLER):
            return
        self.seen[file, function, event] += 1
        if self.at == Point(file, function, event, self.seen[file, function, event]):
            self.has_raised = True
            raise Injected(str(self.at))  # and the interpreter takes the hook away


def _is_at_an_end(frame: FrameType, event: str) -> bool:
    """Tell whether a function begins or returns: not where a coroutine goes on, or pauses."""
    code, at = frame.f_code.co_code, frame.f_lasti
    if at < 0:
        return False
    return code[at] == _RETURN if event == "return" else code[at : at + 2] == bytes((_RESUME, 0))


def _is_called_by_the_loop(frame: FrameType) -> bool:
    """Tell whether nobody of ours called: a timer, or the first step of a task."""
    caller = frame.f_back
    return caller is None or caller.f_code.co_filename.endswith(("asyncio/events.py", "asyncio/base_events.py"))
