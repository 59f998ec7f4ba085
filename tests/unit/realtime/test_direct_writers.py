"""Direct writes: only while the stream waits, whole batches, in order, and counted like those of the stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import anyio
from hypothesis import given
from hypothesis import strategies as st

from realtime.errors import BoardGone, SubscriberTooSlow
from realtime.fanout.subscriber import Subscriber
from realtime.kanban.board import Board
from realtime.messages.batches import Batch
from realtime.messages.options import SlowPolicy, StreamOptions
from realtime.node import Node
from realtime.streams import board_batches
from tests.kit.deadline import deadline
from tests.kit.nodes import BOARD, publish
from tests.kit.plain_envelopes import decoded, plain
from tests.kit.publishing import event


class _Connection:
    """A connection with room for this many batches."""

    def __init__(self, room: int = 1000) -> None:
        self.room = room
        #: Types of the envelopes that the client has, in order.
        self.arrived: list[str] = []

    def write_nowait(self, batch: Batch) -> bool:
        if self.room == 0:
            return False
        self.room -= 1
        self.arrived += [envelope.type for envelope in batch]
        return True


def _batch(*types: str) -> Batch:
    return Batch([plain(type, {}, f"c-{type}") for type in types])


def _queue(direct_writer: _Connection, limit: int = 10) -> Subscriber:
    queue = Subscriber(limit)
    queue.direct_writer = direct_writer
    return queue


@asynccontextmanager
async def _sleeping(queue: Subscriber) -> AsyncIterator[asyncio.Task[Batch]]:
    """Let a task wait for the queue."""
    task = asyncio.create_task(queue.take())
    await anyio.wait_all_tasks_blocked()
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_batch_is_written_while_the_stream_waits_and_wakes_nobody() -> None:
    direct_writer = _Connection()
    queue = _queue(direct_writer)
    async with _sleeping(queue) as stream:
        queue.put_nowait(_batch("a", "b"))
        queue.put_nowait(_batch("c"))
        await anyio.wait_all_tasks_blocked()
        assert not stream.done()
    assert direct_writer.arrived == ["a", "b", "c"]
    assert (len(queue), queue.cursor) == (0, "c-c")


async def test_nothing_is_written_before_the_stream_waits() -> None:
    direct_writer = _Connection()
    queue = _queue(direct_writer)
    queue.put_nowait(_batch("a"))
    assert (direct_writer.arrived, len(queue)) == ([], 1)
    assert [envelope.type for envelope in await queue.take()] == ["a"]


async def test_batch_after_a_waiting_one_does_not_overtake_it() -> None:
    direct_writer = _Connection()
    queue = _queue(direct_writer)
    async with _sleeping(queue) as stream:
        queue.put_nowait([plain("pong", {})])  # a reply to this subscriber: the stream sends it
        queue.put_nowait(_batch("a"))
        async with deadline(5):
            assert [envelope.type for envelope in await stream] == ["pong", "a"]
    assert direct_writer.arrived == []


async def test_batch_without_room_waits_and_later_ones_too() -> None:
    direct_writer = _Connection(room=1)
    queue = _queue(direct_writer)
    async with _sleeping(queue) as stream:
        for type in ("a", "b", "c"):
            queue.put_nowait(_batch(type))
            direct_writer.room += type == "b"
        async with deadline(5):
            assert [envelope.type for envelope in await stream] == ["b", "c"]
    assert direct_writer.arrived == ["a"]


async def test_batch_beyond_the_bounds_is_too_much_however_it_might_be_written() -> None:
    direct_writer = _Connection()
    queue = _queue(direct_writer, limit=2)
    async with _sleeping(queue) as stream:
        queue.put_nowait(_batch("a", "b", "c"))
        async with deadline(5):
            await asyncio.wait([stream])
        assert isinstance(stream.exception(), SubscriberTooSlow)
    assert direct_writer.arrived == []


async def test_last_batch_is_written_and_then_the_end_met() -> None:
    direct_writer = _Connection()
    queue = _queue(direct_writer)
    async with _sleeping(queue) as stream:
        queue.put_nowait(_batch("goodbye"))
        queue.end(BoardGone("gone"))
        queue.put_nowait(_batch("late"))
        async with deadline(5):
            await asyncio.wait([stream])
        assert isinstance(stream.exception(), BoardGone)
    assert direct_writer.arrived == ["goodbye"]


async def test_subscriber_that_left_is_not_written_to() -> None:
    direct_writer = _Connection()
    queue = _queue(direct_writer)
    async with _sleeping(queue) as stream:
        stream.cancel()
        queue.put_nowait(_batch("a"))
    assert direct_writer.arrived == []


async def test_goodbye_of_a_slow_subscriber_names_the_cursor_after_the_last_written_event(
    node: Node, board: Board
) -> None:
    direct_writer = _Connection(room=1)
    async with deadline(10):
        queue = _queue(direct_writer, limit=2)
        options = StreamOptions(slow=SlowPolicy.DISCONNECT)
        async with aclosing(board_batches(node, BOARD, queue, options)) as stream:
            assert [(await anext(stream))[0].type for _ in range(2)] == ["hello", "state"]
            waiting = asyncio.ensure_future(anext(stream))
            await anyio.wait_all_tasks_blocked()
            (first,) = await publish(node, _line())
            assert direct_writer.arrived == ["attempt_log"]
            await publish(node, *[_line()] * 3)
            (goodbye,) = await waiting
    assert (goodbye.type, decoded(goodbye)["cursor"]) == ("goodbye", first.cursor)


def _line() -> dict[str, object]:
    return event("attempt.log.appended", {"attemptId": "a1", "boardId": BOARD, "level": "info", "message": "m"})


_DONE = st.sampled_from(["put", "reply", "take", "room", "full"])


@given(st.lists(_DONE, max_size=30))
async def test_all_arrives_once_and_in_order_whichever_way_each_batch_takes(done: list[str]) -> None:
    direct_writer = _Connection(room=0)
    queue = _queue(direct_writer, limit=100)
    put: list[str] = []

    async def stream() -> None:
        while True:
            direct_writer.arrived += [envelope.type for envelope in await queue.take()]

    reading: asyncio.Task[None] | None = None
    for number, action in enumerate(done):
        match action:
            case "put":
                queue.put_nowait(_batch(f"{number}-a", f"{number}-b"))
                put += [f"{number}-a", f"{number}-b"]
            case "reply":
                queue.put_nowait([plain(f"{number}-r", {})])
                put.append(f"{number}-r")
            case "take":
                reading = reading or asyncio.create_task(stream())
                await anyio.wait_all_tasks_blocked()
            case "room":
                direct_writer.room = 1000
            case _:
                direct_writer.room = 0
    reading = reading or asyncio.create_task(stream())
    await anyio.wait_all_tasks_blocked()
    reading.cancel()
    await asyncio.wait([reading])
    assert direct_writer.arrived == put
