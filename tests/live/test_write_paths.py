"""The ways in which messages leave: direct writes where the server allows them, ASGI elsewhere.

Clients see no difference.
"""

from __future__ import annotations

from contextlib import AsyncExitStack

import pytest

from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer
from tests.kit.publishing import Publisher, event
from tests.kit.raw_http import connect
from tests.live.exits import EXITS, ExitSubscriber, open_exit
from tests.live.ways import WAYS, Sends, served

_WAIT_UNITS = 30
_SUBSCRIBERS = 3
_BATCHES = (1, 7, 1, 30)
#: Its operations share a queue. They share executions, but not writes.
_NEVER_DIRECT = "graphql-sse-single"


async def _labels(subscriber: ExitSubscriber, count: int) -> list[int]:
    found: list[int] = []
    while len(found) < count:
        type_, payload = await subscriber.event()
        assert type_ == "agent_registered"
        found.append(int(payload["label"]))
    return found


async def _published(boards: LiveServer) -> int:
    publisher, number = Publisher(boards.address), 0
    for size in _BATCHES:
        labels = range(number, number + size)
        await publisher.publish(*(event("agent.registered", {"agent": "A", "label": str(one)}) for one in labels))
        number += size
    return number


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", EXITS)
async def test_subscribers_that_keep_up_are_written_to_and_get_all_in_order(
    name: str, way: str, boards: LiveServer
) -> None:
    sends = Sends()
    async with deadline(_WAIT_UNITS), served(boards, way, sends) as address, AsyncExitStack() as stack:
        opened = [await stack.enter_async_context(connect(address)) for _ in range(_SUBSCRIBERS)]
        subscribers = [await open_exit(name, connection) for connection in opened]
        await Publisher(boards.address).mark("-1")  # after this event, all of them wait for the next
        assert [await _labels(subscriber, 1) for subscriber in subscribers] == [[-1]] * _SUBSCRIBERS
        sends.count = 0
        count = await _published(boards)
        for subscriber in subscribers:
            assert await _labels(subscriber, count) == list(range(count))
    # The load client offers no compression, so nothing is compressed for it.
    is_direct = way != "by ASGI" and name != _NEVER_DIRECT
    assert (sends.count == 0) is is_direct, sends.count


@pytest.mark.parametrize("name", EXITS)
async def test_setting_sends_all_by_asgi(name: str, boards: LiveServer) -> None:
    settings = boards.settings.model_copy(update={"direct_writes": False})
    sends = Sends()
    async with (
        deadline(_WAIT_UNITS),
        served(boards, "directly", sends, settings) as address,
        connect(address) as connection,
    ):
        subscriber = await open_exit(name, connection)
        await Publisher(boards.address).mark("0")
        assert await _labels(subscriber, 1) == [0]
        before = sends.count
        await Publisher(boards.address).mark("1")
        assert await _labels(subscriber, 1) == [1]
        assert sends.count > before
