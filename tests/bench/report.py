"""Runs a case several times, its peer beside it, and prints medians, spreads and ratios as a table."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median

from tests.bench.cases import Case, Figures
from tests.bench.servers import boardcast, node_peer, peer_missing

__all__ = ["measure", "table"]

_NAME_WIDTH, _CELL_WIDTH = 34, 30


async def measure(case: Case, runs: int) -> dict[str, list[Figures]]:
    """Return the figures of `runs` runs by server; the servers take turns, after one run each that does not count."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        servers = [await stack.enter_async_context(boardcast(folder))]
        if case.has_peer and (missing := peer_missing()):
            print(f"No peer beside this case: {missing}.", file=sys.stderr)
        elif case.has_peer:
            servers.append(await stack.enter_async_context(node_peer()))
        taken: dict[str, list[Figures]] = {server.name: [] for server in servers}
        for number in range(runs + 1):
            for server in servers:
                figures = await case.run(server)
                if number > 0:  # the first run warms up: imports, caches, Node's compiler
                    taken[server.name].append(figures)
    return taken


def table(title: str, taken: dict[str, list[Figures]]) -> str:
    """Return one line per figure: median (least to greatest) of each server, and of the ratios run by run."""
    servers = list(taken)
    compared = len(servers) > 1
    head = ["", *servers, *(["ratio"] if compared else [])]
    rows = [head]
    for name in taken[servers[0]][0]:
        columns = [[figures[name] for figures in taken[server]] for server in servers]
        row = [name, *(_cell(column) for column in columns)]
        if compared:
            row.append(_cell([ours / theirs for ours, theirs in zip(*columns, strict=True)]))
        rows.append(row)
    return "\n".join([title, *map(_line, rows)])


def _line(cells: Sequence[str]) -> str:
    return (cells[0].ljust(_NAME_WIDTH) + "".join(cell.rjust(_CELL_WIDTH) for cell in cells[1:])).rstrip()


def _cell(values: Sequence[float]) -> str:
    return f"{_number(median(values))} ({_number(min(values))} to {_number(max(values))})"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
