"""One reader's queue: bounded, never waited for, and nothing in it is lost in silence."""

from __future__ import annotations

import asyncio

import anyio
import pytest

from realtime.envelopes import Envelope
from realtime.errors import BoardGone, SubscriberTooSlow
from realtime.subscriber import Subscriber
from tests.kit.deadline import deadline


def batch(*names: str) -> list[Envelope]:
    """Make envelopes."""
    return [Envelope(name, {}) for name in names]


async def got(queue: Subscriber, count: int) -> list[str]:
    """Take so many, return their types."""
    types: list[str] = []
    async with deadline(5):
        while len(types) < count:
            types.append((await queue.get()).type)
    return types


async def test_envelopes_come_out_in_the_order_they_went_in() -> None:
    queue = Subscriber(10)
    queue.put_nowait(batch("a", "b"))
    queue.put_nowait([])
    queue.put_nowait(batch("c"))
    assert len(queue) == 3
    assert await got(queue, 3) == ["a", "b", "c"]


async def test_reader_that_waits_is_woken() -> None:
    queue = Subscriber(10)
    task = asyncio.create_task(got(queue, 2))
    await anyio.wait_all_tasks_blocked()
    queue.put_nowait(batch("a"))
    await anyio.wait_all_tasks_blocked()
    queue.put_nowait(batch("b"))
    async with deadline(5):
        assert await task == ["a", "b"]


async def test_queue_at_its_limit_is_whole_and_one_more_closes_it() -> None:
    queue = Subscriber(3)
    queue.put_nowait(batch("a", "b", "c"))
    assert len(queue) == 3
    queue.put_nowait(batch("d"))
    assert len(queue) == 0
    with pytest.raises(SubscriberTooSlow, match="more than 3"):
        await got(queue, 1)
    queue.put_nowait(batch("e"))
    with pytest.raises(SubscriberTooSlow):
        await got(queue, 1)


async def test_batch_that_does_not_fit_is_not_cut() -> None:
    queue = Subscriber(3)
    queue.put_nowait(batch("a"))
    queue.put_nowait(batch("b", "c", "d"))
    with pytest.raises(SubscriberTooSlow):
        await got(queue, 1)


async def test_room_that_was_read_free_can_be_used_again() -> None:
    queue = Subscriber(2)
    for _ in range(10):
        queue.put_nowait(batch("a", "b"))
        assert await got(queue, 2) == ["a", "b"]


async def test_overflow_wakes_the_reader_and_the_sender() -> None:
    queue = Subscriber(0)
    reader, sender = asyncio.create_task(got(queue, 1)), asyncio.create_task(queue.overflowed())
    await anyio.wait_all_tasks_blocked()
    queue.put_nowait(batch("a"))
    async with deadline(5):
        await asyncio.wait([reader, sender])
    assert isinstance(reader.exception(), SubscriberTooSlow)
    assert isinstance(sender.exception(), SubscriberTooSlow)


async def test_end_comes_behind_what_is_queued() -> None:
    queue = Subscriber(10)
    queue.put_nowait(batch("a"))
    queue.end(BoardGone("gone"))
    queue.put_nowait(batch("b"))
    queue.end(RuntimeError("too late"))
    assert await got(queue, 1) == ["a"]
    for _ in range(2):
        with pytest.raises(BoardGone):
            await got(queue, 1)


async def test_end_wakes_a_reader_that_waits() -> None:
    queue = Subscriber(10)
    task = asyncio.create_task(got(queue, 1))
    await anyio.wait_all_tasks_blocked()
    queue.end(BoardGone("gone"))
    async with deadline(5):
        await asyncio.wait([task])
    assert isinstance(task.exception(), BoardGone)


async def test_end_after_overflow_does_not_hide_it() -> None:
    queue = Subscriber(0)
    queue.put_nowait(batch("a"))
    queue.end(BoardGone("gone"))
    with pytest.raises(SubscriberTooSlow):
        await got(queue, 1)


async def test_reader_that_is_cancelled_loses_nothing() -> None:
    queue = Subscriber(10)
    task = asyncio.create_task(queue.get())
    await anyio.wait_all_tasks_blocked()
    queue.put_nowait(batch("a"))
    task.cancel()
    await asyncio.wait([task])
    assert await got(queue, 1) == ["a"]
