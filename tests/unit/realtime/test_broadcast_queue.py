"""The broadcast queue: many subscribers get everything once, in order, in several passes.

A subscriber's own replies do not overtake a broadcast batch.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.errors import BoardGone, EnvelopesLost, SubscriberTooSlow
from realtime.fanout import broadcast_queue as queues
from realtime.fanout.broadcast_queue import JOINED_ENVELOPES, BroadcastQueue
from realtime.fanout.subscriber import Subscriber
from realtime.fanout.writer_priority import WriterPriority
from realtime.messages.batches import Batch
from tests.kit.deadline import deadline
from tests.kit.plain_envelopes import plain


class _Connection:
    """A connection that records its batches."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []

    def write_nowait(self, batch: Batch) -> bool:
        self.batches.append(batch)
        return True


@pytest.fixture(autouse=True)
def endless_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a turn end by the number of its subscribers, however slow the machine is."""
    monkeypatch.setattr(queues, "TURN_SECONDS", float("inf"))


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deliver to one subscriber per pass."""
    monkeypatch.setattr(queues, "TURN_SUBSCRIBERS", 1)


def _batch(*types: str) -> Batch:
    return Batch([plain(type, {}, f"c-{type}") for type in types])


def _subscriber(queue: BroadcastQueue) -> Subscriber:
    subscriber = Subscriber(10_000)
    subscriber.queue = queue
    queue.add(subscriber)
    return subscriber


async def _settled(queue: BroadcastQueue) -> None:
    async with deadline(5):
        while queue.is_under_way:
            await anyio.lowlevel.checkpoint()


async def _types(subscriber: Subscriber) -> list[str]:
    return [(await subscriber.get()).type for _ in range(len(subscriber))]


async def test_broadcast_queue_that_is_not_under_way_gives_at_once() -> None:
    queue = BroadcastQueue(WriterPriority())
    subscribers = [_subscriber(queue) for _ in range(queues.TURN_SUBSCRIBERS - 1)]
    queue.publish(_batch("a"))
    assert [len(subscriber) for subscriber in subscribers] == [1] * len(subscribers)


async def test_turn_that_takes_long_leaves_other_subscribers_to_later_turns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(queues, "TURN_SECONDS", -1.0)
    queue = BroadcastQueue(WriterPriority())
    subscribers = [_subscriber(queue) for _ in range(3)]
    queue.publish(_batch("a"))
    seen = [[len(subscriber) for subscriber in subscribers]]
    async with deadline(5):
        while queue.is_under_way:
            await anyio.lowlevel.checkpoint()
            seen.append([len(subscriber) for subscriber in subscribers])
    assert seen == [[1, 0, 0], [1, 1, 0], [1, 1, 1]]


@pytest.mark.usefixtures("alone")
async def test_batches_published_during_a_round_are_joined_for_all() -> None:
    queue = BroadcastQueue(WriterPriority())
    subscribers = [_subscriber(queue) for _ in range(4)]
    direct_writers = [_Connection() for _ in subscribers]
    tasks = []
    for subscriber, direct_writer in zip(subscribers, direct_writers, strict=True):
        subscriber.direct_writer = direct_writer
        tasks.append(asyncio.create_task(subscriber.take()))
    await anyio.wait_all_tasks_blocked()
    for name in "abc":
        queue.publish(_batch(name))
    assert [len(direct_writer.batches) for direct_writer in direct_writers] == [1, 0, 0, 0]
    await _settled(queue)
    # Later subscribers of the pass get everything in one batch. The first one gets the events after its turn
    # separately.
    assert [[envelope.type for envelope in batch] for batch in direct_writers[0].batches] == [["a"], ["b", "c"]]
    assert [
        [[one.type for one in batch] for batch in direct_writer.batches] for direct_writer in direct_writers[1:]
    ] == [[["a", "b", "c"]]] * 3
    assert all(direct_writer.batches[0] is direct_writers[1].batches[0] for direct_writer in direct_writers[2:])
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


