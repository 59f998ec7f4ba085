"""A subscription that runs for long keeps nothing of the events it has shown."""

from __future__ import annotations

import gc
import tracemalloc
from contextlib import aclosing

import strawberry
from strawberry.schema.schema import SubscriptionResult

from realtime.channels import board_channel
from realtime.envelopes import Envelope
from realtime.kanban.board import Board
from realtime.node import Node
from schema.context import Context
from tests.kit.deadline import deadline
from tests.kit.nodes import BOARD

EVENTS = 20_000
BATCH = 1_000
#: graphql-core's own executor keeps about 1 KiB for each event of this document: 20 MiB here.
MOST_GROWTH_BYTES = 128 * 1024
DOCUMENT = f'subscription {{ boardEvents(boardId: "{BOARD}") {{ ... on AgentRegistered {{ agent }} }} }}'


async def show(node: Node, stream: SubscriptionResult, count: int) -> None:
    """Put envelopes into the readers' queues and read them."""
    envelope = Envelope("agent_registered", {"agent": "CODEX", "label": None}, "c")
    for _ in range(count // BATCH):
        node.hub.publish(board_channel(BOARD), [envelope] * BATCH)
        for _ in range(BATCH):
            assert (await anext(stream)).data == {"boardEvents": {"agent": "CODEX"}}


async def test_memory_of_a_subscription_does_not_grow_with_events(
    schema: strawberry.Schema, node: Node, board: Board
) -> None:
    stream = await schema.subscribe(DOCUMENT, None, Context(node))
    # One deadline for all: the timers of a deadline for each event would be memory too.
    async with deadline(50), aclosing(stream):
        await anext(stream)
        await anext(stream)
        await show(node, stream, BATCH)
        tracemalloc.start()
        try:
            await show(node, stream, BATCH)
            gc.collect()
            before, _ = tracemalloc.get_traced_memory()
            await show(node, stream, EVENTS)
            gc.collect()
            after, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert after - before < MOST_GROWTH_BYTES
