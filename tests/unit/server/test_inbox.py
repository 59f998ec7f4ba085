"""The inbox of a WebSocket: messages in order, and one task that waits for them."""

from __future__ import annotations

import asyncio

import anyio

from server.connection.inbox import Inbox
from tests.kit.deadline import deadline


async def _next(inbox: Inbox) -> object:
    while inbox.empty():
        await inbox.filled()
    return inbox.get_nowait()


async def test_messages_come_in_the_order_they_were_put() -> None:
    inbox = Inbox()
    assert inbox.empty()
    for number in range(3):
        inbox.put_nowait(number)
    assert not inbox.empty()
    async with deadline(5):
        assert [await _next(inbox) for _ in range(3)] == [0, 1, 2]
    assert inbox.empty()


async def test_waiter_gets_the_next_and_one_that_left_takes_none() -> None:
    inbox = Inbox()
    leaving = asyncio.create_task(_next(inbox))
    await anyio.wait_all_tasks_blocked()
    leaving.cancel()
    await asyncio.wait([leaving])
    waiting = asyncio.create_task(_next(inbox))
    await anyio.wait_all_tasks_blocked()
    inbox.put_nowait("a")
    async with deadline(5):
        assert await waiting == "a"
