"""Slow subscribers that still read: they get everything, however long it takes, on every exit.

They read a few bytes at each heartbeat of another stream. The whole transfer takes many times the send timeout.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any
from urllib.parse import urlencode

import anyio
import orjson
import pytest

from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer, live_server
from tests.kit.publishing import Publisher, event
from tests.kit.raw_http import Address, Connection, connect, exchange, request_bytes
from tests.kit.raw_socket import CLOSE, PING, PONG, RawSocket
from tests.kit.sse_reader import open_stream
from tests.kit.write_path import WAYS
from tests.live.boards import BOARD, TODO, make_boards
from tests.live.exits import EXITS, ExitSubscriber, open_exit
from tests.live.leftovers import check_settled, holdings

pytestmark = pytest.mark.usefixtures("clean_log")

_WAIT_UNITS = 60
#: Large enough that the system does not wait for its probes of a nearly closed window.
_RECEIVE_BUFFER = 32 * 1024
_BEAT_SECONDS = 0.02
_SEND_TIMEOUT_SECONDS = 0.8
_BYTES_EACH_BEAT = 16_000
#: 100 beats, which are several send timeouts, and more bytes than the kernel buffers for a subscriber.
_CARDS, _DESCRIPTION = 32, "x" * 50_000
_SETTINGS: dict[str, Any] = {
    "send_timeout_seconds": _SEND_TIMEOUT_SECONDS,
    "max_body_bytes": 8 * 1024 * 1024,
}


Beat = Callable[[], Awaitable[object]]


@pytest.fixture
async def beat() -> AsyncIterator[Beat]:
    """Return a function that waits for the next heartbeat of another server."""
    async with (
        live_server(heartbeat_seconds=_BEAT_SECONDS) as other,
        open_stream(other.address, "/api/v1/sse") as beats,
    ):
        assert [(await beats.event())[0] for _ in range(2)] == ["hello", "dashboard_overview"]
        yield beats.event


def _slow(live: LiveServer) -> AbstractAsyncContextManager[Connection]:
    """Open a connection for a subscriber that becomes slow later."""
    return connect(live.address, _RECEIVE_BUFFER)


def _large_state(title: str) -> dict[str, Any]:
    ids = [f"card-{number}" for number in range(_CARDS)]
    cards = {id: {"id": id, "title": title, "description": _DESCRIPTION} for id in ids}
    column = {"id": TODO, "title": "Backlog", "cardIds": ids}
    state = {"columns": {TODO: column}, "columnOrder": [TODO], "cards": cards}
    return event("board.state.changed", {"boardId": BOARD, "state": state})


async def _label(subscriber: ExitSubscriber) -> int:
    while True:
        type_, payload = await subscriber.event()
        assert type_ in {"agent_registered", "dashboard_overview"}
        if type_ == "agent_registered":
            return int(payload["label"].partition(" ")[0])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", EXITS)
async def test_slow_subscriber_gets_everything_in_order(name: str, way: str, beat: Beat) -> None:
    numbers = list(range(_CARDS))
    async with live_server(direct_writes=WAYS[way], **_SETTINGS) as live, deadline(_WAIT_UNITS):
        await make_boards(live.address)
        async with _slow(live) as connection:
            subscriber = await open_exit(name, connection)
            connection.read_slowly(beat, _BYTES_EACH_BEAT)
            for number in numbers:
                label = f"{number} {_DESCRIPTION}"
                await Publisher(live.address).publish(event("agent.registered", {"agent": "A", "label": label}))
            assert [await _label(subscriber) for _ in numbers] == numbers
            assert not live.node.counters.exit(name).ended
            assert not live.node.counters.exit(name).gaps


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", [name for name in EXITS if not name.startswith("dashboard")])
async def test_slow_subscriber_gets_a_large_state_and_later_events(name: str, way: str, beat: Beat) -> None:
    async with live_server(direct_writes=WAYS[way], **_SETTINGS) as live, deadline(_WAIT_UNITS):
        await make_boards(live.address)
        async with _slow(live) as connection:
            subscriber = await open_exit(name, connection)
            connection.read_slowly(beat, _BYTES_EACH_BEAT)
            await Publisher(live.address).publish(_large_state("first"))
            await Publisher(live.address).publish(_large_state("second"))
            await Publisher(live.address).mark("last")
            received = [await subscriber.event()]
            while received[-1][0] != "agent_registered":
                received.append(await subscriber.event())
            # The second state may have replaced the first one, which waited to be sent.
            assert {type_ for type_, _ in received[:-1]} == {"state"}
            assert not live.node.counters.exit(name).ended


@pytest.mark.parametrize("name", EXITS)
async def test_slow_subscriber_with_full_queue_gets_gap_and_current_state(name: str, beat: Beat) -> None:
    current = "dashboard_overview" if name.startswith("dashboard") else "state"
    async with live_server(max_queued_bytes=200_000, **_SETTINGS) as live, deadline(_WAIT_UNITS):
        await make_boards(live.address)
        async with _slow(live) as connection:
            subscriber = await open_exit(name, connection)
            connection.read_slowly(beat, _BYTES_EACH_BEAT)
            for number in range(_CARDS):
                label = f"{number} {_DESCRIPTION}"
                await Publisher(live.address).publish(event("agent.registered", {"agent": "A", "label": label}))
            received = [await subscriber.event()]
            while received[-1][0] != "gap":
                received.append(await subscriber.event())
            assert (await subscriber.event())[0] == current
            await Publisher(live.address).mark("behind it")
            while received[-1][1].get("label") != "behind it":
                received.append(await subscriber.event())
            assert not live.node.counters.exit(name).ended


async def _message(socket: RawSocket) -> dict[str, Any]:
    """Return the next message. Each ping is answered when it is read, not earlier."""
    while (frame := await socket.receive()).opcode == PING:
        await socket.send_frame(PONG, frame.payload)
    message: dict[str, Any] = orjson.loads(frame.text)
    return message


@pytest.mark.parametrize("target", [f"/api/v1/ws?boardId={BOARD}", "/api/v1/ws/dashboard"])
async def test_slow_socket_that_answers_each_ping_it_reads_is_not_closed(target: str, beat: Beat) -> None:
    numbers = list(range(_CARDS))
    async with live_server(ping_seconds=0.2, **_SETTINGS) as live, deadline(_WAIT_UNITS):
        await make_boards(live.address)
        async with _slow(live) as connection:
            socket = await RawSocket.handshake(connection, target)
            assert (await _message(socket))["type"] == "hello"
            connection.read_slowly(beat, _BYTES_EACH_BEAT)
            for number in numbers:
                label = f"{number} {_DESCRIPTION}"
                await Publisher(live.address).publish(event("agent.registered", {"agent": "A", "label": label}))
            found: list[int] = []
            while len(found) < len(numbers):
                message = await _message(socket)
                if message["type"] == "agent_registered":
                    found.append(int(message["payload"]["label"].partition(" ")[0]))
            assert found == numbers


async def test_slow_socket_is_heard_while_it_has_much_to_take(beat: Beat) -> None:
    """Its pings count as activity, although the data for it leaves no room for pongs."""
    settings = {**_SETTINGS, "heartbeat_timeout_seconds": 2.0}
    async with live_server(**settings) as live, deadline(_WAIT_UNITS):
        await make_boards(live.address)
        async with _slow(live) as connection:
            socket = await RawSocket.handshake(connection, f"/api/v1/ws?boardId={BOARD}")
            assert [(await _message(socket))["type"] for _ in range(2)] == ["hello", "state"]
            connection.read_slowly(beat, _BYTES_EACH_BEAT)
            async with anyio.create_task_group() as group:
                group.start_soon(_ping_always, live.address, socket)
                for _ in range(2):
                    await Publisher(live.address).publish(_large_state("large"))
                types: set[str] = set()
                while "state" not in types:
                    types.add((await _message(socket))["type"])
                await Publisher(live.address).mark("behind it")
                while "agent_registered" not in types:
                    types.add((await _message(socket))["type"])
                group.cancel_scope.cancel()
            assert types == {"state", "pong", "agent_registered"}


async def _ping_always(address: Address, socket: RawSocket) -> None:
    while True:
        await exchange(address, "GET", "/api/v1/healthz")
        await socket.send_json({"type": "ping"})


async def test_goodbye_and_close_reach_a_slow_socket(beat: Beat) -> None:
    async with live_server(shutdown_grace_seconds=60, **_SETTINGS) as live, deadline(_WAIT_UNITS):
        await make_boards(live.address)
        async with _slow(live) as connection:
            socket = await RawSocket.handshake(connection, f"/api/v1/ws?boardId={BOARD}")
            assert [(await _message(socket))["type"] for _ in range(2)] == ["hello", "state"]
            connection.read_slowly(beat, _BYTES_EACH_BEAT)
            await Publisher(live.address).publish(_large_state("large"))
            await live.node.lifetimes.drain(0)
            assert [(await _message(socket))["type"] for _ in range(2)] == ["state", "goodbye"]
            frame = await socket.receive()
            assert (frame.opcode, frame.close[0]) == (CLOSE, 1012)
            assert live.node.counters.exit("board-ws").ended == {"server_shutdown": 1}


_GET_STATE = request_bytes("GET", f"/api/v1/boards/{BOARD}", [("Host", "127.0.0.1"), ("Connection", "close")])


async def test_slow_client_of_a_large_answer_gets_it_whole(beat: Beat) -> None:
    async with live_server(**_SETTINGS) as live, deadline(_WAIT_UNITS):
        await make_boards(live.address)
        await Publisher(live.address).publish(_large_state("large"))
        async with _slow(live) as connection:
            connection.read_slowly(beat, _BYTES_EACH_BEAT)
            await connection.send(_GET_STATE)
            head = await connection.read_head()
            body = orjson.loads(await connection.read_body(head))
        assert len(body["state"]["cards"]) == _CARDS


async def test_slow_client_of_large_graphql_answers_gets_them_all(beat: Beat) -> None:
    answers = 5  # more than the kernel buffers for a client
    query = f'{{ board(boardId: "{BOARD}") {{ cards {{ description }} }} }}'
    async with live_server(**_SETTINGS) as live, deadline(_WAIT_UNITS):
        await make_boards(live.address)
        await Publisher(live.address).publish(_large_state("large"))
        async with _slow(live) as connection:
            connection.read_slowly(beat, _BYTES_EACH_BEAT)
            target = "/graphql?" + urlencode({"query": query})
            headers = [("Host", "127.0.0.1"), ("Accept", "application/json")]
            for _ in range(answers):  # at once: each answer waits for the previous one
                await connection.send(request_bytes("GET", target, headers))
            for _ in range(answers):
                head = await connection.read_head()
                body = orjson.loads(await connection.read_body(head))
                assert len(body["data"]["board"]["cards"]) == _CARDS


async def test_client_that_takes_nothing_of_a_large_answer_is_cut(beat: Beat) -> None:
    async with live_server(**_SETTINGS) as live, deadline(_WAIT_UNITS):
        await make_boards(live.address)
        for _ in range(3):
            await Publisher(live.address).publish(_large_state("large"))
        before = holdings(live.node)
        async with _slow(live) as connection:
            for _ in range(4):
                await connection.send(_GET_STATE.replace(b"Connection: close", b"Connection: keep-alive"))
            await check_settled(live.node, before, clients=1)
