"""`make bench`, `python -m tests.bench`: measure, and print tables and verdicts on standard output.

The exit status is 1 if a message was lost, repeated or out of order, or if a run exceeded its deadline. A figure that
misses its target does not change the exit status.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import anyio
import uvloop

from tests.bench.cases import FULL, QUICK, cases
from tests.bench.growth import growth_rows, growths, measure_growth
from tests.bench.load_client import MessageFault, compiler_missing
from tests.bench.machine import machine, raise_open_files, versions
from tests.bench.report import as_text, case_rows, check_rows
from tests.bench.results import Results, write
from tests.bench.runs import measure
from tests.bench.servers import Servers, servers_for

__all__ = ["main"]

_GROWTH = "growth"
_NAMES = (*cases(FULL), _GROWTH)
#: File descriptors: the connections of the largest case, and a reserve for everything else.
_OPEN_FILES = FULL.idle + 200
#: The errors of a run: a lost message, a deadline, a refused request, a dead server.
_FAULTS = (MessageFault, RuntimeError, OSError, anyio.BrokenResourceError, anyio.EndOfStream, anyio.IncompleteRead)


@dataclass(frozen=True)
class Options:
    """The options of one call."""

    names: list[str]
    runs: int
    quick: bool
    results: Path | None


def main() -> None:
    """Run the chosen cases."""
    options = _options()
    if missing := compiler_missing():
        sys.exit(f"The load client cannot be made: {missing}.")
    if (most := raise_open_files()) < _OPEN_FILES and not options.quick:
        sys.exit(f"A process may have {most} files open here, and the largest cases need {_OPEN_FILES} (ulimit -Hn).")
    results = Results(datetime.now(UTC), machine(), versions(), options.runs)
    print(f"{results.began:%Y-%m-%d %H:%M} UTC", results.machine, results.versions, sep="\n", flush=True)
    uvloop.run(_run(options, results))
    if options.results:
        write(results, options.results)
    if results.faults:
        sys.exit("\n".join(["", "Failed:", *results.faults]))


def _options() -> Options:
    parser = argparse.ArgumentParser(prog="make bench ARGS=", description="Compare the server with its peers.")
    parser.add_argument("cases", nargs="*", metavar="case", help=f"{', '.join(_NAMES)}; all without one")
    parser.add_argument("--runs", type=int, default=5, help="how often each case is run after a warm-up (default: 5)")
    parser.add_argument("--quick", action="store_true", help="once, so small that only what is lost means something")
    parser.add_argument("--results", type=Path, metavar="FILE", help="write FILE (Markdown) and its charts")
    chosen = parser.parse_args()
    names: list[str] = chosen.cases or list(_NAMES)
    if not set(names) <= set(_NAMES) or chosen.runs < 1:
        parser.error(f"expected --runs of 1 or more and cases out of {', '.join(_NAMES)}")
    if chosen.results and chosen.quick:
        parser.error("expected no --results of --quick: its figures mean nothing")
    if chosen.results and not chosen.results.parent.is_dir():
        parser.error(f"expected --results in a folder that is there, not {chosen.results}")
    return Options(names, 1 if chosen.quick else chosen.runs, chosen.quick, chosen.results)


async def _run(options: Options, results: Results) -> None:
    """Run everything that was chosen. A failure does not stop the remaining cases."""
    async with AsyncExitStack() as stack:
        # Each case has new servers, except the cases that measure nothing.
        shared = await stack.enter_async_context(servers_for()) if options.quick else None
        for name in options.names:
            if name == _GROWTH:
                await _noting(results, name, _run_growth(options, results, shared))
            else:
                await _noting(results, name, _run_case(name, options, results, shared))


async def _run_case(name: str, options: Options, results: Results, shared: Servers | None) -> None:
    case = cases(QUICK if options.quick else FULL)[name]
    taken = await measure(case, options.runs, warm=not options.quick, servers=shared)
    results.cases.append((name, case, taken))
    print("", f"{name}: {case.title}", as_text(case_rows(taken)), sep="\n", flush=True)
    if not options.quick:  # if not options.quick
        print(as_text(check_rows(case.checks, taken)), flush=True)


async def _run_growth(options: Options, results: Results, shared: Servers | None) -> None:
    async with AsyncExitStack() as stack:
        servers = shared if shared is not None else await stack.enter_async_context(servers_for())
        for growth in growths(quick=options.quick):
            medians = await measure_growth(growth, options.runs, servers, warm=not options.quick)
            results.growths.append((growth, medians))
            print("", f"{_GROWTH}: {growth.title}", as_text(growth_rows(growth, medians)), sep="\n", flush=True)


async def _noting(results: Results, name: str, work: Awaitable[None]) -> None:
    """Do some work. If it fails, add a line to the results."""
    try:
        await work
    except _FAULTS as error:
        fault = f"{name}: {str(error) or type(error).__name__}"
        results.faults.append(fault)
        print("", fault, sep="\n", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
