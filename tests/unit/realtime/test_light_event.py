"""`LightEvent` behaves like `asyncio.Event`, for one waiting task and for many."""

from __future__ import annotations

import asyncio

import anyio

from realtime.fanout.light_event import LightEvent
from tests.kit.deadline import deadline


async def test_open_gate_lets_through_at_once() -> None:
    event = LightEvent()
    assert not event.is_set()
    event.set()
    async with deadline(5):
        assert event.is_set()
        assert await event.wait()


async def test_all_who_wait_go_on_even_if_it_is_closed_again() -> None:
    event = LightEvent()
    tasks = [asyncio.create_task(event.wait()) for _ in range(3)]
    await anyio.wait_all_tasks_blocked()
    event.set()
    event.clear()
    async with deadline(5):
        assert await asyncio.gather(*tasks) == [True] * 3
    late = asyncio.create_task(event.wait())
    await anyio.wait_all_tasks_blocked()
    assert not late.done()
    event.set()
    async with deadline(5):
        assert await late


async def test_one_who_is_cancelled_leaves_the_others_waiting() -> None:
    event = LightEvent()
    leaving, staying = (asyncio.create_task(event.wait()) for _ in range(2))
    await anyio.wait_all_tasks_blocked()
    leaving.cancel()
    await asyncio.wait([leaving])
    assert leaving.cancelled()
    event.set()
    async with deadline(5):
        assert await staying
