"""The start of a server: from the command to the first answer."""

from __future__ import annotations

import asyncio
import time

from tests.bench.checks import Figures
from tests.bench.measures import RUN_UNITS
from tests.bench.servers import BenchServer, servers_for
from tests.bench.workload import posting
from tests.kit.deadline import seconds

__all__ = ["STARTED", "first_answer"]

STARTED = "s to the first answer"


async def first_answer(server: BenchServer) -> Figures:
    """Start another server of the same kind, on a new database, and measure until it has answered a request.

    Raises:
        RuntimeError: it does not start, or refuses the request.
    """
    async with asyncio.timeout(seconds(RUN_UNITS)), servers_for() as servers:
        began = time.perf_counter()
        started = await servers.get(server.name)
        async with posting(started) as poster:
            await poster.send(poster.request("GET", "/api/v1/healthz"))
        took = time.perf_counter() - began
        return {STARTED: took, "server CPU s": started.cpu_seconds()}
