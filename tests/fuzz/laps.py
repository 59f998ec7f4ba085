"""The laps of a run: one with a server that requires tokens, one with a server that does not."""

from __future__ import annotations

import itertools
import os
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import uvloop

from tests.fuzz.run import run_lap
from tests.fuzz.tally import Tally, memory_faults, wait_faults

__all__ = ["Options", "laps"]

#: The share of the time in which the server requires tokens.
_AUTHENTICATED_PART = 1 / 2
#: A low priority of the fuzzer lets the server and the witness run when they need to.
_NICENESS = 10


@dataclass(frozen=True)
class Options:
    """The options of a run."""

    seconds: float
    seed: int
    #: Numbers of inputs, one at a time. If empty: inputs for `seconds`.
    only: tuple[int, ...]
    #: Whether the server of each lap requires tokens.
    modes: tuple[bool, ...]
    #: The most inputs that the server works on at the same time.
    at_once: int


def laps(options: Options) -> Iterator[Tally]:
    """Run the laps one after the other."""
    for authenticates in options.modes:
        part = _AUTHENTICATED_PART if authenticates else 1 - _AUTHENTICATED_PART
        seconds = options.seconds * (part if len(options.modes) > 1 else 1.0)
        # A separate process: once its priority is low, it cannot start a server with a higher one.
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            tally = pool.submit(_lap, options, seconds, authenticates=authenticates).result()
        if not options.only:
            tally.faults += [*wait_faults(tally), *memory_faults(tally)]
        yield tally


def _lap(options: Options, seconds: float, *, authenticates: bool) -> Tally:
    numbers = options.only or _while(seconds)
    with tempfile.TemporaryDirectory() as folder:
        work = run_lap(
            Path(folder),
            options.seed,
            numbers,
            authenticates=authenticates,
            at_once=options.at_once,
            only=bool(options.only),
            nice=_be_nice,
        )
        return uvloop.run(work)


def _while(seconds: float) -> Iterator[int]:
    """Yield numbers until this much time has passed."""
    end = time.monotonic() + seconds
    return itertools.takewhile(lambda _: time.monotonic() < end, itertools.count())


def _be_nice() -> None:
    os.nice(_NICENESS)
