"""The promises of every broker to its own node: each batch to each handler, in the order of publishing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest

from realtime.kanban.board import Recorded
from realtime.kanban.events import AgentRegistered
from realtime.kanban.ids import BoardId
from realtime.messages.channels import EVERYBODY, board_channel
from realtime.ports import Broker, StoredEvent
from server.wiring import BROKERS, open_broker
from tests.contract.broker_urls import BACKENDS
from tests.kit.deadline import deadline
from tests.kit.nodes import START


@pytest.fixture(params=list(BACKENDS))
async def broker(request: pytest.FixtureRequest) -> AsyncIterator[Broker]:
    """A broker without handlers."""
    async with open_broker(BACKENDS[request.param](request), "i") as opened:
        yield opened


def test_every_broker_of_the_server_is_tested_here() -> None:
    assert {*BACKENDS, "rediss"} == set(BROKERS)  # rediss is redis with TLS


def _stored(offset: int, board: str | None = None) -> StoredEvent:
    channel = board_channel(BoardId(board)) if board else EVERYBODY
    return StoredEvent(channel, Recorded(AgentRegistered(agent="A"), START), offset, offset)


async def _publish(broker: Broker, *batches: Sequence[StoredEvent]) -> None:
    async with deadline(5):
        for batch in batches:
            await broker.publish(batch)


async def test_handler_gets_each_batch_whole_and_in_order(broker: Broker) -> None:
    got: list[Sequence[StoredEvent]] = []
    broker.subscribe(got.append)
    batches = [[_stored(1), _stored(1, "p1")], [_stored(2, "p1")], [_stored(2), _stored(3), _stored(3, "p1")]]
    await _publish(broker, *batches)
    assert [list(batch) for batch in got] == batches


async def test_batch_is_delivered_when_publish_returns(broker: Broker) -> None:
    got: list[StoredEvent] = []
    broker.subscribe(got.extend)
    for n in range(1, 4):
        await _publish(broker, [_stored(n)])
        assert [stored.offset for stored in got] == list(range(1, n + 1))


async def test_every_handler_gets_every_batch_from_its_subscription_on(broker: Broker) -> None:
    first: list[StoredEvent] = []
    second: list[StoredEvent] = []
    broker.subscribe(first.extend)
    await _publish(broker, [_stored(1)])
    broker.subscribe(second.extend)
    await _publish(broker, [_stored(2)])
    assert [stored.offset for stored in first] == [1, 2]
    assert [stored.offset for stored in second] == [2]


async def test_publishing_without_handlers_or_events_is_fine(broker: Broker) -> None:
    got: list[StoredEvent] = []
    await _publish(broker, [_stored(1)])
    broker.subscribe(got.extend)
    await _publish(broker, [], [_stored(2)])
    assert [stored.offset for stored in got] == [2]


async def test_handler_that_fails_keeps_no_other_from_its_batch(broker: Broker) -> None:
    got: list[StoredEvent] = []

    def fail(batch: Sequence[StoredEvent]) -> None:
        raise RuntimeError("on purpose")

    broker.subscribe(fail)
    broker.subscribe(got.extend)
    with pytest.raises(ExceptionGroup):
        await _publish(broker, [_stored(1)])
    assert [stored.offset for stored in got] == [1]
