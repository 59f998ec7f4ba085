"""Heartbeats with short intervals from settings. Instead of sleeps, the heartbeats of a stream are the clock."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer, live_server
from tests.kit.matching import is_time
from tests.kit.publishing import Publisher
from tests.kit.raw_socket import CLOSE, PING, RawSocket, open_socket
from tests.kit.sse_reader import SseReader, open_stream
from tests.kit.wire import bare_block
from tests.live.replay.stage import board_events
from tests.live.replay.subscribers import SocketSubscriber

_BOARD = "board-1"
_STATE = {"columns": {"c": {"id": "c", "title": "Backlog", "cardIds": []}}, "columnOrder": ["c"], "cards": {}}
_TICK_SECONDS = 0.2
#: More ticks than the time after which a silent socket is closed.
_TIMEOUT_SECONDS, _TICKS = 1.0, 7


@asynccontextmanager
async def _quick_server() -> AsyncIterator[tuple[LiveServer, SseReader]]:
    """Run a server with short heartbeats and a dashboard stream whose heartbeats are ticks."""
    settings = {"heartbeat_seconds": _TICK_SECONDS, "heartbeat_timeout_seconds": _TIMEOUT_SECONDS}
    async with live_server(**settings) as live:
        await Publisher(live.address).publish(*board_events(_BOARD, _STATE))
        async with open_stream(live.address, "/api/v1/sse") as ticks:
            yield live, ticks


async def _tick(ticks: SseReader) -> object:
    async with deadline(10):
        while (block := bare_block(await ticks.block()))[0] != "heartbeat":
            pass
    return block[1]


async def _silence(socket: RawSocket) -> None:
    """Send nothing."""


async def _malformed(socket: RawSocket) -> None:
    await socket.send_text("{not json")


async def _protocol_ping(socket: RawSocket) -> None:
    await socket.send_frame(PING, b"hi")


@pytest.mark.parametrize(
    "says",
    [
        pytest.param(_silence, id="heartbeat_silent_client_that_answers_protocol_pings"),
        pytest.param(_malformed, id="heartbeat_client_sending_malformed_json_every_30s"),
        pytest.param(_protocol_ping, id="heartbeat_client_sending_protocol_ping_every_30s"),
    ],
)
async def test_socket_without_json_messages_is_closed_with_4000(says: Callable[[RawSocket], Awaitable[None]]) -> None:
    async with (
        _quick_server() as (live, ticks),
        open_socket(live.address, f"/api/v1/ws?boardId={_BOARD}") as socket,
    ):
        await says(socket)
        await _tick(ticks)
        await says(socket)
        async with deadline(10):
            while (frame := await socket.receive()).opcode != CLOSE:
                pass
        assert frame.close == (4000, "Heartbeat timeout")


async def test_socket_that_pings_in_json_stays_open() -> None:
    """`heartbeat_client_sending_json_ping_every_15s`."""
    async with (
        _quick_server() as (live, ticks),
        open_socket(live.address, f"/api/v1/ws?boardId={_BOARD}") as socket,
    ):
        subscriber = SocketSubscriber(socket, is_dashboard=False)
        assert [(await subscriber.envelope())["type"] for _ in range(2)] == ["hello", "state"]
        for _ in range(_TICKS):
            await socket.send_text('{"type":"ping","payload":{"ts":"2025-01-01T00:00:00.000Z"}}')
            envelope = await subscriber.envelope()
            assert envelope["type"] == "pong"
            assert is_time(envelope["payload"]["ts"])
            await _tick(ticks)
        await subscriber.leave(1000, "")


async def test_silent_dashboard_socket_stays_open() -> None:
    """`heartbeat_dashboard_silent_client_answers_protocol_pings`: there is no heartbeat rule on the dashboard."""
    async with _quick_server() as (live, ticks), open_socket(live.address, "/api/v1/ws/dashboard") as socket:
        for _ in range(_TICKS):
            await _tick(ticks)
        assert await socket.close(1000, "") == (1000, "")


@pytest.mark.parametrize("target", ["/api/v1/sse", f"/api/v1/sse?boardId={_BOARD}"])
async def test_idle_stream_gets_a_heartbeat_again_and_again(target: str) -> None:
    """`heartbeat_dashboard`; row 12: 30 s unless set otherwise."""
    async with _quick_server() as (live, _), open_stream(live.address, target) as stream:
        for _ in range(3):
            payload = await _tick(stream)
            assert isinstance(payload, dict)
            assert list(payload) == ["ts"]
            assert is_time(payload["ts"])
