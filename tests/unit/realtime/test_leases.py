"""Leases: every connection is told that it ends, whether it has readers or not, and each in its own time."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack

import anyio
import pytest

from realtime import leases as module
from realtime.errors import Draining, LifetimeReached, StreamEnded
from realtime.leases import Farewell, Lease, Leases
from realtime.subscriber import Subscriber
from tests.kit.deadline import deadline

_FAREWELL = Farewell(Draining("the server stops"), 250)


async def _goodbye(reader: Subscriber) -> tuple[str, int, type[Exception]]:
    """Return reason and hint of the goodbye that is the last a reader gets, and what ends it."""
    async with deadline(5):
        last = await reader.get()
        assert (last.type, isinstance(last.payload, dict)) == ("goodbye", True)
        with pytest.raises(StreamEnded) as ended:
            await reader.get()
    assert isinstance(last.payload, dict)
    return last.payload["reason"], last.payload["reconnectAfterMs"], ended.type


async def test_end_of_a_lease_is_told_to_its_readers_and_to_later_ones() -> None:
    lease, early, late, gone = Lease(), Subscriber(5), Subscriber(5), Subscriber(5)
    lease.add(gone)
    lease.remove(gone)
    lease.add(early)
    lease.end(_FAREWELL)
    lease.end(Farewell(LifetimeReached("too late"), 1))
    lease.add(late)
    for reader in (early, late):
        assert await _goodbye(reader) == ("server_shutdown", 250, Draining)
    assert len(gone) == 0
    assert await lease.ended() is _FAREWELL


async def test_connection_without_a_reader_learns_of_its_end() -> None:
    leases = Leases()
    with leases.open() as lease:
        waiting = asyncio.create_task(lease.ended())
        await anyio.wait_all_tasks_blocked()
        assert not waiting.done()
        async with deadline(5):
            await leases.drain(0)
            assert isinstance((await waiting).reason, Draining)


async def test_watcher_is_told_of_the_end_before_it_and_behind_it() -> None:
    lease = Lease()
    told: list[tuple[str, Farewell]] = []
    lease.watch(lambda farewell: told.append(("nobody any more", farewell)))
    lease.watch(None)
    lease.watch(lambda farewell: told.append(("early", farewell)))
    lease.end(_FAREWELL)
    lease.end(_FAREWELL)
    lease.watch(lambda farewell: told.append(("late", farewell)))
    assert told == [("early", _FAREWELL), ("late", _FAREWELL)]


async def test_drained_readers_get_a_goodbye_of_their_own() -> None:
    leases, readers = Leases(), [Subscriber(5) for _ in range(2 * module.BATCH)]
    with ExitStack() as stack:
        for reader in readers:
            stack.enter_context(leases.reading(reader))
        await leases.drain(0)
        told = [await _goodbye(reader) for reader in readers]
    assert {(reason, kind) for reason, _, kind in told} == {("server_shutdown", Draining)}
    hints = {hint for _, hint, _ in told}
    assert len(hints) > module.BATCH
    assert min(hints) >= module.RECONNECT_MS[0]
    assert max(hints) <= module.RECONNECT_MS[1]


async def test_hints_spread_further_with_more_readers_and_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RECONNECT_MS_EACH", 10_000)
    monkeypatch.setattr(module, "MAX_RECONNECT_MS", 40_000)
    hints = []
    for count in (3, 300):
        leases, readers = Leases(), [Subscriber(5) for _ in range(count)]
        with ExitStack() as stack:
            for reader in readers:
                stack.enter_context(leases.reading(reader))
            await leases.drain(0)
            hints.append([(await _goodbye(reader))[1] for reader in readers])
    few, many = hints
    assert max(few) <= 30_000
    assert 30_000 < max(many) <= 40_000  # not one of 300 in the last quarter: once in 10^37 runs


async def test_goodbyes_go_out_in_batches_between_which_others_have_their_turn() -> None:
    leases, readers = Leases(), [Subscriber(5) for _ in range(3 * module.BATCH)]
    with ExitStack() as stack:
        for reader in readers:
            stack.enter_context(leases.reading(reader))
        draining = asyncio.create_task(leases.drain(0))
        seen = set()
        while not draining.done():
            seen.add(sum(len(reader) for reader in readers))
            await asyncio.sleep(0)
        await draining
    assert {0, module.BATCH, 2 * module.BATCH} <= seen


async def test_many_goodbyes_are_spread_over_the_time_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE_SECONDS", 3600.0)
    leases, readers = Leases(), [Subscriber(5) for _ in range(4 * module.BATCH)]
    loop = asyncio.get_running_loop()
    with ExitStack() as stack:
        for reader in readers:
            stack.enter_context(leases.reading(reader))
        began = loop.time()
        async with deadline(5):
            await leases.drain(0.2)
        assert loop.time() - began >= 0.1  # the last of four begins after three quarters


async def test_who_comes_while_it_drains_is_ended_at_once() -> None:
    leases, reader = Leases(), Subscriber(5)
    await leases.drain(60)
    with leases.open() as lease, leases.reading(reader, lease):
        assert (await _goodbye(reader))[0] == "server_shutdown"
        async with deadline(5):
            await lease.ended()


async def test_leases_are_vacated_when_connections_and_readers_have_left() -> None:
    leases, lease = Leases(), Lease()
    async with deadline(5):
        await leases.vacated()
        with leases.reading(Subscriber(5), lease), leases.reading(Subscriber(5), lease):
            assert len(leases) == 1
            with leases.open(lease):
                pass
            waiting = asyncio.create_task(leases.vacated())
            await anyio.wait_all_tasks_blocked()
            assert not waiting.done()
        await waiting
    assert len(leases) == 0


async def test_connection_ends_when_its_lifetime_is_reached_and_not_its_readers() -> None:
    leases, reader = Leases(0.2), Subscriber(5)
    loop = asyncio.get_running_loop()
    began = loop.time()
    with leases.open() as lease:
        async with deadline(5):
            await lease.ended()
        assert loop.time() - began >= 0.18
        with leases.reading(reader, lease):  # comes when the connection is at its end
            reason, hint, kind = await _goodbye(reader)
    assert (reason, kind) == ("connection_lifetime", LifetimeReached)
    assert module.LIFETIME_RECONNECT_MS[0] <= hint <= module.LIFETIME_RECONNECT_MS[1]


async def test_lifetimes_that_begin_together_do_not_end_together() -> None:
    leases, loop = Leases(0.5), asyncio.get_running_loop()
    began, ends = loop.time(), []
    with ExitStack() as stack:
        async with deadline(5):
            for ended in asyncio.as_completed([stack.enter_context(leases.open()).ended() for _ in range(50)]):
                await ended
                ends.append(loop.time() - began)
    assert min(ends) >= 0.45
    assert max(ends) - min(ends) > 0.02
