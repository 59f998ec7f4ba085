"""Readers that stop reading (row 9): they are closed and told so, and whoever reads gets everything, in order."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer, live_server
from tests.kit.publishing import Publisher, event
from tests.kit.raw_socket import CLOSE, Closed, RawSocket, open_socket
from tests.kit.recordings import Json
from tests.kit.sse_reader import SseReader, StreamEnded, open_stream
from tests.kit.wire import bare_block, bare_frame
from tests.live.replay.stage import board_events

_BOARD = "board-1"
_STATE = {"columns": {"c": {"id": "c", "title": "Backlog", "cardIds": []}}, "columnOrder": ["c"], "cards": {}}
#: As in the recording: 5,000 logs of about 8 kB, 40 MB in all, far beyond what sockets and queues hold.
_EVENTS, _BATCH, _MESSAGE = 5000, 100, "x" * 8000


def _log(number: int) -> Json:
    payload = {"attemptId": "att-x", "boardId": _BOARD, "level": "info", "message": f"{number} {_MESSAGE}"}
    return event("attempt.log.appended", payload)


async def _publish_all(live: LiveServer) -> None:
    publisher = Publisher(live.address)
    for start in range(0, _EVENTS, _BATCH):
        await publisher.publish(*map(_log, range(start, start + _BATCH)))


def _numbers(envelopes: list[Json]) -> list[int]:
    return [int(one["payload"]["message"].partition(" ")[0]) for one in envelopes if one["type"] == "attempt_log"]


async def _read_socket(socket: RawSocket) -> tuple[list[Json], int | None]:
    """Read to the end; return the envelopes and the code of the close, None when the connection was dropped."""
    envelopes: list[Json] = []
    while True:
        try:
            frame = await socket.receive()
        except Closed:
            return envelopes, None
        if frame.opcode == CLOSE:
            return envelopes, frame.close[0]
        envelopes.append(bare_frame(frame.text))


async def _read_stream(stream: SseReader) -> list[Json]:
    envelopes: list[Json] = []
    while True:
        try:
            type_, payload = bare_block(await stream.block())
        except StreamEnded:
            return envelopes
        envelopes.append({"type": type_, "payload": payload})


@pytest.fixture
async def small_queues() -> AsyncIterator[LiveServer]:
    """Run a server whose queues hold a few batches only."""
    async with live_server(max_queued_envelopes=5 * _BATCH) as server:
        yield server


@pytest.mark.timeout(240)
async def test_socket_that_stops_reading_is_closed_without_a_hole(small_queues: LiveServer) -> None:
    """`slow_consumer_counts` of the sockets."""
    await Publisher(small_queues.address).publish(*board_events(_BOARD, _STATE))
    async with open_socket(small_queues.address, f"/api/v1/ws?boardId={_BOARD}") as socket, deadline(120):
        await _publish_all(small_queues)
        envelopes, code = await _read_socket(socket)
    numbers = _numbers(envelopes)
    assert code in {1013, None}
    assert numbers == list(range(len(numbers)))
    assert len(numbers) < _EVENTS


@pytest.mark.timeout(240)
async def test_stream_that_stops_reading_ends_without_a_hole(small_queues: LiveServer) -> None:
    """`slow_consumer_counts` of the streams."""
    await Publisher(small_queues.address).publish(*board_events(_BOARD, _STATE))
    async with open_stream(small_queues.address, f"/api/v1/sse?boardId={_BOARD}") as stream, deadline(120):
        await _publish_all(small_queues)
        numbers = _numbers(await _read_stream(stream))
    assert numbers == list(range(len(numbers)))
    assert len(numbers) < _EVENTS
