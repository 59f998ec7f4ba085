"""Writer priority: a deferred pass runs after the unit, after a moment, or at once if nothing is written."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import anyio.lowlevel

from realtime.fanout.broadcast_queue import TURN_SUBSCRIBERS, BroadcastQueue
from realtime.fanout.subscriber import Subscriber
from realtime.fanout.writer_priority import WriterPriority
from realtime.messages.batches import Batch
from tests.kit.deadline import deadline
from tests.kit.plain_envelopes import plain


async def _turns(count: int) -> None:
    for _ in range(count):
        await anyio.lowlevel.checkpoint()


async def test_free_way_is_given_in_the_next_turn() -> None:
    priority, turns = WriterPriority(), list[str]()
    priority.call_when_free(lambda: turns.append("queue"))
    assert turns == []
    await _turns(1)
    assert turns == ["queue"]


async def test_broadcast_queue_waits_for_what_is_being_written() -> None:
    priority, turns = WriterPriority(), list[str]()
    with priority.taken():
        priority.call_when_free(lambda: turns.append("queue"))
        await _turns(1)
        turns.append("written")
    await _turns(2)
    assert turns == ["written", "queue"]


async def _outlast_deferral(priority: WriterPriority) -> None:
    gone_on = asyncio.Event()
    priority.call_when_free(gone_on.set)
    async with deadline(5):
        await gone_on.wait()


async def test_broadcast_queue_waits_a_moment_and_then_for_nothing_more_of_a_long_unit() -> None:
    priority, turns = WriterPriority(), list[str]()
    with priority.taken():
        await _outlast_deferral(priority)
        priority.call_when_free(lambda: turns.append("queue"))
        await _turns(1)
        assert turns == ["queue"]


async def test_the_next_unit_is_waited_for_again() -> None:
    priority, turns = WriterPriority(), list[str]()
    with priority.taken():
        await _outlast_deferral(priority)
    with priority.taken():
        priority.call_when_free(lambda: turns.append("queue"))
        await _turns(1)
        assert turns == []


async def test_broadcast_queue_has_a_turn_with_each_of_many_units_that_wait_for_each_other() -> None:
    priority, turns, loop = WriterPriority(), 0, asyncio.get_running_loop()

    def queue() -> None:
        nonlocal turns
        turns += 1
        priority.call_when_free(queue)

    async def unit(before: asyncio.Future[None], written: asyncio.Future[None]) -> None:
        with priority.taken():
            await before
        written.set_result(None)
        await _turns(2)

    places = [loop.create_future() for _ in range(11)]
    units = [asyncio.create_task(unit(*pair)) for pair in pairwise(places)]
    await _turns(1)
    priority.call_when_free(queue)
    places[0].set_result(None)
    async with deadline(5):
        await asyncio.gather(*units)
    assert turns >= 10


async def test_many_subscribers_get_everything_after_the_write() -> None:
    priority = WriterPriority()
    queue = BroadcastQueue(priority)
    subscribers = [Subscriber(10) for _ in range(3 * TURN_SUBSCRIBERS)]
    for subscriber in subscribers:
        queue.add(subscriber)
    with priority.taken():
        queue.publish(Batch([plain("one", {}, "c-1")]))
        await _turns(1)
        delivered = sum(len(subscriber) for subscriber in subscribers)
        queue.publish(Batch([plain("two", {}, "c-2")]))
    assert delivered == TURN_SUBSCRIBERS
    async with deadline(5):
        while queue.is_under_way:
            await _turns(1)
    assert {len(subscriber) for subscriber in subscribers} == {2}
