"""A visit to GraphiQL in Chromium through the script `graphiql.mjs`: common orders, and how the tests wait."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import orjson

from tests.clients.node_script import NodeScript, run_script
from tests.clients.requirements import chromium_path
from tests.clients.rest_client import BoardClient
from tests.clients.visit import START_UNITS, check_end_inside, settings_for
from tests.kit.deadline import seconds

__all__ = ["first_load", "open_tab", "run_operation", "shown_result", "visit_graphiql"]


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


async def first_load(server_url: str) -> dict[str, int]:
    """Visit GraphiQL with a browser that has nothing in its cache; return address → bytes, with the headers."""
    settings = {"url": server_url, "chromium": chromium_path(), "timeoutMs": seconds(20) * 1000}
    async with run_script("first_load.mjs", settings) as script:
        loaded = (await script.wait_for("loaded", units=START_UNITS))["loaded"]
        await check_end_inside(script, server_url)
    sizes: dict[str, int] = {}
    for one in loaded:
        address = one["name"].removeprefix(server_url)
        sizes[address] = sizes.get(address, 0) + one["bytes"]
    return sizes
