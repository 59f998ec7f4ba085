"""Runs a case several times on each of its servers, alternately."""

from __future__ import annotations

import sys
from contextlib import AsyncExitStack

from tests.bench.cases import Case, Rival
from tests.bench.checks import Figures, Taken
from tests.bench.servers import BOARDCAST, Servers, peer_missing, servers_for

__all__ = ["measure"]


async def measure(case: Case, runs: int, *, warm: bool = True, servers: Servers | None = None) -> Taken:
    """Return the figures of `runs` runs of each column.

    Args:
        case: the case. Peers that are not installed are left out, with a line on standard error.
        runs: the number of runs that count.
        warm: whether each server first has a warm-up run: for imports, caches and Node's compiler.
        servers: servers to use; None: new ones for this case.

    Raises:
        MessageFault: a subscriber did not get what it should.
    """
    columns = [Rival(BOARDCAST, case.run), *_present(case)]
    taken: dict[str, list[Figures]] = {column.column: [] for column in columns}
    async with AsyncExitStack() as stack:
        shared = servers if servers is not None else await stack.enter_async_context(servers_for())
        first = 0 if warm and not case.fresh else 1
        for turn in range(first, runs + 1):
            for column in columns:
                if turn == 0 and not column.warm:
                    continue
                figures = await _run(case, column, shared)
                if turn > 0:
                    taken[column.column].append(figures)
    return taken


async def _run(case: Case, column: Rival, shared: Servers) -> Figures:
    run = column.run or case.run
    if not case.fresh:
        return await run(await shared.get(column.server))
    async with servers_for() as own:
        return await run(await own.get(column.server))


def _present(case: Case) -> list[Rival]:
    installed = []
    for rival in case.rivals:
        if missing := peer_missing(rival.server):
            print(f"{rival.column} is left out: {missing}.", file=sys.stderr)
        else:
            installed.append(rival)
    return installed
