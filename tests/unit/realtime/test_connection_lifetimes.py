"""Every connection learns of its end, with or without subscribers, and each at its own time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import ExitStack

import anyio
import pytest

from realtime.errors import Draining, LifetimeReached, StreamEnded
from realtime.fanout import connection_lifetimes as module
from realtime.fanout.connection_lifetimes import ConnectionLifetime, ConnectionLifetimes, Goodbye
from realtime.fanout.subscriber import Subscriber
from realtime.messages import payloads
from tests.kit.deadline import deadline

_GOODBYE = Goodbye(Draining("the server stops"), 250)


async def _goodbye(reader: Subscriber) -> tuple[str, int, type[Exception]]:
    """Return reason and reconnect delay of the goodbye, which must be the last envelope, and the exception after it."""
    async with deadline(5):
        last = await reader.get()
        assert isinstance(last.payload, payloads.Goodbye)
        with pytest.raises(StreamEnded) as ended:
            await reader.get()
    return last.payload.reason, last.payload.reconnect_after_ms, ended.type


async def test_end_of_a_lifetime_reaches_its_readers_and_later_ones() -> None:
    lifetime, early, late, gone = ConnectionLifetime(), Subscriber(5), Subscriber(5), Subscriber(5)
    lifetime.add(gone)
    lifetime.remove(gone)
    lifetime.add(early)
    lifetime.end(_GOODBYE)
    lifetime.end(Goodbye(LifetimeReached("too late"), 1))
    lifetime.add(late)
    for reader in (early, late):
        assert await _goodbye(reader) == ("server_shutdown", 250, Draining)
    assert len(gone) == 0
    assert await lifetime.ended() is _GOODBYE


async def test_connection_without_a_reader_learns_of_its_end() -> None:
    lifetimes = ConnectionLifetimes()
    with lifetimes.open() as lifetime:
        waiting = asyncio.create_task(lifetime.ended())
        await anyio.wait_all_tasks_blocked()
        assert not waiting.done()
        async with deadline(5):
            await lifetimes.drain(0)
            assert isinstance((await waiting).reason, Draining)


async def test_watcher_learns_of_the_end_before_and_after_it() -> None:
    lifetime = ConnectionLifetime()
    received: list[tuple[str, Goodbye]] = []
    lifetime.watch(lambda goodbye: received.append(("nobody any more", goodbye)))
    lifetime.watch(None)
    lifetime.watch(lambda goodbye: received.append(("early", goodbye)))
    lifetime.end(_GOODBYE)
    lifetime.end(_GOODBYE)
    lifetime.watch(lambda goodbye: received.append(("late", goodbye)))
    assert received == [("early", _GOODBYE), ("late", _GOODBYE)]


async def test_drained_readers_get_a_goodbye_of_their_own() -> None:
    lifetimes, readers = ConnectionLifetimes(), [Subscriber(5) for _ in range(2 * module.BATCH)]
    with ExitStack() as stack:
        for reader in readers:
            stack.enter_context(lifetimes.reading(reader))
        await lifetimes.drain(0)
        received = [await _goodbye(reader) for reader in readers]
    assert {(reason, kind) for reason, _, kind in received} == {("server_shutdown", Draining)}
    hints = {hint for _, hint, _ in received}
    assert len(hints) > module.BATCH
    assert min(hints) >= module.RECONNECT_MS[0]
    assert max(hints) <= module.RECONNECT_MS[1]


async def test_hints_spread_further_with_more_readers_and_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RECONNECT_MS_EACH", 10_000)
    monkeypatch.setattr(module, "MAX_RECONNECT_MS", 40_000)
    hints = []
    for count in (3, 300):
        lifetimes, readers = ConnectionLifetimes(), [Subscriber(5) for _ in range(count)]
        with ExitStack() as stack:
            for reader in readers:
                stack.enter_context(lifetimes.reading(reader))
            await lifetimes.drain(0)
            hints.append([(await _goodbye(reader))[1] for reader in readers])
    few, many = hints
    assert max(few) <= 30_000
    assert 30_000 < max(many) <= 40_000  # none of 300 in the last quarter: once in 10^37 runs


async def test_goodbyes_go_out_in_batches_between_which_others_have_their_turn() -> None:
    lifetimes, readers = ConnectionLifetimes(), [Subscriber(5) for _ in range(3 * module.BATCH)]
    with ExitStack() as stack:
        for reader in readers:
            stack.enter_context(lifetimes.reading(reader))
        draining = asyncio.create_task(lifetimes.drain(0))
        seen = set()
        while not draining.done():
            seen.add(sum(len(reader) for reader in readers))
            await asyncio.sleep(0)
        await draining
    assert {0, module.BATCH, 2 * module.BATCH} <= seen


async def test_many_goodbyes_are_spread_over_the_time_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE_SECONDS", 3600.0)
    lifetimes, readers = ConnectionLifetimes(), [Subscriber(5) for _ in range(4 * module.BATCH)]
    loop = asyncio.get_running_loop()
    with ExitStack() as stack:
        for reader in readers:
            stack.enter_context(lifetimes.reading(reader))
        began = loop.time()
        async with deadline(5):
            await lifetimes.drain(0.2)
        assert loop.time() - began >= 0.1  # the last of four begins after three quarters


async def test_connection_during_the_drain_is_ended_at_once() -> None:
    lifetimes, reader = ConnectionLifetimes(), Subscriber(5)
    await lifetimes.drain(60)
    with lifetimes.open() as lifetime, lifetimes.reading(reader, lifetime):
        assert (await _goodbye(reader))[0] == "server_shutdown"
        async with deadline(5):
            await lifetime.ended()


async def test_lifetimes_are_vacated_when_connections_and_subscribers_have_left() -> None:
    lifetimes, lifetime = ConnectionLifetimes(), ConnectionLifetime()
    async with deadline(5):
        await lifetimes.vacated()
        with lifetimes.reading(Subscriber(5), lifetime), lifetimes.reading(Subscriber(5), lifetime):
            assert len(lifetimes) == 1
            with lifetimes.open(lifetime):
                pass
            waiting = asyncio.create_task(lifetimes.vacated())
            await anyio.wait_all_tasks_blocked()
            assert not waiting.done()
        await waiting
    assert len(lifetimes) == 0


async def test_connection_ends_when_its_lifetime_is_reached_and_not_its_readers() -> None:
    lifetimes, reader = ConnectionLifetimes(0.2), Subscriber(5)
    loop = asyncio.get_running_loop()
    began = loop.time()
    with lifetimes.open() as lifetime:
        async with deadline(5):
            await lifetime.ended()
        assert loop.time() - began >= 0.18
        with lifetimes.reading(reader, lifetime):  # subscribes after the end of the connection
            reason, hint, kind = await _goodbye(reader)
    assert (reason, kind) == ("connection_lifetime", LifetimeReached)
    assert module.LIFETIME_RECONNECT_MS[0] <= hint <= module.LIFETIME_RECONNECT_MS[1]


async def test_lifetimes_that_begin_together_do_not_end_together(monkeypatch: pytest.MonkeyPatch) -> None:
    lifetimes, loop, due = ConnectionLifetimes(500), asyncio.get_running_loop(), list[float]()

    def call_later(delay: float, callback: Callable[..., object], *args: object) -> asyncio.TimerHandle:
        due.append(delay)
        return loop.call_at(loop.time() + delay, callback, *args)

    with ExitStack() as stack, monkeypatch.context() as patch:
        patch.setattr(loop, "call_later", call_later)
        for _ in range(50):
            stack.enter_context(lifetimes.open())
    assert len(due) == 50
    assert 450 <= min(due) <= max(due) <= 500
    assert max(due) - min(due) > 20
