"""Runs a case several times, its peer beside it, and prints medians, spreads and ratios as a table."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median

from tests.bench.cases import Case
from tests.bench.measures import Figures
from tests.bench.servers import BOARDCAST, peer_missing, running

__all__ = ["measure", "table"]

_NAME_WIDTH, _CELL_WIDTH = 34, 30


async def measure(case: Case, runs: int) -> dict[str, list[Figures]]:
    """Return the figures of `runs` runs by server; the servers take turns, after one run each that does not count."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        servers = [await stack.enter_async_context(running(BOARDCAST, folder))]
        most = {BOARDCAST: runs}
        for name, at_most in case.peers.items():
            if missing := peer_missing(name):
                print(f"{name} is not beside this case: {missing}.", file=sys.stderr)
                continue
            servers.append(await stack.enter_async_context(running(name, folder)))
            most[name] = min(runs, at_most)
        taken: dict[str, list[Figures]] = {server.name: [] for server in servers}
        for number in range(runs + 1):
            for server in servers:
                # The first run warms up: imports, caches, Node's compiler. Who is run once takes too long for that.
                if number > most[server.name] or (number == 0 and most[server.name] < runs):
                    continue
                figures = await case.run(server)
                if number > 0:
                    taken[server.name].append(figures)
    return taken


def table(title: str, reach: str, taken: dict[str, list[Figures]]) -> str:
    """Return one line per figure: median (least to greatest) of each server, and of ours : each peer's, run by run."""
    ours, *peers = taken
    rows = [["", *taken, *(f"{ours} : {peer}" for peer in peers)]]
    for name in taken[ours][0]:
        columns = {server: [figures[name] for figures in runs if name in figures] for server, runs in taken.items()}
        ratios = [_ratios(columns[ours], columns[peer]) for peer in peers]
        rows.append([name, *(_cell(column) for column in (*columns.values(), *ratios))])
    return "\n".join([title, f"to reach: {reach}", *map(_line, rows)])


def _ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    return [one / other if other else float("nan") for one, other in zip(ours, theirs, strict=False)]


def _line(cells: Sequence[str]) -> str:
    return (cells[0].ljust(_NAME_WIDTH) + "".join(cell.rjust(_CELL_WIDTH) for cell in cells[1:])).rstrip()


def _cell(values: Sequence[float]) -> str:
    if not values:
        return "-"
    return f"{_number(median(values))} ({_number(min(values))} to {_number(max(values))})"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
