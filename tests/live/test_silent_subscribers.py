"""Subscribers that stop reading without leaving: the server cuts them, nothing of them stays, and nobody waits."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import anyio
import pytest

from server.connection import websocket_keepalive
from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer, live_server
from tests.kit.publishing import Publisher, event
from tests.kit.raw_http import connect
from tests.kit.write_path import WAYS
from tests.live.boards import make_boards
from tests.live.exits import EXITS, Ended, ExitSubscriber, open_exit
from tests.live.leftovers import Holdings, check_settled, holdings

pytestmark = pytest.mark.usefixtures("clean_log")

#: The kernel's receive buffer of a silent subscriber. It is small, so that few events fill it.
_RECEIVE_BUFFER = 4096
_LABEL = "x" * 20_000
_BATCH = 10
#: Batches that overfill the kernel's buffers, uvicorn's, and a small queue.
_BATCHES = 60
_WAIT_UNITS = 30

_Tested = Callable[[LiveServer, Holdings], Coroutine[Any, Any, None]]


async def _flood(live: LiveServer) -> None:
    publisher = Publisher(live.address)
    for number in range(_BATCHES):
        labels = [f"{number * _BATCH + place} {_LABEL}" for place in range(_BATCH)]
        await publisher.publish(*(event("agent.registered", {"agent": "A", "label": label}) for label in labels))


async def _read_numbers(subscriber: ExitSubscriber, count: int) -> list[int]:
    found: list[int] = []
    while len(found) < count:
        type_, payload = await subscriber.event()
        if type_ == "agent_registered":
            found.append(int(payload["label"].partition(" ")[0]))
    return found


@asynccontextmanager
async def _silent_subscriber(live: LiveServer, *names: str) -> AsyncIterator[None]:
    """Open exits and read only their first events."""
    async with AsyncExitStack() as stack:
        for name in names:
            await open_exit(name, await stack.enter_async_context(connect(live.address, _RECEIVE_BUFFER)))
        yield


async def _check_bystander_reads_all(live: LiveServer, silent: tuple[str, ...], until: _Tested) -> None:
    """Flood the silent subscribers and an active one. The active one must get everything in order."""
    async with connect(live.address) as connection, deadline(_WAIT_UNITS):
        bystander = await open_exit("board-ws", connection)
        before = holdings(live.node)
        async with _silent_subscriber(live, *silent):
            async with anyio.create_task_group() as group:
                group.start_soon(_flood, live)
                numbers = await _read_numbers(bystander, _BATCHES * _BATCH)
            await until(live, before)
        assert numbers == list(range(_BATCHES * _BATCH))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", EXITS)
async def test_subscriber_that_takes_nothing_is_cut_after_the_send_timeout(name: str, way: str) -> None:
    async def cut(live: LiveServer, before: Holdings) -> None:
        await check_settled(live.node, before, clients=1)
        assert live.node.counters.exit(name).ended == {"send_timeout": 1}

    async with live_server(send_timeout_seconds=0.3, direct_writes=WAYS[way]) as live:
        await make_boards(live.address)
        await _check_bystander_reads_all(live, (name,), cut)


@pytest.mark.parametrize("name", [name for name in EXITS if name.endswith("ws")])
async def test_socket_that_answers_no_ping_is_closed(name: str) -> None:
    async with live_server(ping_seconds=0.2) as live:
        await make_boards(live.address)
        before = holdings(live.node)
        async with connect(live.address) as connection, deadline(_WAIT_UNITS):
            with pytest.raises(Ended) as ended:
                await (await open_exit(name, connection)).event()
            assert ended.value.word == 1011
            await connection.read_to_end()
            await check_settled(live.node, before, clients=1)
            assert live.node.counters.exit(name).ended == {"ping_timeout": 1}


async def test_socket_that_takes_neither_ping_nor_close_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket_keepalive, "CLOSE_SECONDS", 0.2)
    async with live_server(ping_seconds=1) as live:
        await make_boards(live.address)
        before = holdings(live.node)
        async with _silent_subscriber(live, "board-ws"), deadline(_WAIT_UNITS):
            await _flood(live)
            await check_settled(live.node, before, clients=1)
