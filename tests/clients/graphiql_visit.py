"""A visit to GraphiQL in Chromium through the script `graphiql.mjs`: common orders, and how the tests wait."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import orjson

from tests.clients.node_script import NodeScript, run_script
from tests.clients.rest_client import BoardClient
from tests.clients.visit import START_UNITS, check_end_inside, settings_for

__all__ = ["open_tab", "run_operation", "shown_result", "visit_graphiql"]


@asynccontextmanager
async def visit_graphiql(server_url: str, board: BoardClient) -> AsyncGenerator[NodeScript]:
    """Open GraphiQL. After the block, check that the page had no error and sent no request to another host."""
    async with run_script("graphiql.mjs", settings_for(server_url, board)) as script:
        await script.wait_for("open", units=START_UNITS)
        yield script
        await check_end_inside(script, server_url)


async def open_tab(script: NodeScript, name: str, *, page: int = 0) -> dict[str, Any]:
    """Open the tab of an operation; return its `query` and its `variables`, both as text."""
    await script.order("openTab", name=name, page=page)
    return await script.wait_for("tab")


async def run_operation(script: NodeScript, text: str, *, page: int = 0) -> dict[str, Any]:
    """Run the operation of the tab; the rest is as in `shown_result`."""
    await script.order("run", page=page)
    return await shown_result(script, text, page=page)


async def shown_result(script: NodeScript, text: str, *, page: int = 0) -> dict[str, Any]:
    """Wait until the result pane contains the text; return the result."""
    await script.order("expectResult", text=text, page=page)
    result: dict[str, Any] = orjson.loads((await script.wait_for("result"))["text"])
    return result