@pytest.mark.usefixtures("alone")
async def test_subscriber_that_is_added_on_the_way_has_none_of_what_was_before() -> None:
    queue = BroadcastQueue(WriterPriority())
    early = [_subscriber(queue) for _ in range(3)]
    queue.publish(_batch("before"))
    late = _subscriber(queue)
    queue.publish(_batch("after"))
    await _settled(queue)
    assert await _types(late) == ["after"]
    assert [await _types(subscriber) for subscriber in early] == [["before", "after"]] * 3


@pytest.mark.usefixtures("alone")
async def test_reply_and_end_come_after_earlier_batches() -> None:
    queue = BroadcastQueue(WriterPriority())
    first, second, third = (_subscriber(queue) for _ in range(3))
    queue.publish(_batch("a"))
    second.put_nowait([plain("pong", {})])
    third.end(BoardGone("gone"))
    queue.publish(_batch("b"))
    await _settled(queue)
    assert await _types(first) == ["a", "b"]
    assert await _types(second) == ["a", "pong", "b"]
    assert await _types(third) == ["a"]
    async with deadline(5):
        with pytest.raises(BoardGone):
            await third.get()


@pytest.mark.usefixtures("alone")
async def test_subscriber_that_resumes_skips_batches_before_its_resync() -> None:
    queue = BroadcastQueue(WriterPriority())
    _subscriber(queue)
    slow = Subscriber(1)
    slow.queue = queue
    queue.add(slow)
    slow.put_nowait(_batch("a", "b"))
    async with deadline(5):
        with pytest.raises(SubscriberTooSlow):
            await slow.get()
    queue.publish(_batch("before the resync"))
    slow.resume()
    await _settled(queue)
    assert len(slow) == 0
    queue.publish(_batch("later"))
    await _settled(queue)
    assert await _types(slow) == ["later"]


async def test_ended_broadcast_queue_gives_what_there_is_first() -> None:
    queue = BroadcastQueue(WriterPriority())
    subscribers = [_subscriber(queue) for _ in range(3)]
    queue.publish(_batch("last"))
    queue.end(BoardGone("gone"))
    assert [await _types(subscriber) for subscriber in subscribers] == [["last"]] * 3


