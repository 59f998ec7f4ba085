"""Reads the log of a board, from its beginning, as clients can."""

from __future__ import annotations

from typing import Any

import orjson

from tests.clients.operations import read_operation
from tests.faults.truth import Logged
from tests.kit.raw_http import Address, exchange

__all__ = ["query", "read_log"]

_PAGE = 100


async def read_log(address: Address, board_id: str) -> list[Logged]:
    """Return all events of a board, oldest first."""
    log: list[Logged] = []
    after: str | None = None
    while True:
        data = await query(address, read_operation("Events"), boardId=board_id, after=after, first=_PAGE)
        page = data["events"]
        log += [Logged(node["name"], node["payload"], node["cursor"]) for node in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            return log
        after = page["pageInfo"]["endCursor"]


async def query(address: Address, document: str, **variables: object) -> Any:
    """Return the data of a GraphQL operation. It must have no errors."""
    answer = await exchange(address, "POST", "/graphql", orjson.dumps({"query": document, "variables": variables}))
    result = orjson.loads(answer.body)
    assert not result.get("errors"), result
    return result["data"]
