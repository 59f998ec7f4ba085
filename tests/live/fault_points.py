"""Fault injection: each function of ours between a commit and the last socket fails once at its start and at its end.

A first run counts the calls. Each later run raises at one place. The hook of the interpreter injects the fault, so no
function can be forgotten. An awaited function fails where it is awaited, and a called function where it is called.
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
#: Everything after the commit runs below this function, or in its own pass of the loop.
_BEGIN = "Publisher.publish"
#: The functions above it, which only return the finished answer to the caller.
_CALLER = ("Bus.", "GroupWriter.", "WriteQueue._run", "WriterPriority.taken")
#: The repair, which has its own tests and runs only after a fault.
_REPAIR = "realtime/views/repair.py"


class Injected(Exception):
    """The injected fault."""


class Point(NamedTuple):
    """The place of a fault: the start of a function, before it did anything, or its return, after it did everything."""

    file: str
    function: str
    event: str
    #: The number of the call, from 1.
    number: int

    def __str__(self) -> str:
        """Return the name of the place, as a traceback shows it."""
        where = "before" if self.event == "call" else "after"
        return f"{where} {self.function} ({self.file}), call {self.number}"


@dataclass
class Injector:
    """Counts the calls on this thread. With `at`, raises there once."""

    at: Point | None = None
    #: Whether it has raised.
    has_raised: bool = False

    def __post_init__(self) -> None:
        self.seen: Counter[tuple[str, str, str]] = Counter()
        self._has_begun = False

    def points(self) -> Iterator[Point]:
        """Yield the possible places of a fault: the start of a function's first call, and the end of its last."""
        for (file, function, event), count in sorted(self.seen.items()):
            yield Point(file, function, event, 1 if event == "call" else count)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch this thread until the block ends."""
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
            raise Injected(str(self.at))  # the interpreter then removes the hook


def _is_at_an_end(frame: FrameType, event: str) -> bool:
    """Return whether a function starts or returns. A coroutine that resumes or pauses does neither."""
    code, at = frame.f_code.co_code, frame.f_lasti
    if at < 0:
        return False
    return code[at] == _RETURN if event == "return" else code[at : at + 2] == bytes((_RESUME, 0))


def _is_called_by_the_loop(frame: FrameType) -> bool:
    """Return whether the event loop called the function: a timer, or the first step of a task."""
    caller = frame.f_back
    return caller is None or caller.f_code.co_filename.endswith(("asyncio/events.py", "asyncio/base_events.py"))
