"""Raw streams of a deleted board stay open and silent (docs/departures.md, row 8) until one side ends them."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

import orjson
import pytest

from tests.kit.deadline import deadline, seconds
from tests.kit.live_server import LiveServer, live_server
from tests.kit.publishing import Publisher, event
from tests.kit.raw_http import exchange
from tests.kit.raw_socket import CLOSE, PING, PONG, RawSocket, open_socket
from tests.kit.sse_reader import SseReader, StreamEnded, open_stream
from tests.kit.write_path import WAYS
from tests.live.boards import BOARD, TODO, make_boards
from tests.live.scrape import key, samples

pytestmark = pytest.mark.usefixtures("clean_log")

_WAIT_UNITS = 20
_GOODBYE = {"reason": "board_deleted", "reconnectAfterMs": 0}
_DELIVERIES = ("state", "changes", "patch")
_COMMANDS: tuple[dict[str, Any], ...] = (
    {"type": "get_state"},
    {"type": "create_card", "payload": {"columnId": TODO, "title": "x"}},
    {"type": "update_card", "payload": {"cardId": "free", "title": "x"}},
    {"type": "move_card", "payload": {"cardId": "free", "toColumnId": TODO, "toIndex": 0}},
    {"type": "delete_card", "payload": {"cardId": "free"}},
)


async def _message(socket: RawSocket) -> dict[str, Any]:
    """Return the next message; answer pings, ignore heartbeats."""
    while (frame := await socket.receive()).opcode == PING:
        await socket.send_frame(PONG, frame.payload)
    message: dict[str, Any] = orjson.loads(frame.text)
    return await _message(socket) if message["type"] == "heartbeat" else message


async def _event(stream: SseReader) -> tuple[str, Any]:
    """Return the next event; ignore comments and heartbeats."""
    block = await stream.block()
    lines = dict(line.split(": ", 1) for line in block.split("\n") if line and not line.startswith(":"))
    if lines.get("event", "heartbeat") == "heartbeat":
        return await _event(stream)
    return lines["event"], orjson.loads(lines["data"])


async def _delete(live: LiveServer) -> None:
    await Publisher(live.address).publish(event("project.deleted", {"projectId": BOARD}))


async def _make_anew(live: LiveServer) -> None:
    """Make the board again, change it, and check that a new subscriber gets the change."""
    await make_boards(live.address)
    async with open_socket(live.address, f"/api/v1/ws?boardId={BOARD}") as socket:
        assert [(await _message(socket))["type"] for _ in range(2)] == ["hello", "state"]
        await Publisher(live.address).mark("marker")
        assert (await _message(socket))["payload"]["label"] == "marker"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("prefix", ["/api/v1", "/api"])
@pytest.mark.parametrize("delivery", _DELIVERIES)
async def test_socket_stays_open_and_silent_also_when_the_board_is_made_anew(
    delivery: str, prefix: str, way: str
) -> None:
    async with (
        live_server(direct_writes=WAYS[way], heartbeat_seconds=0.2, ping_seconds=0.2) as live,
        deadline(_WAIT_UNITS),
    ):
        await make_boards(live.address)
        async with open_socket(live.address, f"{prefix}/ws?boardId={BOARD}&delivery={delivery}") as socket:
            assert [(await _message(socket))["type"] for _ in range(2)] == ["hello", "state"]
            await _delete(live)
            assert await _message(socket) == {"type": "goodbye", "payload": _GOODBYE}
            await _make_anew(live)
            await socket.send_json({"type": "ping"})
            assert (await _message(socket))["type"] == "pong"
            while (await socket.receive()).opcode != PING:  # the connection is kept alive
                pass


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("prefix", ["/api/v1", "/api"])
@pytest.mark.parametrize("delivery", _DELIVERIES)
async def test_stream_stays_open_with_heartbeats_also_when_the_board_is_made_anew(
    delivery: str, prefix: str, way: str
) -> None:
    async with (
        live_server(direct_writes=WAYS[way], heartbeat_seconds=0.1) as live,
        deadline(_WAIT_UNITS),
        AsyncExitStack() as stack,
    ):
        await make_boards(live.address)
        target = f"{prefix}/sse?boardId={BOARD}&delivery={delivery}"
        stream = await stack.enter_async_context(open_stream(live.address, target))
        assert [(await _event(stream))[0] for _ in range(2)] == ["hello", "state"]
        await _delete(live)
        assert await _event(stream) == ("goodbye", _GOODBYE)
        await _make_anew(live)
        found: list[str] = []
        while found.count("heartbeat") < 3:
            block = await stream.block()
            found += [line.removeprefix("event: ") for line in block.split("\n") if line.startswith("event: ")]
        assert set(found) == {"heartbeat"}


async def test_commands_on_a_deleted_board_are_refused_also_when_it_is_made_anew(boards: LiveServer) -> None:
    async with deadline(_WAIT_UNITS), open_socket(boards.address, f"/api/v1/ws?boardId={BOARD}") as socket:
        assert [(await _message(socket))["type"] for _ in range(2)] == ["hello", "state"]
        await _delete(boards)
        assert (await _message(socket))["type"] == "goodbye"
        for _ in range(2):
            for command in _COMMANDS:
                await socket.send_json(command)
                refused = {"command": command["type"], "code": "board_not_found", "message": "Board not found"}
                assert await _message(socket) == {"type": "error", "payload": refused}
            await _make_anew(boards)


async def test_silent_subscribers_hold_no_view_and_are_counted_until_they_leave(boards: LiveServer) -> None:
    target = f"?boardId={BOARD}"
    async with deadline(_WAIT_UNITS):
        async with (
            open_socket(boards.address, f"/api/v1/ws{target}") as socket,
            open_stream(boards.address, f"/api/v1/sse{target}") as stream,
        ):
            assert [(await _message(socket))["type"] for _ in range(2)] == ["hello", "state"]
            assert [(await _event(stream))[0] for _ in range(2)] == ["hello", "state"]
            await _delete(boards)
            assert (await _message(socket))["type"] == (await _event(stream))[0] == "goodbye"
            assert (len(boards.node.views), boards.node.hub.statistics().channels, len(boards.node.lifetimes)) == (
                0,
                0,
                2,
            )
            await _until_counted(boards, subscribers=1.0)
        await _until_counted(boards, left=1.0)


async def _until_counted(live: LiveServer, subscribers: float | None = None, left: float | None = None) -> None:
    expected = {"subscribers": subscribers, "left": left}
    for exit in ("board-ws", "board-sse"):
        found = None
        while found != expected:
            now = await samples(live.address)
            ended = {reason: count for (name, labels), count in now.items() for reason in _reasons(name, labels, exit)}
            assert set(ended) <= {"client_left"}, ended
            found = {"subscribers": now.get(key("readers", exit=exit)), "left": ended.get("client_left")}


def _reasons(name: str, labels: frozenset[tuple[str, str]], exit: str) -> list[str]:
    if name != "boardcast_readers_ended_total" or ("exit", exit) not in labels:
        return []
    return [value for label, value in labels if label == "reason"]


@pytest.mark.parametrize("reason", ["server_shutdown", "connection_lifetime"])
async def test_silent_streams_end_with_the_server_or_their_lifetime(reason: str) -> None:
    lifetime = seconds(1) if reason == "connection_lifetime" else 0
    async with live_server(max_connection_seconds=lifetime) as live, deadline(_WAIT_UNITS):
        await make_boards(live.address)
        async with (
            open_socket(live.address, f"/api/v1/ws?boardId={BOARD}") as socket,
            open_stream(live.address, f"/api/v1/sse?boardId={BOARD}") as stream,
        ):
            assert [(await _message(socket))["type"] for _ in range(2)] == ["hello", "state"]
            assert [(await _event(stream))[0] for _ in range(2)] == ["hello", "state"]
            await _delete(live)
            assert (await _message(socket))["payload"] == (await _event(stream))[1] == _GOODBYE
            if reason == "server_shutdown":
                await live.node.lifetimes.drain(0)
            assert (await _message(socket))["payload"]["reason"] == reason
            assert (await _event(stream))[1]["reason"] == reason
            frame = await socket.receive()
            assert (frame.opcode, frame.close[0]) == (CLOSE, 1012)
            with pytest.raises(StreamEnded):
                await stream.block()
        for exit in ("board-ws", "board-sse"):
            assert live.node.counters.exit(exit).ended == {reason: 1}


async def test_later_connection_finds_no_board(boards: LiveServer) -> None:
    async with deadline(_WAIT_UNITS):
        await _delete(boards)
        async with open_socket(boards.address, f"/api/v1/ws?boardId={BOARD}") as socket:
            assert (await socket.receive()).close == (1008, "Board not found")
        assert (await exchange(boards.address, "GET", f"/api/v1/sse?boardId={BOARD}")).status == 404
