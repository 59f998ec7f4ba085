"""A client may send messages before it has read anything (row 13)."""

from __future__ import annotations

from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer
from tests.kit.publishing import Publisher
from tests.kit.raw_socket import TEXT, frame_bytes, open_socket
from tests.live.replay.stage import board_events
from tests.live.replay.subscribers import SocketSubscriber

_STATE = {"columns": {"c": {"id": "c", "title": "Backlog", "cardIds": []}}, "columnOrder": ["c"], "cards": {}}


async def test_frames_sent_with_the_handshake_are_answered(live: LiveServer) -> None:
    await Publisher(live.address).publish(*board_events("board-1", _STATE))
    after = frame_bytes(TEXT, b'{"type":"ping"}') + frame_bytes(TEXT, b'{"type":"get_state"}')
    async with open_socket(live.address, "/api/v1/ws?boardId=board-1", after=after) as socket:
        assert socket.response.status == 101
        subscriber = SocketSubscriber(socket, is_dashboard=False)
        async with deadline(5):
            types = [(await subscriber.envelope())["type"] for _ in range(4)]
    assert types == ["hello", "state", "pong", "state"]


async def test_upgrade_with_another_version_is_refused_with_the_right_one(live: LiveServer) -> None:
    """Row 19; RFC 6455, section 4.2.2: 426 with a `Sec-WebSocket-Version` that the server understands."""
    await Publisher(live.address).publish(*board_events("board-1", _STATE))
    headers = [
        ("Host", "127.0.0.1"),
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("Sec-WebSocket-Version", "8"),
    ]
    async with open_socket(live.address, "/api/v1/ws?boardId=board-1", headers) as socket:
        assert socket.response.status in {400, 426}
        assert socket.response.status == 400 or socket.response.header("Sec-WebSocket-Version") == "13"
