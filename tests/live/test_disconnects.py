"""Every exit × every way to leave: nothing stays behind, and the other subscribers get everything in order."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer
from tests.kit.publishing import Publisher
from tests.kit.raw_http import Connection, connect
from tests.kit.sse_reader import SseReader, open_stream
from tests.live.boards import BOARD
from tests.live.exits import EXITS, ExitSubscriber, exit_request, open_exit
from tests.live.leftovers import check_settled, holdings

_WAIT_UNITS = 20


async def _close_cleanly(subscriber: ExitSubscriber, connection: Connection) -> None:
    await subscriber.say_goodbye()


async def _reset(subscriber: ExitSubscriber, connection: Connection) -> None:
    await connection.reset()


async def _half_close(subscriber: ExitSubscriber, connection: Connection) -> None:
    await connection.half_close()
    await connection.read_to_end()


LEAVING: dict[str, Callable[[ExitSubscriber, Connection], Awaitable[None]]] = {
    "clean-close": _close_cleanly,
    "reset": _reset,
    "half-close": _half_close,
}


async def _read_opening(stream: SseReader) -> None:
    assert [(await stream.event())[0] for _ in range(2)] == ["hello", "state"]


async def _check_order(live: LiveServer, stream: SseReader, count: int = 20) -> None:
    """Publish, and check that all events arrive in order with nothing in between."""
    publisher = Publisher(live.address)
    for number in range(count):
        await publisher.mark(str(number))
    labels = [(await stream.event())[1] for _ in range(count)]
    assert labels == [{"agent": "MARKER", "label": str(number)} for number in range(count)]


@pytest.mark.parametrize("leaving", LEAVING)
@pytest.mark.parametrize("name", EXITS)
async def test_subscriber_that_leaves_leaves_nothing_behind(name: str, leaving: str, boards: LiveServer) -> None:
    target = f"/api/v1/sse?boardId={BOARD}"
    async with open_stream(boards.address, target) as bystander, deadline(_WAIT_UNITS):
        await _read_opening(bystander)
        before = holdings(boards.node)
        async with connect(boards.address) as connection:
            subscriber = await open_exit(name, connection)
            assert holdings(boards.node).subscribers == before.subscribers + 1
            await LEAVING[leaving](subscriber, connection)
        await check_settled(boards.node, before)
        await _check_order(boards, bystander)


@pytest.mark.parametrize("leaving", LEAVING)
async def test_last_subscriber_that_leaves_takes_view_and_watch_along(leaving: str, boards: LiveServer) -> None:
    before = holdings(boards.node)
    assert (before.subscribers, before.views, before.dashboards) == (0, 0, 0)
    async with deadline(_WAIT_UNITS):
        for name in EXITS:
            async with connect(boards.address) as connection:
                subscriber = await open_exit(name, connection)
                await LEAVING[leaving](subscriber, connection)
        await check_settled(boards.node, before)


@pytest.mark.parametrize("name", EXITS)
async def test_subscriber_that_vanishes_in_half_a_request_leaves_nothing(name: str, boards: LiveServer) -> None:
    request = exit_request(name)
    before = holdings(boards.node)
    async with deadline(_WAIT_UNITS):
        for end in range(1, len(request), 7):
            async with connect(boards.address) as connection:
                await connection.send(request[:end])
        await check_settled(boards.node, before)


@pytest.mark.parametrize("name", EXITS)
async def test_subscriber_that_vanishes_before_the_answer_leaves_nothing(name: str, boards: LiveServer) -> None:
    before = holdings(boards.node)
    async with deadline(_WAIT_UNITS):
        for _ in range(20):
            async with connect(boards.address) as connection:
                await connection.send(exit_request(name))
                await connection.reset()
        await check_settled(boards.node, before)


@pytest.mark.parametrize("name", EXITS)
async def test_many_subscribers_that_come_and_go_leave_nothing(name: str, boards: LiveServer) -> None:
    before = holdings(boards.node)
    async with deadline(_WAIT_UNITS):
        for round_ in range(30):
            async with connect(boards.address) as connection:
                await open_exit(name, connection)
                await Publisher(boards.address).mark(str(round_))
                await connection.reset()
        await check_settled(boards.node, before)
