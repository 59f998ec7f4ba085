"""A subscriber's queue: bounded, no publisher waits for it, and it loses nothing silently."""

from __future__ import annotations

import asyncio

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.errors import BoardGone, ChannelGone, EnvelopesLost, SubscriberTooSlow
from realtime.fanout.counters import ExitCounters
from realtime.fanout.subscriber import TAKEN_BYTES, Subscriber
from realtime.messages.batches import Batch
from realtime.messages.envelopes import Envelope, goodbye
from tests.kit.deadline import deadline
from tests.kit.plain_envelopes import plain

NEWS = plain("news", {}, "c-2")


def batch(*names: str) -> list[Envelope]:
    """Make envelopes."""
    return [plain(name, {}, "c") for name in names]


async def got(queue: Subscriber, count: int) -> list[str]:
    """Take this many; return their types."""
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


async def test_subscriber_that_waits_is_woken() -> None:
    queue = Subscriber(10)
    task = asyncio.create_task(got(queue, 2))
    await anyio.wait_all_tasks_blocked()
    queue.put_nowait(batch("a"))
    await anyio.wait_all_tasks_blocked()
    queue.put_nowait(batch("b"))
    async with deadline(5):
        assert await task == ["a", "b"]


async def test_queue_at_its_limit_is_whole_and_one_more_drops_all() -> None:
    queue = Subscriber(3)
    queue.put_nowait(batch("a", "b", "c"))
    assert len(queue) == 3
    queue.put_nowait(batch("d"))
    assert (len(queue), queue.queued_bytes) == (0, 0)
    for _ in range(2):
        with pytest.raises(SubscriberTooSlow, match="more than 3"):
            await got(queue, 1)
    queue.put_nowait(batch("e"))
    queue.resume()
    queue.put_nowait(batch("f"))
    assert await got(queue, 1) == ["f"]
    assert queue.metrics.counters.dropped == 5


async def test_bytes_count_in_addition_to_the_number() -> None:
    queue = Subscriber(10, limit_bytes=30)
    queue.put_nowait([plain("a", {"x": "12"}, "c"), plain("b", {"x": "34"}, "c")])
    assert (len(queue), queue.queued_bytes) == (2, 20)
    assert await got(queue, 1) == ["a"]
    assert queue.queued_bytes == 10
    queue.put_nowait([plain("c", {"x": "5" * 20}, "c")])
    with pytest.raises(SubscriberTooSlow, match="30 bytes"):
        await got(queue, 1)


async def test_single_envelope_beyond_the_bytes_still_fits() -> None:
    queue = Subscriber(10, limit_bytes=5)
    for _ in range(2):
        queue.put_nowait([plain("a", {"x": "long"}, "c")])
        assert await got(queue, 1) == ["a"]


async def test_batch_that_does_not_fit_is_not_cut() -> None:
    queue = Subscriber(3)
    queue.put_nowait(batch("a"))
    queue.put_nowait(batch("b", "c", "d"))
    with pytest.raises(SubscriberTooSlow):
        await got(queue, 1)


@pytest.mark.parametrize("type_", ["state", "dashboard_overview"])
async def test_newest_of_a_conflated_type_waits_at_the_end(type_: str) -> None:
    queue = Subscriber(3)
    for n in range(50):  # these would not fit
        queue.put_nowait([plain(type_, {"n": n}, f"c{n}")])
        if n == 20:
            queue.put_nowait(batch("a"))
    queue.put_nowait([*batch("b"), plain(type_, {"n": 50}, "c50")])
    assert len(queue) == 3
    assert [(one.type, one.cursor) for one in [await queue.get() for _ in range(3)]] == [
        ("a", "c"),
        ("b", "c"),
        (type_, "c50"),
    ]
    assert (queue.metrics.counters.conflated, queue.queued_bytes) == (50, 0)


