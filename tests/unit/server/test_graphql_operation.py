"""The results of an operation for transports: bodies that `orjson` writes, already encoded if there is a plan."""

from __future__ import annotations

import asyncio
import gc
import sys
import weakref
from contextlib import aclosing

import anyio
import orjson
import pytest

from realtime.kanban.board import Board
from realtime.messages.channels import board_channel
from realtime.messages.envelopes import Envelope
from realtime.messages.payloads import State
from realtime.node import Node
from schema.root import make_schema
from server.protocol.graphql.request import GraphqlRequest
from server.transports.graphql.operation import OperationResult, operation_results
from tests.kit.contexts import context_on
from tests.kit.deadline import deadline
from tests.kit.nodes import BOARD, board, node, store
from tests.unit.schema.plan.events import small_state

__all__ = ["board", "node", "store"]


async def first(node: Node, selection: str) -> OperationResult:
    """Return the first result of a subscription to the board's state."""
    request = GraphqlRequest(f'subscription {{ boardState(boardId: "{BOARD}") {selection} }}')
    async with deadline(5), aclosing(operation_results(request, make_schema(), context_on(node))) as results:
        return await anext(results)


@pytest.mark.parametrize("selection", ["{ columns { title } }", "{ columns { title } project { id } }"])
async def test_body_is_encoded_by_plan_and_by_graphql_core(node: Node, board: Board, selection: str) -> None:
    result = await first(node, selection)
    assert type(result.body["data"]) is orjson.Fragment
    shown = orjson.loads(orjson.dumps(result.body))["data"]["boardState"]
    assert [column["title"] for column in shown["columns"]] == ["Backlog", "In Progress", "Review", "Done"]
    assert result.cursor is not None
    assert not result.failed


@pytest.mark.parametrize("field", ["boardState", "boardEvents", "boardChanges"])
async def test_subscription_that_sleeps_holds_on_to_nothing_it_gave(node: Node, board: Board, field: str) -> None:
    request = GraphqlRequest(f'subscription {{ {field}(boardId: "{BOARD}") {{ __typename }} }}')
    async with deadline(5), aclosing(operation_results(request, make_schema(), context_on(node))) as results:
        given = [(await anext(results)).body["data"] for _ in range(1 if field == "boardState" else 2)]
        sleeping = asyncio.ensure_future(anext(results))
        await anyio.wait_all_tasks_blocked()
        # Referenced by the list, and by the check itself.
        assert [sys.getrefcount(given[number]) for number in range(len(given))] == [2] * len(given)
        sleeping.cancel()
        await asyncio.wait([sleeping])


@pytest.mark.parametrize("selection", ["{ columns { title } }", "{ columns { title } project { id } }"])
async def test_subscription_that_sleeps_holds_neither_event_nor_result_nor_document(
    node: Node, board: Board, selection: str
) -> None:
    document = f'subscription {{ boardState(boardId: "{BOARD}") {selection} }}'
    held = sys.getrefcount(document)
    results = operation_results(GraphqlRequest(document), make_schema(), context_on(node))
    async with deadline(5), aclosing(results):
        await anext(results)
        reading = asyncio.ensure_future(anext(results))
        await anyio.wait_all_tasks_blocked()
        envelope = Envelope(State(small_state()), "c")
        state, news = weakref.ref(envelope), [envelope]
        node.hub.publish(board_channel(BOARD), news)
        news.clear()
        del envelope
        data = (await reading).body["data"]
        del reading
        sleeping = asyncio.ensure_future(anext(results))
        await anyio.wait_all_tasks_blocked()
        gc.collect()
        assert state() is None
        assert sys.getrefcount(data) == 2
        # The validation and the parser share the cached document.
        assert sys.getrefcount(document) <= held + 2
        sleeping.cancel()
        await asyncio.wait([sleeping])
