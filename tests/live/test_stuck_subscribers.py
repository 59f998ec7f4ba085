"""Two hundred subscribers on every exit that stop reading: their cost is bounded, and the server cuts them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import cycle, islice
from pathlib import Path

import anyio
import pytest

from tests.kit.deadline import deadline
from tests.kit.publishing import Publisher, event
from tests.kit.raw_http import Address, connect
from tests.kit.recordings import Json
from tests.live.boards import BOARD, TODO, make_boards
from tests.live.command import Process, running
from tests.live.exits import EXITS, ExitSubscriber, open_exit
from tests.live.scrape import key, samples

_OF_EACH = 23
_SUBSCRIBERS = _OF_EACH * len(EXITS)
_OPENERS = 16
#: The kernel's receive buffer of a subscriber that does not read.
_RECEIVE_BUFFER = 4096
_STATE_BYTES = 64 * 1024
_LABEL_BYTES = 32 * 1024
_QUEUED_BYTES = 512 * 1024
#: Changes of the state per round, each with an agent event: far more than is needed to block a subscriber.
_CHANGES = 64
_FLAGS = (
    *("--send-timeout-seconds", "3", "--ping-seconds", "600"),
    *("--max-queued-bytes", str(_QUEUED_BYTES)),
)
#: Freed memory returns to the system at once. Otherwise much of it would stay with the allocator.
_ALLOCATOR = {"MALLOC_MMAP_THRESHOLD_": "16384", "MALLOC_TRIM_THRESHOLD_": "65536"}
_WAIT_UNITS = 60
#: uvicorn's high-water mark; above it a send waits.
_HIGH_WATER_BYTES = 64 * 1024
#: The most that one blocked subscriber may cost. Its transport is filled to its mark, and the last message exceeds it.
#: One more message waits to be written, as text and as bytes. The rest are the objects and tasks of a connection. All
#: subscribers share queued envelopes, which have their own bound.
_EACH_BYTES = _HIGH_WATER_BYTES + 3 * _STATE_BYTES + 100 * 1024
_ALL_BYTES = _SUBSCRIBERS * _EACH_BYTES + 4 * _QUEUED_BYTES


def _change(number: int) -> list[Json]:
    card = {"id": "one", "title": str(number), "description": "x" * _STATE_BYTES}
    column = {"id": TODO, "title": "Backlog", "cardIds": ["one"]}
    state = {"columns": {TODO: column}, "columnOrder": [TODO], "cards": {"one": card}}
    label = f"{number} {'x' * _LABEL_BYTES}"
    return [
        event("board.state.changed", {"boardId": BOARD, "state": state}),
        event("agent.registered", {"agent": "A", "label": label}),
    ]


@asynccontextmanager
async def _stuck_subscribers(address: Address) -> AsyncIterator[None]:
    """Open subscribers, distributed over all exits, and read only their first events."""
    names = islice(cycle(EXITS), _SUBSCRIBERS)
    async with AsyncExitStack() as stack:

        async def open_next() -> None:
            for name in names:
                await open_exit(name, await stack.enter_async_context(connect(address, _RECEIVE_BUFFER)))

        async with anyio.create_task_group() as group:
            for _ in range(_OPENERS):
                group.start_soon(open_next)
        yield


async def _read_all(subscriber: ExitSubscriber, numbers: range) -> None:
    """Read up to the last change. Every agent event must come, and the last state must be the final one."""
    labels: list[int] = []
    title = None
    while len(labels) < len(numbers) or title != str(numbers[-1]):
        type_, payload = await subscriber.event()
        if type_ == "agent_registered":
            labels.append(int(payload["label"].partition(" ")[0]))
        else:
            assert type_ == "state", type_
            title = payload["cards"]["one"]["title"]
    assert labels == list(numbers)


async def _round(server: Process, bystander: ExitSubscriber, begin: int) -> int:
    """Let all subscribers block while another one reads, until they are cut; return the highest resident memory."""
    numbers = range(begin, begin + _CHANGES)
    resident = [0]
    async with _stuck_subscribers(server.address):
        async with anyio.create_task_group() as group:
            group.start_soon(_read_all, bystander, numbers)
            for number in numbers:
                await Publisher(server.address).publish(*_change(number))
                resident.append(server.resident_bytes)
        cut = {name: float(_OF_EACH * (1 + begin // _CHANGES)) for name in EXITS}
        while await _cut(server.address) != cut:
            resident.append(server.resident_bytes)
    return max(resident)


async def _cut(address: Address) -> dict[str, float]:
    now = await samples(address)
    return {name: now.get(key("readers_ended_total", exit=name, reason="send_timeout"), 0.0) for name in EXITS}


@pytest.mark.timeout(300)
async def test_two_hundred_stuck_subscribers_cost_bounded_memory_and_are_cut(tmp_path: Path) -> None:
    process = running(tmp_path, *_FLAGS, env=_ALLOCATOR)
    async with process as server, connect(server.address) as connection, deadline(_WAIT_UNITS):
        await make_boards(server.address)
        bystander = await open_exit("board-ws", connection)
        before = server.resident_bytes
        first = await _round(server, bystander, 0)
        between = server.resident_bytes
        second = await _round(server, bystander, _CHANGES)
        now = await samples(server.address)
    assert first - before <= _ALL_BYTES, f"{before} before, {first} with all stuck"
    assert between - before <= _ALL_BYTES // 2, f"{before} before, {between} when all were cut"
    assert second - first <= _ALL_BYTES // 4, f"{first} the first time, {second} the second"
    assert {labels: value for (name, labels), value in now.items() if name == "boardcast_readers"} == {
        frozenset({("exit", "board-ws")}): 1.0
    }
