"""Faults between nodes: a broker that is killed, silent or not there, and a node that sleeps or dies."""

from __future__ import annotations

import asyncio
import signal

import anyio.lowlevel
import pytest

from tests.kit.deadline import deadline
from tests.kit.raw_http import Address, exchange
from tests.kit.redis_server import RedisServer
from tests.live.nodes.conftest import Nodes
from tests.live.nodes.readers import EXITS, Reader, reading, write_lines

LINES = 6


async def _assert_all_have(readers: list[Reader], lines: list[str]) -> None:
    for reader in readers:
        await reader.has(lines)
        assert reader.gaps == []
        assert sorted(message for _, message in reader.lines) == sorted(lines)
    assert len({tuple(reader.lines) for reader in readers}) == 1


async def _ready(address: Address, status: int) -> None:
    while (await exchange(address, "GET", "/api/v1/readyz")).status != status:
        await anyio.lowlevel.checkpoint()


async def test_without_any_broker_events_come_late_and_in_order(nodes: Nodes) -> None:
    async with (
        nodes("--broker-url", "memory://") as (one, other),
        deadline(60),
        reading(one.address, other.address) as readers,
    ):
        written = await asyncio.gather(*(write_lines(node.address, f"{node.pid}", LINES) for node in (one, other)))
        await _assert_all_have(readers, [message for some in written for message in some])


@pytest.mark.parametrize("fault", ["killed", "paused"])
async def test_redis_that_is_away_is_named_and_nothing_is_lost(nodes: Nodes, redis: RedisServer, fault: str) -> None:
    async with (
        nodes("--broker-url", redis.url) as (one, other),
        deadline(90),
        reading(one.address, other.address) as readers,
    ):
        lines = await write_lines(one.address, "before", LINES)
        for node in (one, other):
            await _ready(node.address, 200)
        (redis.kill if fault == "killed" else redis.pause)()
        lines += await write_lines(other.address, "away", LINES)
        await _assert_all_have(readers, lines)
        await _ready(one.address, 503)
        assert b"broker: " in (await exchange(one.address, "GET", "/api/v1/readyz")).body
        (redis.start if fault == "killed" else redis.resume)()
        for node in (one, other):
            await _ready(node.address, 200)
        lines += await write_lines(one.address, "back", LINES)
        await _assert_all_have(readers, lines)


async def test_node_that_was_paused_has_everything_when_it_goes_on(nodes: Nodes) -> None:
    async with nodes() as (one, other), deadline(90), reading(one.address, other.address) as readers:
        of_one, of_other = readers[: len(EXITS)], readers[len(EXITS) :]
        lines = await write_lines(other.address, "before", LINES)
        await _assert_all_have(readers, lines)
        other.send_signal(signal.SIGSTOP)
        try:
            # Without what a paused node has sent before, which is still in its sockets.
            lines += await write_lines(one.address, "meanwhile", LINES)
            await _assert_all_have(of_one, lines)
        finally:
            other.send_signal(signal.SIGCONT)
        await _assert_all_have(of_other, lines)
        lines += await write_lines(other.address, "after", LINES)
        await _assert_all_have(readers, lines)


async def test_node_that_is_killed_takes_nothing_with_it(nodes: Nodes) -> None:
    async with nodes() as (one, other), deadline(90), reading(one.address) as readers:
        lines = await write_lines(other.address, "before", LINES)
        other.send_signal(signal.SIGKILL)
        lines += await write_lines(one.address, "after", LINES)
        await _assert_all_have(readers, lines)
