"""Subscribers that stop reading for a while (row 9): every hole in their events is announced."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer, live_server
from tests.kit.publishing import Publisher, event
from tests.kit.raw_socket import open_socket
from tests.kit.recordings import Json
from tests.kit.sse_reader import open_stream
from tests.kit.wire import bare_block, bare_frame
from tests.live.replay.stage import board_events

_Subscriber = Callable[[], Awaitable[Json]]
_BOARD = "board-1"
_STATE = {"columns": {"c": {"id": "c", "title": "Backlog", "cardIds": []}}, "columnOrder": ["c"], "cards": {}}
#: As in the recording: 5,000 logs of about 8 kB, 40 MB in all, far more than sockets and queues hold.
_EVENTS, _BATCH, _MESSAGE = 5000, 100, "x" * 8000


def _log(number: int) -> Json:
    payload = {"attemptId": "att-x", "boardId": _BOARD, "level": "info", "message": f"{number} {_MESSAGE}"}
    return event("attempt.log.appended", payload)


async def _publish_all(live: LiveServer) -> str:
    """Publish all logs in batches; return the cursor of the last."""
    publisher = Publisher(live.address)
    cursors: list[str] = []
    for start in range(0, _EVENTS, _BATCH):
        cursors = await publisher.publish(*map(_log, range(start, start + _BATCH)))
    return cursors[-1]


async def _check_gap(live: LiveServer, subscriber: _Subscriber) -> None:
    """Read after everything was published: events without a hole, the gap, the current state, and live events again."""
    last = await _publish_all(live)
    expected = 0
    assert [(await subscriber())["type"] for _ in range(2)] == ["hello", "state"]
    while (envelope := await subscriber())["type"] == "attempt_log":
        assert int(envelope["payload"]["message"].partition(" ")[0]) == expected
        expected += 1
    assert expected < _EVENTS
    assert envelope["type"] == "gap"
    assert (envelope["payload"]["reason"], envelope["payload"]["to"]) == ("slow_consumer", last)
    assert await subscriber() == {"type": "state", "payload": _STATE}
    await Publisher(live.address).mark("live again")
    assert (await subscriber())["payload"]["label"] == "live again"


@pytest.fixture
async def small_queues() -> AsyncIterator[LiveServer]:
    """Run a server with queues for a few batches only, and with a long send timeout."""
    timeouts = {"send_timeout_seconds": 200, "ping_seconds": 200, "heartbeat_seconds": 200}
    async with live_server(max_queued_envelopes=5 * _BATCH, **timeouts) as server:
        yield server


@pytest.mark.timeout(240)
async def test_socket_that_stops_reading_continues_after_an_announced_gap(small_queues: LiveServer) -> None:
    """`slow_consumer_counts` of the sockets."""
    await Publisher(small_queues.address).publish(*board_events(_BOARD, _STATE))
    async with open_socket(small_queues.address, f"/api/v1/ws?boardId={_BOARD}") as socket, deadline(120):

        async def read() -> Json:
            return bare_frame((await socket.receive()).text)

        await _check_gap(small_queues, read)


@pytest.mark.timeout(240)
async def test_stream_that_stops_reading_continues_after_an_announced_gap(small_queues: LiveServer) -> None:
    """`slow_consumer_counts` of the streams."""
    await Publisher(small_queues.address).publish(*board_events(_BOARD, _STATE))
    async with open_stream(small_queues.address, f"/api/v1/sse?boardId={_BOARD}") as stream, deadline(120):

        async def read() -> Json:
            type_, payload = bare_block(await stream.block())
            return {"type": type_, "payload": payload}

        await _check_gap(small_queues, read)
