"""The first visit of a browser to a page."""

from __future__ import annotations

from tests.bench.checks import Figures
from tests.bench.servers import BenchServer
from tests.clients.graphiql_visit import first_load

__all__ = ["FIRST_LOAD", "first_visit"]

FIRST_LOAD = "KB loaded"


async def first_visit(server: BenchServer) -> Figures:
    """Measure the bytes of all answers, with their headers, until GraphiQL shows its tabs and has the schema."""
    sizes = await first_load("http://{}:{}".format(*server.address))
    return {FIRST_LOAD: sum(sizes.values()) / 1000, "answers": len(sizes)}
