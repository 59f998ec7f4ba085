"""The idle timeout ends the wait for a silent client, and each message of the client postpones it."""

from __future__ import annotations

import asyncio

import pytest

from server.concurrency.coalesced_timer import coalesced_timers
from server.protocol.kanban_protocol import KanbanProtocol
from server.transports.idle_timeout import IdleTimeout, IdleTimeoutReached
from tests.kit.deadline import deadline

_SECONDS = 0.02


def _now() -> float:
    return asyncio.get_running_loop().time()


async def test_wait_ends_when_the_deadline_has_come() -> None:
    protocol = KanbanProtocol(_now(), _SECONDS)
    timeout = IdleTimeout(protocol)
    async with deadline(5):
        with pytest.raises(IdleTimeoutReached), timeout:
            await asyncio.Event().wait()
    assert _now() >= protocol.deadline
    assert len(coalesced_timers()) == 0


async def test_message_postpones_the_deadline() -> None:
    protocol = KanbanProtocol(_now(), _SECONDS)
    first = protocol.deadline
    timeout = IdleTimeout(protocol)
    with timeout:
        await asyncio.sleep(0)
    protocol.receive("{}", first + _SECONDS)  # as if it came later, because the deadline counts
    async with deadline(5):
        with pytest.raises(IdleTimeoutReached), timeout:
            await asyncio.Event().wait()
    assert _now() >= first + 2 * _SECONDS


async def test_deadline_that_passes_between_two_waits_ends_the_second() -> None:
    timeout = IdleTimeout(KanbanProtocol(_now() - 1, _SECONDS))
    with pytest.raises(IdleTimeoutReached), timeout:
        pytest.fail("the wait began")
    timeout.close()


async def test_closed_timeout_has_no_timer() -> None:
    timeout = IdleTimeout(KanbanProtocol(_now(), 100.0))
    assert len(coalesced_timers()) == 1
    timeout.close()
    assert len(coalesced_timers()) == 0