async def test_replies_outlive_the_drop_and_are_bounded_by_themselves() -> None:
    queue = Subscriber(3)
    queue.put_nowait([plain("pong", {}), plain("heartbeat", {}), *batch("a", "b", "c")])
    queue.put_nowait([*batch("d"), plain("goodbye", {})])
    assert queue.metrics.counters.dropped == 4
    with pytest.raises(SubscriberTooSlow):
        await got(queue, 1)
    queue.resume()
    assert await got(queue, 2) == ["pong", "goodbye"]
    queue.put_nowait([plain("pong", {})] * 4)
    with pytest.raises(SubscriberTooSlow):
        queue.resume()
    assert len(queue) == 0


async def test_room_that_was_read_free_can_be_used_again() -> None:
    queue = Subscriber(2)
    for _ in range(10):
        queue.put_nowait(batch("a", "b"))
        assert await got(queue, 2) == ["a", "b"]


async def test_overflow_wakes_the_subscriber() -> None:
    queue = Subscriber(0)
    subscriber = asyncio.create_task(got(queue, 1))
    await anyio.wait_all_tasks_blocked()
    queue.put_nowait(batch("a"))
    async with deadline(5):
        await asyncio.wait([subscriber])
    assert isinstance(subscriber.exception(), SubscriberTooSlow)


async def test_end_comes_after_queued_envelopes() -> None:
    queue = Subscriber(10)
    queue.put_nowait(batch("a"))
    queue.end(BoardGone("gone"))
    queue.put_nowait(batch("b"))
    queue.end(RuntimeError("too late"))
    assert await got(queue, 1) == ["a"]
    for _ in range(2):
        with pytest.raises(BoardGone):
            await got(queue, 1)


async def test_subscriber_that_outlasts_its_channel_goes_on_for_replies() -> None:
    queue = Subscriber(10)
    queue.outlasts = True
    queue.put_nowait(batch("a"))
    queue.leave_channel(BoardGone("gone"))
    assert queue.has_left_channel
    assert await got(queue, 1) == ["a"]
    with pytest.raises(ChannelGone):
        await got(queue, 1)
    assert queue.has_left_channel
    queue.put_nowait([plain("pong", {})])
    assert await got(queue, 1) == ["pong"]
    queue.end(RuntimeError("the server stops"))
    with pytest.raises(RuntimeError):
        await got(queue, 1)


async def test_end_wakes_a_subscriber_that_waits() -> None:
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
    queue.resume()
    with pytest.raises(BoardGone):
        await got(queue, 1)


async def test_subscriber_that_is_cancelled_loses_nothing() -> None:
    queue = Subscriber(10)
    task = asyncio.create_task(queue.get())
    await anyio.wait_all_tasks_blocked()
    queue.put_nowait(batch("a"))
    task.cancel()
    await asyncio.wait([task])
    assert await got(queue, 1) == ["a"]


_TYPES = ("state", "attempt_log", "pong", "heartbeat")


@given(st.lists(st.lists(st.sampled_from(_TYPES), max_size=5) | st.integers(1, 4), max_size=40), st.booleans())
async def test_envelopes_come_out_in_order_or_are_accounted_for(
    steps: list[list[str] | int], by_the_batch: bool
) -> None:
    """Put batches of random types, take some in between. Dropped ones are announced, and nothing else is missing."""
    queue, counters = Subscriber(4, limit_bytes=40), ExitCounters()
    queue.metrics.counters = counters
    put: list[Envelope] = []
    got: list[Envelope] = []
    announced: list[int] = []
    for step in [*steps, 100]:
        if isinstance(step, list):
            with_cursors = [plain(type_, {}, None if type_ in _TYPES[2:] else "c") for type_ in step]
            put += with_cursors
            queue.put_nowait(Batch(with_cursors) if by_the_batch else with_cursors)
            continue
        for _ in range(step):
            if not queue.has_overflowed and not len(queue):
                break
            try:
                got += await queue.take() if by_the_batch else [await queue.get()]
            except SubscriberTooSlow:
                announced.append(len(got))
                try:
                    queue.resume()
                except SubscriberTooSlow:
                    return  # its own replies were too many, and its stream ends
    places = [next(n for n, one in enumerate(put) if one is envelope) for envelope in got]
    assert places == sorted(places)
    missing = [one for one in put if one.cursor is not None and all(one is not other for other in got)]
    assert len(missing) == counters.conflated + counters.dropped
    assert bool(counters.dropped) <= bool(announced)
    assert [one for one in put if one.type == "pong"] == [one for one in got if one.type == "pong"]
    assert (len(queue), queue.queued_bytes) == (0, 0)


