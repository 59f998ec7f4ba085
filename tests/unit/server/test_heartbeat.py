"""The heartbeat: it ends the wait for a client that says nothing, and is put off by what it says."""

from __future__ import annotations

import asyncio

import pytest

from server.alarms import alarms
from server.heartbeat import Heartbeat, HeartbeatOverdue
from server.protocol.kanban_conversation import Conversation
from tests.kit.deadline import deadline

_SECONDS = 0.02


def _now() -> float:
    return asyncio.get_running_loop().time()


async def test_wait_ends_when_the_deadline_has_come() -> None:
    conversation = Conversation(_now(), _SECONDS)
    heartbeat = Heartbeat(conversation)
    async with deadline(5):
        with pytest.raises(HeartbeatOverdue), heartbeat:
            await asyncio.Event().wait()
    assert _now() >= conversation.deadline
    assert len(alarms()) == 0


async def test_what_is_said_puts_it_off() -> None:
    conversation = Conversation(_now(), _SECONDS)
    first = conversation.deadline
    heartbeat = Heartbeat(conversation)
    with heartbeat:
        await asyncio.sleep(0)
    conversation.receive("{}", first + _SECONDS)  # as if it came later, for it is the deadline that counts
    async with deadline(5):
        with pytest.raises(HeartbeatOverdue), heartbeat:
            await asyncio.Event().wait()
    assert _now() >= first + 2 * _SECONDS


async def test_deadline_that_passes_between_two_waits_ends_the_second() -> None:
    heartbeat = Heartbeat(Conversation(_now() - 1, _SECONDS))
    with pytest.raises(HeartbeatOverdue), heartbeat:
        pytest.fail("the wait began")
    heartbeat.close()


async def test_closed_one_has_no_alarm() -> None:
    heartbeat = Heartbeat(Conversation(_now(), 100.0))
    assert len(alarms()) == 1
    heartbeat.close()
    assert len(alarms()) == 0