@pytest.mark.usefixtures("alone")
async def test_much_is_not_joined_to_more_than_a_batch_may_have() -> None:
    queue = BroadcastQueue(WriterPriority())
    _, subscriber = _subscriber(queue), _subscriber(queue)
    subscriber.direct_writer = direct_writer = _Connection()
    task = asyncio.create_task(subscriber.take())
    await anyio.wait_all_tasks_blocked()
    for _ in range(3):
        queue.publish(_batch(*["a"] * (JOINED_ENVELOPES // 2)))
    await _settled(queue)
    assert [len(batch) for batch in direct_writer.batches] == [JOINED_ENVELOPES, JOINED_ENVELOPES // 2]
    task.cancel()
    await asyncio.wait([task])


class _Broken(_Connection):
    def write_nowait(self, batch: Batch) -> bool:
        raise RuntimeError("broken")


@pytest.mark.usefixtures("alone")
async def test_fault_ends_the_subscriber_it_concerns_and_no_other(caplog: pytest.LogCaptureFixture) -> None:
    queue = BroadcastQueue(WriterPriority())
    first, broken, last = (_subscriber(queue) for _ in range(3))
    broken.direct_writer = _Broken()
    task = asyncio.create_task(broken.take())
    await anyio.wait_all_tasks_blocked()
    for name in "ab":
        queue.publish(_batch(name))
        await _settled(queue)
    assert [await _types(subscriber) for subscriber in (first, last)] == [["a", "b"]] * 2
    async with deadline(5):
        with pytest.raises(RuntimeError, match="broken"):
            await task
    assert "could not be delivered" in caplog.text


_ACTIONS = st.sampled_from(["publish", "add", "remove", "reply", "turn", "end"])


@given(actions=st.lists(st.tuples(_ACTIONS, st.integers(0, 5)), max_size=40))
async def test_each_subscriber_has_all_of_its_time_in_order(actions: list[tuple[str, int]]) -> None:
    subscribers = _Subscribers()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(queues, "TURN_SUBSCRIBERS", 1)
        for number, (action, which) in enumerate(actions):
            subscribers.carry_out(action, which, str(number))
            if action == "turn":
                await anyio.lowlevel.checkpoint()
        await _settled(subscribers.queue)
    await subscribers.check()


class _Subscribers:
    """Subscribers, and the expected events of each: all that was published while it was there, and its own replies."""

    def __init__(self) -> None:
        self.queue = BroadcastQueue(WriterPriority())
        self.subscribers: list[Subscriber] = []
        self.due: list[list[str]] = []
        self.left: set[int] = set()

    def carry_out(self, action: str, which: int, name: str) -> None:
        there = [number for number, subscriber in enumerate(self.subscribers) if subscriber.queue is self.queue]
        match action:
            case "publish":
                self.queue.publish(_batch(name))
                for number in there:
                    self.due[number].append(name)
            case "add":
                self.subscribers.append(_subscriber(self.queue))
                self.due.append([])
            case "reply" if there:
                self.subscribers[there[which % len(there)]].put_nowait([plain(name, {})])
                self.due[there[which % len(there)]].append(name)
            case "end" | "remove" if there:
                self._let_go(there[which % len(there)], ended=action == "end")

    def _let_go(self, number: int, *, ended: bool) -> None:
        subscriber = self.subscribers[number]
        if ended:
            subscriber.end(BoardGone("gone"))
        else:
            self.left.add(number)
        self.queue.remove(subscriber)
        subscriber.queue = None

    async def check(self) -> None:
        for number, subscriber in enumerate(self.subscribers):
            types = await _types(subscriber)
            # A subscriber that left may have left before its turn. One that was ended got everything first.
            assert types == (self.due[number][: len(types)] if number in self.left else self.due[number])


class _Unruly(WriterPriority):
    """Refuses every pass at first."""

    fails = True

    def call_when_free(self, turn: Callable[[], None]) -> None:
        if self.fails:
            raise RuntimeError("on purpose")
        super().call_when_free(turn)


async def _lost(subscriber: Subscriber) -> bool:
    async with deadline(5):
        with pytest.raises(EnvelopesLost):
            await subscriber.get()
    subscriber.resume()
    return True


@pytest.mark.usefixtures("alone")
async def test_pass_that_fails_makes_the_subscribers_resync(
    caplog: pytest.LogCaptureFixture,
) -> None:
    priority = _Unruly()
    queue = BroadcastQueue(priority)
    subscribers = [_subscriber(queue) for _ in range(2)]
    queue.publish(_batch("a"))
    assert [await _lost(subscriber) for subscriber in subscribers] == [True, True]
    assert not queue.is_under_way
    assert "they resync" in caplog.text
    priority.fails = False
    queue.publish(_batch("b"))
    await _settled(queue)
    assert [await _types(subscriber) for subscriber in subscribers] == [["b"], ["b"]]


async def test_broadcast_queue_after_a_loss_delivers_nothing_of_before() -> None:
    queue = BroadcastQueue(WriterPriority())
    subscribers = [_subscriber(queue) for _ in range(2 * queues.TURN_SUBSCRIBERS)]
    queue.publish(_batch("a"))
    queue.lose()
    queue.publish(_batch("before the resync"))
    assert all([await _lost(subscriber) for subscriber in subscribers])
    queue.publish(_batch("b"))
    await _settled(queue)
    assert [await _types(subscriber) for subscriber in subscribers] == [["b"]] * len(subscribers)


async def test_subscriber_that_cannot_even_lose_ends() -> None:
    queue, broken = BroadcastQueue(WriterPriority()), Subscriber(5)
    queue.add(broken)
    last = _subscriber(queue)

    def fail() -> None:
        raise RuntimeError("on purpose")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Subscriber, "lose", lambda self: fail() if self is broken else None)
        queue.lose()
    async with deadline(5):
        with pytest.raises(RuntimeError, match="on purpose"):
            await broken.get()
    queue.publish(_batch("b"))
    assert await _types(last) == ["b"]