async def test_batch_that_waits_alone_is_taken_as_it_is() -> None:
    queue, shared = Subscriber(5), Batch([NEWS, NEWS])
    queue.put_nowait(shared)
    assert (len(queue), queue.queued_bytes) == (2, shared.size)
    assert await queue.take() is shared
    assert (len(queue), queue.queued_bytes) == (0, 0)


async def test_states_of_a_batch_that_waits_alone_are_all_read() -> None:
    states = [plain("state", {"n": n}, f"c-{n}") for n in range(3)]
    for by_the_batch in (True, False):
        queue = Subscriber(5)
        queue.put_nowait(Batch(states))
        read = list(await queue.take()) if by_the_batch else [await queue.get() for _ in states]
        assert (read, queue.metrics.counters.conflated) == (states, 0)


async def test_batches_that_wait_together_are_conflated_and_taken_in_order() -> None:
    queue = Subscriber(5)
    old, new = plain("state", {"n": 1}, "c-1"), plain("state", {"n": 2}, "c-3")
    queue.put_nowait(Batch([old, NEWS]))
    queue.put_nowait(Batch([new]))
    assert list(await queue.take()) == [NEWS, new]
    assert queue.metrics.counters.conflated == 1
    assert queue.queued_bytes == 0


async def test_batch_that_waits_alone_can_be_read_one_by_one() -> None:
    queue = Subscriber(5)
    queue.put_nowait(Batch([NEWS, goodbye("r", 1)]))
    assert [(await queue.get()).type, (await queue.get()).type] == [NEWS.type, "goodbye"]
    assert (len(queue), queue.queued_bytes) == (0, 0)


async def test_batch_beyond_the_bounds_does_not_wait_alone() -> None:
    for queue in (Subscriber(1), Subscriber(5, NEWS.size)):
        queue.put_nowait(Batch([NEWS, NEWS]))
        with pytest.raises(SubscriberTooSlow):
            await queue.take()


async def test_subscriber_that_has_fallen_behind_takes_a_part_at_a_time() -> None:
    queue, long = Subscriber(100), plain("attempt_log", {"message": "x" * (TAKEN_BYTES // 2)})
    for _ in range(5):
        queue.put_nowait([long])
    taken = [len(await queue.take()) for _ in range(3)]
    assert (taken, queue.queued_bytes) == ([2, 2, 1], 0)


@pytest.mark.parametrize("waiting", [("a",), ("a", "pong", "b"), ()])
async def test_subscriber_that_could_not_be_given_something_keeps_its_replies_only(waiting: tuple[str, ...]) -> None:
    queue = Subscriber(10)
    if waiting:
        queue.put_nowait(batch(*waiting))
    queue.lose()
    queue.put_nowait(batch("dropped"))
    with pytest.raises(EnvelopesLost):
        await got(queue, 1)
    queue.resume()
    queue.put_nowait(batch("later"))
    assert await got(queue, len(queue)) == [*(type for type in waiting if type == "pong"), "later"]


async def test_subscriber_that_is_also_too_slow_gets_that_reason() -> None:
    queue = Subscriber(1)
    queue.put_nowait(batch("a", "b"))
    queue.lose()
    with pytest.raises(SubscriberTooSlow):
        await got(queue, 1)


async def test_subscriber_that_has_ended_loses_nothing() -> None:
    queue = Subscriber(10)
    queue.put_nowait(batch("a"))
    queue.end(BoardGone("gone"))
    queue.lose()
    assert await got(queue, 1) == ["a"]
