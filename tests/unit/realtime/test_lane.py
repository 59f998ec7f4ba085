"""The lane: a crowd is given all in order, once, in turns; and nobody is told something else before that."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime import lane as lanes
from realtime.batches import Batch
from realtime.envelopes import Envelope
from realtime.errors import BoardGone, EnvelopesLost, SubscriberTooSlow
from realtime.lane import JOINED_ENVELOPES, Lane
from realtime.right_of_way import RightOfWay
from realtime.subscriber import Subscriber
from tests.kit.deadline import deadline


class _Outlet:
    """A connection that keeps what it is given."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []

    def write_nowait(self, batch: Batch) -> bool:
        self.batches.append(batch)
        return True


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give to one reader in a turn."""
    monkeypatch.setattr(lanes, "TURN_READERS", 1)


def _batch(*types: str) -> Batch:
    return Batch([Envelope(type, {}, f"c-{type}") for type in types])


def _reader(lane: Lane) -> Subscriber:
    reader = Subscriber(10_000)
    reader.lane = lane
    lane.add(reader)
    return reader


async def _settled(lane: Lane) -> None:
    async with deadline(5):
        while lane.is_under_way:
            await anyio.lowlevel.checkpoint()


async def _told(reader: Subscriber) -> list[str]:
    return [(await reader.get()).type for _ in range(len(reader))]


async def test_lane_that_is_not_under_way_gives_at_once() -> None:
    lane = Lane(RightOfWay())
    readers = [_reader(lane) for _ in range(lanes.TURN_READERS - 1)]
    lane.publish(_batch("a"))
    assert [len(reader) for reader in readers] == [1] * len(readers)


@pytest.mark.usefixtures("alone")
async def test_what_is_published_on_the_way_is_joined_for_all() -> None:
    lane = Lane(RightOfWay())
    readers = [_reader(lane) for _ in range(4)]
    outlets = [_Outlet() for _ in readers]
    tasks = []
    for reader, outlet in zip(readers, outlets, strict=True):
        reader.outlet = outlet
        tasks.append(asyncio.create_task(reader.take()))
    await anyio.wait_all_tasks_blocked()
    for name in "abc":
        lane.publish(_batch(name))
    assert [len(outlet.batches) for outlet in outlets] == [1, 0, 0, 0]
    await _settled(lane)
    # Whoever came later in the round had all of it at once; the first gets what came behind its turn.
    assert [[envelope.type for envelope in batch] for batch in outlets[0].batches] == [["a"], ["b", "c"]]
    assert [[[one.type for one in batch] for batch in outlet.batches] for outlet in outlets[1:]] == [
        [["a", "b", "c"]]
    ] * 3
    assert all(outlet.batches[0] is outlets[1].batches[0] for outlet in outlets[2:])
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


@pytest.mark.usefixtures("alone")
async def test_reader_that_is_added_on_the_way_has_none_of_what_was_before() -> None:
    lane = Lane(RightOfWay())
    early = [_reader(lane) for _ in range(3)]
    lane.publish(_batch("before"))
    late = _reader(lane)
    lane.publish(_batch("after"))
    await _settled(lane)
    assert await _told(late) == ["after"]
    assert [await _told(reader) for reader in early] == [["before", "after"]] * 3


@pytest.mark.usefixtures("alone")
async def test_reply_and_end_come_behind_what_was_published_before() -> None:
    lane = Lane(RightOfWay())
    first, second, third = (_reader(lane) for _ in range(3))
    lane.publish(_batch("a"))
    second.put_nowait([Envelope("pong", {})])
    third.end(BoardGone("gone"))
    lane.publish(_batch("b"))
    await _settled(lane)
    assert await _told(first) == ["a", "b"]
    assert await _told(second) == ["a", "pong", "b"]
    assert await _told(third) == ["a"]
    async with deadline(5):
        with pytest.raises(BoardGone):
            await third.get()


@pytest.mark.usefixtures("alone")
async def test_reader_that_takes_up_again_has_what_waits_in_its_present() -> None:
    lane = Lane(RightOfWay())
    _reader(lane)
    slow = Subscriber(1)
    slow.lane = lane
    lane.add(slow)
    slow.put_nowait(_batch("a", "b"))
    async with deadline(5):
        with pytest.raises(SubscriberTooSlow):
            await slow.get()
    lane.publish(_batch("in the present"))
    slow.take_up()
    await _settled(lane)
    assert len(slow) == 0
    lane.publish(_batch("later"))
    await _settled(lane)
    assert await _told(slow) == ["later"]


async def test_ended_lane_gives_what_there_is_first() -> None:
    lane = Lane(RightOfWay())
    readers = [_reader(lane) for _ in range(3)]
    lane.publish(_batch("last"))
    lane.end(BoardGone("gone"))
    assert [await _told(reader) for reader in readers] == [["last"]] * 3


@pytest.mark.usefixtures("alone")
async def test_much_is_not_joined_to_more_than_a_batch_may_have() -> None:
    lane = Lane(RightOfWay())
    _, reader = _reader(lane), _reader(lane)
    reader.outlet = outlet = _Outlet()
    task = asyncio.create_task(reader.take())
    await anyio.wait_all_tasks_blocked()
    for _ in range(3):
        lane.publish(_batch(*["a"] * (JOINED_ENVELOPES // 2)))
    await _settled(lane)
    assert [len(batch) for batch in outlet.batches] == [JOINED_ENVELOPES, JOINED_ENVELOPES // 2]
    task.cancel()
    await asyncio.wait([task])


class _Broken(_Outlet):
    def write_nowait(self, batch: Batch) -> bool:
        raise RuntimeError("broken")


@pytest.mark.usefixtures("alone")
async def test_fault_ends_the_reader_it_concerns_and_no_other(caplog: pytest.LogCaptureFixture) -> None:
    lane = Lane(RightOfWay())
    first, broken, last = (_reader(lane) for _ in range(3))
    broken.outlet = _Broken()
    task = asyncio.create_task(broken.take())
    await anyio.wait_all_tasks_blocked()
    for name in "ab":
        lane.publish(_batch(name))
        await _settled(lane)
    assert [await _told(reader) for reader in (first, last)] == [["a", "b"]] * 2
    async with deadline(5):
        with pytest.raises(RuntimeError, match="broken"):
            await task
    assert "could not be given" in caplog.text


_ACTIONS = st.sampled_from(["publish", "add", "remove", "reply", "turn", "end"])


@given(actions=st.lists(st.tuples(_ACTIONS, st.integers(0, 5)), max_size=40))
async def test_each_reader_has_all_of_its_time_in_order(actions: list[tuple[str, int]]) -> None:
    crowd = _Crowd()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lanes, "TURN_READERS", 1)
        for number, (action, which) in enumerate(actions):
            crowd.carry_out(action, which, str(number))
            if action == "turn":
                await anyio.lowlevel.checkpoint()
        await _settled(crowd.lane)
    await crowd.check()


class _Crowd:
    """Readers, and what each is due: all that was published while it was there, and its own replies between."""

    def __init__(self) -> None:
        self.lane = Lane(RightOfWay())
        self.readers: list[Subscriber] = []
        self.due: list[list[str]] = []
        self.left: set[int] = set()

    def carry_out(self, action: str, which: int, name: str) -> None:
        there = [number for number, reader in enumerate(self.readers) if reader.lane is self.lane]
        match action:
            case "publish":
                self.lane.publish(_batch(name))
                for number in there:
                    self.due[number].append(name)
            case "add":
                self.readers.append(_reader(self.lane))
                self.due.append([])
            case "reply" if there:
                self.readers[there[which % len(there)]].put_nowait([Envelope(name, {})])
                self.due[there[which % len(there)]].append(name)
            case "end" | "remove" if there:
                self._let_go(there[which % len(there)], ended=action == "end")

    def _let_go(self, number: int, *, ended: bool) -> None:
        reader = self.readers[number]
        if ended:
            reader.end(BoardGone("gone"))
        else:
            self.left.add(number)
        self.lane.remove(reader)
        reader.lane = None

    async def check(self) -> None:
        for number, reader in enumerate(self.readers):
            told = await _told(reader)
            # Who left may have left before its turn; who was ended had all of it first.
            assert told == (self.due[number][: len(told)] if number in self.left else self.due[number])


class _Unruly(RightOfWay):
    """Lets nobody go on, at first."""

    fails = True

    def call_when_free(self, turn: Callable[[], None]) -> None:
        if self.fails:
            raise RuntimeError("on purpose")
        super().call_when_free(turn)


async def _lost(reader: Subscriber) -> bool:
    async with deadline(5):
        with pytest.raises(EnvelopesLost):
            await reader.get()
    reader.take_up()
    return True


@pytest.mark.usefixtures("alone")
async def test_lane_that_fails_on_its_way_tells_its_readers_and_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    way = _Unruly()
    lane = Lane(way)
    readers = [_reader(lane) for _ in range(2)]
    lane.publish(_batch("a"))
    assert [await _lost(reader) for reader in readers] == [True, True]
    assert not lane.is_under_way
    assert "they get the present" in caplog.text
    way.fails = False
    lane.publish(_batch("b"))
    await _settled(lane)
    assert [await _told(reader) for reader in readers] == [["b"], ["b"]]


async def test_lane_that_gives_up_gives_nothing_of_before() -> None:
    lane = Lane(RightOfWay())
    readers = [_reader(lane) for _ in range(2 * lanes.TURN_READERS)]
    lane.publish(_batch("a"))
    lane.lose()
    lane.publish(_batch("while the present is cut"))
    assert all([await _lost(reader) for reader in readers])
    lane.publish(_batch("b"))
    await _settled(lane)
    assert [await _told(reader) for reader in readers] == [["b"]] * len(readers)


async def test_reader_that_cannot_even_lose_ends() -> None:
    lane, broken = Lane(RightOfWay()), Subscriber(5)
    lane.add(broken)
    last = _reader(lane)

    def fail() -> None:
        raise RuntimeError("on purpose")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Subscriber, "lose", lambda self: fail() if self is broken else None)
        lane.lose()
    async with deadline(5):
        with pytest.raises(RuntimeError, match="on purpose"):
            await broken.get()
    lane.publish(_batch("b"))
    assert await _told(last) == ["b"]
