"""Observes the work of the server for a request: the calls of its functions, and the queries of its databases."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from tests.kit.statements import counted

__all__ = ["Work", "observed"]

_ROOT = Path(__file__).parents[2]
#: The code whose calls count: what decides, reads and answers. `server/connection` reads as many segments as TCP makes.
_COUNTED = tuple(f"{_ROOT / name}/" for name in ("realtime", "schema", "server/transports", "server/middleware"))


@dataclass
class Work:
    """The cost of one request."""

    #: Name of each function → the number of its calls and resumptions.
    calls: Counter[str] = field(default_factory=Counter)
    statements: list[str] = field(default_factory=list)


@contextmanager
def observed() -> Iterator[Work]:
    """Yield the work of the server on the event loop of this thread, and the queries of all threads, in the block."""
    work = Work()

    def note(frame: FrameType, kind: str, _: object) -> None:
        code = frame.f_code
        # A callback of a thread comes or not, as the thread is slow or fast.
        if kind == "call" and code.co_name != "<lambda>" and code.co_filename.startswith(_COUNTED):
            work.calls[f"{code.co_filename.removeprefix(f'{_ROOT}/')} {code.co_qualname}"] += 1

    with counted() as work.statements:
        sys.setprofile(note)
        try:
            yield work
        finally:
            sys.setprofile(None)
