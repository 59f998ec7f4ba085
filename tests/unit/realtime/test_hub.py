"""The hub: each channel reaches its own subscribers only, and subscribers that left are forgotten."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from realtime.errors import BoardGone
from realtime.fanout.hub import Hub, HubStatistics
from realtime.fanout.subscriber import Subscriber
from realtime.fanout.writer_priority import WriterPriority
from realtime.messages.channels import Channel
from realtime.messages.envelopes import goodbye
from tests.kit.deadline import deadline
from tests.kit.plain_envelopes import plain

ONE, TWO = Channel("board:1"), Channel("board:2")
NEWS = plain("news", {})


async def _types(queue: Subscriber) -> list[str]:
    return [(await queue.get()).type for _ in range(len(queue))]


async def test_batch_reaches_every_subscriber_of_its_channel_only() -> None:
    hub, first, second, other = Hub(WriterPriority()), Subscriber(5), Subscriber(5), Subscriber(5)
    with hub.subscribe(ONE, first), hub.subscribe(ONE, second), hub.subscribe(TWO, other):
        hub.publish(ONE, [NEWS, NEWS])
        hub.publish(Channel("board:3"), [NEWS])
        assert [len(queue) for queue in (first, second, other)] == [2, 2, 0]
        assert await first.get() is NEWS


def test_subscriber_is_forgotten_and_its_empty_channel_disappears() -> None:
    hub, first, second, other = Hub(WriterPriority()), Subscriber(5), Subscriber(5), Subscriber(5)
    with hub.subscribe(ONE, first):
        with hub.subscribe(ONE, second), hub.subscribe(TWO, other):
            assert hub.statistics() == HubStatistics(channels=2, subscribers=3)
            assert hub.channels() == (ONE, TWO)
        assert hub.statistics() == HubStatistics(channels=1, subscribers=1)
        hub.publish(ONE, [NEWS])
        assert (len(first), len(second)) == (1, 0)
    assert hub.statistics() == HubStatistics(channels=0, subscribers=0)


def test_subscriber_whose_block_fails_is_forgotten() -> None:
    hub, stack = Hub(WriterPriority()), ExitStack()
    stack.enter_context(hub.subscribe(ONE, Subscriber(5)))
    with pytest.raises(RuntimeError), stack:
        raise RuntimeError
    assert hub.statistics() == HubStatistics(channels=0, subscribers=0)


async def test_ended_channel_gets_its_last_batch_and_the_reason() -> None:
    hub, first, other = Hub(WriterPriority()), Subscriber(5), Subscriber(5)
    with hub.subscribe(ONE, first), hub.subscribe(TWO, other):
        hub.end(ONE, BoardGone("gone"), [goodbye("board_deleted", 0)])
        hub.publish(ONE, [NEWS])
        assert await _types(first) == ["goodbye"]
        async with deadline(5):
            with pytest.raises(BoardGone):
                await first.get()
        assert len(other) == 0


async def test_channel_that_is_used_anew_has_no_subscriber_of_before() -> None:
    hub, old, new = Hub(WriterPriority()), Subscriber(5), Subscriber(5)
    old.outlasts = True
    with hub.subscribe(ONE, old):
        hub.end(ONE, BoardGone("gone"), [goodbye("board_deleted", 0)])
        with hub.subscribe(ONE, new):
            hub.publish(ONE, [NEWS])
            assert await _types(new) == [NEWS.type]
            assert await _types(old) == ["goodbye"]
            assert hub.statistics() == HubStatistics(channels=1, subscribers=1)
    assert hub.statistics() == HubStatistics(channels=0, subscribers=0)


def test_one_subscriber_that_is_too_slow_does_not_stop_the_batch() -> None:
    hub, slow, fast = Hub(WriterPriority()), Subscriber(0), Subscriber(5)
    with hub.subscribe(ONE, slow), hub.subscribe(ONE, fast):
        hub.publish(ONE, [NEWS])
        assert (len(slow), len(fast)) == (0, 1)


async def test_subscriber_knows_when_it_is_on_a_channel() -> None:
    hub, subscriber = Hub(WriterPriority()), Subscriber(5)
    assert not subscriber.registered.is_set()
    with hub.subscribe(ONE, subscriber):
        async with deadline(5):
            await subscriber.registered.wait()


async def test_channel_that_lost_envelopes_resyncs_its_own_subscribers_only() -> None:
    hub, first, other = Hub(WriterPriority()), Subscriber(5), Subscriber(5)
    with hub.subscribe(ONE, first), hub.subscribe(TWO, other):
        hub.lose(ONE)
        hub.lose(Channel("nobody"))
        assert (first.has_overflowed, other.has_overflowed) == (True, False)
