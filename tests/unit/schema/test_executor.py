"""A long subscription keeps no past event in memory, and planned events equal the others."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import orjson
import pytest
import strawberry
from graphql import GraphQLField, GraphQLObjectType, GraphQLSchema, GraphQLString, parse, subscribe
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from realtime.kanban.board import Board
from realtime.messages import payloads
from realtime.messages.channels import board_channel
from realtime.messages.envelopes import Envelope
from realtime.node import Node
from schema.execution.executor import BoundedExecutor
from tests.kit.contexts import context_on
from tests.kit.deadline import deadline
from tests.kit.nodes import BOARD
from tests.unit.schema.plan.events import small_state

#: graphql-core's own executor keeps about 1 KiB for each event of these documents.
MOST_BYTES_PER_EVENT = 8
WARM_UP = 500
DOCUMENT = f'subscription {{ boardEvents(boardId: "{BOARD}") {{ ... on AgentRegistered {{ agentKey }} }} }}'
BOTH = pytest.mark.parametrize("encoded", [False, True], ids=["values", "encoded"])
STATES = f'subscription {{ boardState(boardId: "{BOARD}") {{ cursor columns {{ title cards {{ id title }} }} }} }}'
LINKS = f'subscription {{ boardState(boardId: "{BOARD}") {{ project {{ name }} columnOrder }} }}'


async def bytes_used(stream: AsyncIterator[Any], events: int, feed: Callable[[int], object] = int) -> float:
    """Read this many results; return the bytes that each leaves in memory. `feed` makes the events of a batch."""
    await read(stream, WARM_UP, feed)
    tracemalloc.start()
    try:
        await read(stream, WARM_UP, feed)
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        await read(stream, events, feed)
        gc.collect()
        return (tracemalloc.get_traced_memory()[0] - before) / events
    finally:
        tracemalloc.stop()


async def read(stream: AsyncIterator[Any], events: int, feed: Callable[[int], object]) -> None:
    """Read this many results, which must have no errors."""
    for n in range(events):
        if n % WARM_UP == 0:
            feed(WARM_UP)
        assert (await anext(stream)).errors is None


def core_stream(executor: type[StrawberryGraphQLCoreExecutionContext]) -> AsyncIterator[Any]:
    """Subscribe with graphql-core alone, to a source without an end."""

    async def source(*_: object) -> AsyncGenerator[dict[str, Any], None]:
        while True:
            yield {"card": {"title": "x"}}

    card = GraphQLObjectType("Card", {"title": GraphQLField(GraphQLString)})
    root = GraphQLObjectType("Subscription", {"card": GraphQLField(card, subscribe=source)})
    query = GraphQLObjectType("Query", {"card": GraphQLField(card)})
    document = parse("subscription { card { title } }")
    found = subscribe(GraphQLSchema(query, subscription=root), document, executor_class=executor)
    assert isinstance(found, AsyncIterator)
    return found


async def test_executor_keeps_nothing_of_20000_events() -> None:
    async with deadline(50):
        assert await bytes_used(core_stream(BoundedExecutor), 20_000) < MOST_BYTES_PER_EVENT


async def test_executor_of_the_library_still_needs_the_repair() -> None:
    # If this fails, `schema.execution.executor` is no longer needed.
    async with deadline(50):
        assert await bytes_used(core_stream(StrawberryGraphQLCoreExecutionContext), 1_000) > 100 * MOST_BYTES_PER_EVENT


@BOTH
async def test_whole_path_keeps_nothing_of_its_events(
    schema: strawberry.Schema, node: Node, board: Board, encoded: bool
) -> None:
    envelope = Envelope(payloads.AgentRegistered("CODEX", None), "c")
    stream = await schema.subscribe(DOCUMENT, None, context_on(node, encoded=encoded))
    # One deadline for all: a deadline for each event would use memory for its timer.
    async with deadline(50), aclosing(stream):
        await anext(stream)
        await anext(stream)
        used = await bytes_used(stream, 2_000, lambda count: node.hub.publish(board_channel(BOARD), [envelope] * count))
    assert used < 4 * MOST_BYTES_PER_EVENT


async def results_of(
    schema: strawberry.Schema, node: Node, document: str, envelopes: list[Envelope], *, encoded: bool = False
) -> list[Any]:
    """Return the results of a subscription: its first, then one for each of these."""
    stream = await schema.subscribe(document, None, context_on(node, encoded=encoded))
    async with deadline(5), aclosing(stream):
        results = [await anext(stream)]
        for envelope in envelopes:  # one by one, because the newest state replaces a waiting one
            node.hub.publish(board_channel(BOARD), [envelope])
            results.append(await anext(stream))
        return results


def written(results: list[Any]) -> list[bytes]:
    """Return the bytes of results on the wire."""
    errors = [[error.formatted for error in result.errors or ()] for result in results]
    return [orjson.dumps([result.data, found]) for result, found in zip(results, errors, strict=True)]


async def test_encoded_events_are_the_bytes_of_the_others(schema: strawberry.Schema, node: Node, board: Board) -> None:
    envelopes = [Envelope(payloads.State(small_state()), f"c-{n}") for n in range(3)]
    plain = await results_of(schema, node, STATES, envelopes)
    encoded = await results_of(schema, node, STATES, envelopes, encoded=True)
    assert {type(result.data) for result in plain} == {dict}
    assert {type(result.data) for result in encoded} == {orjson.Fragment}
    assert written(encoded) == written(plain)


async def test_event_with_an_error_has_it_between_planned_ones(
    schema: strawberry.Schema, node: Node, board: Board
) -> None:
    broken = small_state()
    broken = replace(broken, cards={id: card for id, card in broken.cards.items() if id != "k1"})
    envelopes = [Envelope(payloads.State(state), "c") for state in (small_state(), broken, small_state())]
    encoded = await results_of(schema, node, STATES, envelopes, encoded=True)
    assert [type(result.data) for result in encoded] == [orjson.Fragment, orjson.Fragment, type(None), orjson.Fragment]
    assert [error.path for error in encoded[2].errors] == [["boardState", "columns", 0, "cards"]]
    assert written(encoded) == written(await results_of(schema, node, STATES, envelopes))


async def test_selection_that_waits_is_executed_by_graphql_core(
    schema: strawberry.Schema, node: Node, board: Board
) -> None:
    envelopes = [Envelope(payloads.State(small_state()), "c")]
    for result in await results_of(schema, node, LINKS, envelopes, encoded=True):
        assert orjson.loads(orjson.dumps(result.data))["boardState"]["project"] == {"name": "Alpha Board"}


def test_schema_uses_the_executor(schema: strawberry.Schema) -> None:
    assert schema.execution_context_class is BoundedExecutor
