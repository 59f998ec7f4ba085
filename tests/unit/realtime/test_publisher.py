"""Publishing: a large batch goes out in parts, and others are served in between."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import anyio.lowlevel
import pytest

from realtime.backends.sql.store import SqlStore
from realtime.ports import StoredEvent
from realtime.writing import publisher
from tests.kit.deadline import deadline
from tests.kit.nodes import GatedBroker, incoming, open_node
from tests.kit.publishing import event


@pytest.mark.parametrize(
    ("turn_seconds", "expected"),
    [(-1.0, [100, 200, 250, 251]), (float("inf"), [250, 250, 250, 251])],
    ids=["parts that take long", "parts that are quick"],
)
async def test_others_run_between_the_parts_of_a_large_batch_but_no_other_unit_does(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch, turn_seconds: float, expected: list[int]
) -> None:
    monkeypatch.setattr(publisher, "TURN_SECONDS", turn_seconds)
    broker, log = GatedBroker(), list[StoredEvent]()
    turns: list[int] = []

    def receive(batch: Sequence[StoredEvent]) -> None:
        log.extend(batch)
        # It runs in the next turn of the event loop.
        asyncio.get_running_loop().call_soon(lambda: turns.append(len(log)))

    broker.subscribe(receive)
    many = incoming(*(event("agent.registered", {"agent": f"a{n}"}) for n in range(250)))
    async with deadline(20), open_node(store, broker=broker) as node:
        accepted, one = await asyncio.gather(
            node.bus.ingest(many), node.bus.ingest(incoming(event("agent.registered", {"agent": "last"})))
        )
        await anyio.lowlevel.checkpoint()
    assert [stored.offset for stored in log] == [*range(1, 252)]
    assert (len(accepted), one[0].offset) == (250, 251)
    assert turns == expected
