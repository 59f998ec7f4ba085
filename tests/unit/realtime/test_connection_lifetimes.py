"""Every connection learns of its end, with or without subscribers, and each at its own time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import ExitStack

import anyio
import pytest

from realtime.errors import Draining, GrantsReduced, LifetimeReached, StreamEnded, TokenRevoked
from realtime.fanout.subscriber import Subscriber
from realtime.kanban.grants import EVERYTHING, NOTHING, Action
from realtime.lifetimes import goodbyes, pacing
from realtime.lifetimes.connection_lifetime import ConnectionLifetime
from realtime.lifetimes.connection_lifetimes import ConnectionLifetimes
from realtime.lifetimes.credentials import Credential
from realtime.lifetimes.goodbyes import Goodbye
from realtime.messages import payloads
from tests.kit.deadline import deadline

_GOODBYE = Goodbye(Draining("the server stops"), 250)


async def _goodbye(subscriber: Subscriber) -> tuple[str, int, type[Exception]]:
    """Return reason and reconnect delay of the goodbye, which must be the last envelope, and the exception after it."""
    async with deadline(5):
        last = await subscriber.get()
        assert isinstance(last.payload, payloads.Goodbye)
        with pytest.raises(StreamEnded) as ended:
            await subscriber.get()
    return last.payload.reason, last.payload.reconnect_after_ms, ended.type


async def test_end_of_a_lifetime_reaches_its_subscribers_and_later_ones() -> None:
    lifetime, early, late, gone = ConnectionLifetime(), Subscriber(5), Subscriber(5), Subscriber(5)
    lifetime.add(gone)
    lifetime.remove(gone)
    lifetime.add(early)
    lifetime.end(_GOODBYE)
    lifetime.end(Goodbye(LifetimeReached("too late"), 1))
    lifetime.add(late)
    for subscriber in (early, late):
        assert await _goodbye(subscriber) == ("server_shutdown", 250, Draining)
    assert len(gone) == 0
    assert await lifetime.ended() is _GOODBYE


async def test_connection_without_a_subscriber_learns_of_its_end() -> None:
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


async def test_drained_subscribers_get_a_goodbye_of_their_own() -> None:
    lifetimes, subscribers = ConnectionLifetimes(), [Subscriber(5) for _ in range(2 * pacing.BATCH)]
    with ExitStack() as stack:
        for subscriber in subscribers:
            stack.enter_context(lifetimes.reading(subscriber))
        await lifetimes.drain(0)
        received = [await _goodbye(subscriber) for subscriber in subscribers]
    assert {(reason, kind) for reason, _, kind in received} == {("server_shutdown", Draining)}
    hints = {hint for _, hint, _ in received}
    assert len(hints) > pacing.BATCH
    assert min(hints) >= goodbyes.RECONNECT_MS[0]
    assert max(hints) <= goodbyes.RECONNECT_MS[1]


async def test_hints_spread_further_with_more_subscribers_and_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(goodbyes, "RECONNECT_MS_EACH", 10_000)
    monkeypatch.setattr(goodbyes, "MAX_RECONNECT_MS", 40_000)
    hints = []
    for count in (3, 300):
        lifetimes, subscribers = ConnectionLifetimes(), [Subscriber(5) for _ in range(count)]
        with ExitStack() as stack:
            for subscriber in subscribers:
                stack.enter_context(lifetimes.reading(subscriber))
            await lifetimes.drain(0)
            hints.append([(await _goodbye(subscriber))[1] for subscriber in subscribers])
    few, many = hints
    assert max(few) <= 30_000
    assert 30_000 < max(many) <= 40_000  # none of 300 in the last quarter: once in 10^37 runs


async def test_goodbyes_go_out_in_batches_between_which_others_have_their_turn() -> None:
    lifetimes, subscribers = ConnectionLifetimes(), [Subscriber(5) for _ in range(3 * pacing.BATCH)]
    with ExitStack() as stack:
        for subscriber in subscribers:
            stack.enter_context(lifetimes.reading(subscriber))
        draining = asyncio.create_task(lifetimes.drain(0))
        seen = set()
        while not draining.done():
            seen.add(sum(len(subscriber) for subscriber in subscribers))
            await asyncio.sleep(0)
        await draining
    assert {0, pacing.BATCH, 2 * pacing.BATCH} <= seen


async def test_many_goodbyes_are_spread_over_the_time_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "PAUSE_SECONDS", 3600.0)
    lifetimes, subscribers = ConnectionLifetimes(), [Subscriber(5) for _ in range(4 * pacing.BATCH)]
    loop = asyncio.get_running_loop()
    with ExitStack() as stack:
        for subscriber in subscribers:
            stack.enter_context(lifetimes.reading(subscriber))
        began = loop.time()
        async with deadline(5):
            await lifetimes.drain(0.2)
        assert loop.time() - began >= 0.1  # the last of four begins after three quarters


async def test_connection_during_the_drain_is_ended_at_once() -> None:
    lifetimes, subscriber = ConnectionLifetimes(), Subscriber(5)
    await lifetimes.drain(60)
    with lifetimes.open() as lifetime, lifetimes.reading(subscriber, lifetime):
        assert (await _goodbye(subscriber))[0] == "server_shutdown"
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


async def test_connection_ends_when_its_lifetime_is_reached_and_not_its_subscribers() -> None:
    lifetimes, subscriber = ConnectionLifetimes(0.2), Subscriber(5)
    loop = asyncio.get_running_loop()
    began = loop.time()
    with lifetimes.open() as lifetime:
        async with deadline(5):
            await lifetime.ended()
        assert loop.time() - began >= 0.18
        with lifetimes.reading(subscriber, lifetime):  # subscribes after the end of the connection
            reason, hint, kind = await _goodbye(subscriber)
    assert (reason, kind) == ("connection_lifetime", LifetimeReached)
    assert goodbyes.LIFETIME_RECONNECT_MS[0] <= hint <= goodbyes.LIFETIME_RECONNECT_MS[1]


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


async def test_connection_ends_with_its_new_token_and_not_with_earlier_ones() -> None:
    lifetimes, early, late = ConnectionLifetimes(), Subscriber(5), Subscriber(5)
    first, second = Credential.revocable(None), Credential.revocable(None)
    with lifetimes.open(credential=first) as lifetime, lifetimes.reading(early, lifetime, first):
        lifetimes.refresh(lifetime, second, EVERYTHING)
        # An operation that began before the new token came.
        with lifetimes.reading(late, lifetime, first):
            await lifetimes.revoke(first)
            assert len(early) == len(late) == 0
            await lifetimes.revoke(second)
            for subscriber in (early, late):
                reason, _, kind = await _goodbye(subscriber)
                assert (reason, kind) == ("token_revoked", TokenRevoked)
    assert (first.holds, second.holds) == ({}, {})


async def test_new_token_that_was_revoked_meanwhile_ends_the_connection() -> None:
    lifetimes, token = ConnectionLifetimes(), Credential.revocable(None)
    await lifetimes.revoke(token)
    with lifetimes.open() as lifetime:
        lifetimes.refresh(lifetime, token, EVERYTHING)
        assert isinstance((await lifetime.ended()).reason, TokenRevoked)
    assert token.holds == {}


async def test_subscribers_that_the_new_grants_do_not_cover_end_and_no_others() -> None:
    lifetimes, early, late, free = ConnectionLifetimes(), Subscriber(5), Subscriber(5), Subscriber(5)
    need = (Action.DASHBOARD, None)
    with lifetimes.open() as lifetime, lifetimes.reading(free, lifetime):
        with lifetimes.reading(early, lifetime, need=need):
            lifetimes.refresh(lifetime, None, EVERYTHING)
            assert len(early) == 0
            lifetimes.refresh(lifetime, None, NOTHING)
            with lifetimes.reading(late, lifetime, need=need):
                for subscriber in (early, late):
                    assert await _goodbye(subscriber) == ("forbidden", 0, GrantsReduced)
        assert len(free) == 0
