"""The queue of one subscriber: bounded, and the code that fills it never waits."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from realtime.errors import ChannelGone, EnvelopesLost, SubscriberTooSlow
from realtime.fanout.counters import ConnectionMetrics
from realtime.fanout.light_event import LightEvent
from realtime.messages.batches import Batch
from realtime.messages.envelopes import Envelope

__all__ = ["MAX_QUEUED_BYTES", "TAKEN_BYTES", "DirectWriter", "Subscriber"]

#: Conflated types: the newest envelope of such a type contains everything that the older ones said.
CONFLATED = frozenset({"state", "dashboard_overview"})
#: Types that are never dropped, because no `gap` could announce their loss: replies, and the end.
CONTROL_TYPES = frozenset({"access", "pong", "error", "goodbye"})
#: Default for the bytes that may wait for one subscriber.
MAX_QUEUED_BYTES = 4 * 1024 * 1024
#: Bytes after which `take` returns what it has. The queue bounds what waits; only this bounds what was taken.
TAKEN_BYTES = 64 * 1024
#: The shared empty queue. Nearly all subscribers have nothing waiting, and a deque takes 700 bytes.
_EMPTY: deque[Envelope] = deque()


class DirectWriter(Protocol):
    """Writes batches to the connection of a subscriber at once, past its stream."""

    def write_nowait(self, batch: Batch) -> bool:
        """Write the whole of `batch` behind everything that the stream has yielded, and count it; or write nothing.

        Return False where nothing was written, for want of room or because the batch needs the stream.
        """


class ChannelQueue(Protocol):
    """The queue of a channel, as a subscriber sees it (`realtime.fanout.broadcast_queue`)."""

    def deliver(self, subscriber: Subscriber) -> None:
        """Deliver to `subscriber` now all batches that it does not have."""

    def mark_delivered(self, subscriber: Subscriber) -> None:
        """Count all batches so far as delivered to `subscriber`."""


class Subscriber:
    """The queue between the hub and one stream.

    1. `put_nowait` returns at once.
    2. Conflation: of each type in `CONFLATED` only the newest envelope waits. It replaces the older one and goes to the
       end, so order and cursors hold. An answer to `get_state` is conflated too: the client gets at least one state
       that is not older than its request, and one state may answer several requests.
    3. Overflow: if the queue exceeds its bounds, everything that waits is dropped, and `get` raises
       `SubscriberTooSlow`. Until `resume`, later envelopes are dropped too, so a stuck subscriber costs nothing more.
       The stream then sends `gap` and `state`. Envelopes in `CONTROL_TYPES` (replies, `goodbye`) stay, and have the
       same bounds for themselves; a subscriber that exceeds those cannot resume. `lose` does the same after a failed
       delivery, and `get` then raises `EnvelopesLost`.
    4. `end` lets the stream take what is queued, then `get` raises the given exception.
    5. A batch that arrives while nothing waits stays whole, with all its states: all subscribers that keep up share it.
       A batch that exceeds the bounds is conflated with what waits.
    6. While the stream waits for this queue, everything that it yielded has been sent. Then a batch goes to the
       `direct_writer`, if there is one and it has room, and the stream sleeps on. So nothing is overtaken. A batch
       that exceeds the bounds is dropped as in 3. even then: the behaviour does not depend on the server.
    7. `leave_channel` ends the subscriber, unless it `outlasts` its channel. Then `get` raises `ChannelGone` once,
       behind what was queued before, and the queue goes on for replies and for `end`.
    One task gets; any code on the event loop may put.
    """

    # Slots, because each subscriber has one of these.
    __slots__ = (
        "_alone",
        "_bytes",
        "_ended",
        "_has_left",
        "_is_hopeless",
        "_lost",
        "_newest",
        "_overflowed",
        "_queue",
        "_taken",
        "_waiting",
        "cursor",
        "direct_writer",
        "last_gap",
        "limit",
        "limit_bytes",
        "metrics",
        "outlasts",
        "queue",
        "registered",
    )

    def __init__(
        self, limit: int, limit_bytes: int = MAX_QUEUED_BYTES, metrics: ConnectionMetrics | None = None
    ) -> None:
        """Make a queue for at most `limit` envelopes and `limit_bytes` of payload (a single one always fits)."""
        self.limit = limit
        self.limit_bytes = limit_bytes
        self.metrics = metrics if metrics is not None else ConnectionMetrics()
        #: Writes batches past the stream; set by the exit before the stream begins.
        self.direct_writer: DirectWriter | None = None
        #: The queue of its channel, while it is subscribed to one.
        self.queue: ChannelQueue | None = None
        #: Whether the stream stays open when its channel is gone (docs/departures.md, row 8); set by the exit.
        self.outlasts = False
        #: Cursor behind everything that left this queue, by the stream or the direct writer; the stream sets the first.
        self.cursor = ""
        #: Reason of the last gap of its stream; the stream sets it.
        self.last_gap: str | None = None
        #: Set at the subscription: everything that is put from then on is newer than the snapshot of the stream.
        self.registered = LightEvent()
        #: A batch that waits alone, whole; otherwise `_queue` has the waiting envelopes.
        self._alone: Batch | None = None
        self._queue = _EMPTY
        self._bytes = 0
        #: Envelopes that have left at the head. The number of a queued envelope is this plus its index.
        self._taken = 0
        #: Number of the newest envelope of each conflated type; a number below `_taken` has left.
        self._newest: dict[str, int] = {}
        self._overflowed = False
        #: Whether the overflow is a failed delivery, which is our fault.
        self._lost = False
        self._is_hopeless = False
        #: Whether the channel is gone; None once the stream knows it.
        self._has_left: bool | None = False
        self._ended: Exception | None = None
        self._waiting: asyncio.Future[None] | None = None

    def __len__(self) -> int:
        """Return the number of waiting envelopes."""
        return len(self._queue) + (len(self._alone) if self._alone else 0)

    @property
    def has_overflowed(self) -> bool:
        """Whether envelopes were dropped, and the stream has not called `resume` since."""
        return self._overflowed

    @property
    def has_left_channel(self) -> bool:
        """Whether the channel is gone, so that requests about it have no answer."""
        return self._has_left is not False

    @property
    def queued_bytes(self) -> int:
        """Bytes of payload that wait, as JSON."""
        return self._bytes + (self._alone.size if self._alone else 0)

    def put_nowait(self, batch: Sequence[Envelope]) -> None:
        """Queue `batch`, in order, behind everything that was published to the channel before."""
        self._catch_up()
        if isinstance(batch, Batch):
            self.put_next(batch)
        else:
            self._queue_up(batch)

    def put_next(self, batch: Batch) -> None:
        """Queue the next batch of the channel; the broadcast queue calls this, for every subscriber and batch."""
        count = len(batch)
        fits = count <= self.limit and (count <= 1 or batch.size <= self.limit_bytes)
        if self._ended is not None or not fits:
            self._queue_up(batch)
            return
        waiting, direct_writer = self._waiting, self.direct_writer
        if (
            waiting is not None
            and direct_writer is not None
            and not waiting.done()
            and direct_writer.write_nowait(batch)
        ):
            self.cursor = batch.cursor or self.cursor
        elif self._keep_whole(batch):
            self._wake()
        else:
            self._queue_up(batch)

    def _queue_up(self, batch: Sequence[Envelope]) -> None:
        if self._ended is not None:
            return
        self._conflate(self._alone or ())
        self._alone = None
        self._conflate(self._control_only(batch) if self._overflowed else batch)
        if self._is_too_full():
            self._overflow()
        self._wake()

    def end(self, reason: Exception) -> None:
        """Let `get` raise `reason` once the queue is empty; only the first call counts."""
        self._catch_up()
        if self._ended is None:
            self._ended = reason
            self._wake()

    def leave_channel(self, reason: Exception) -> None:
        """Note that the channel is gone; `reason` ends the subscriber unless it outlasts the channel."""
        self._catch_up()
        # A board that is created again under this id has the same channel, and other subscribers.
        self.queue = None
        if self.outlasts:
            self._has_left = True
            self._wake()
        else:
            self.end(reason)

    def lose(self) -> None:
        """Drop what waits after a failed delivery; the stream resyncs (`gap`, then `state`)."""
        if self._ended is None and not self._overflowed:
            self._lost = True
            waiting = [*(self._alone or ()), *self._queue]
            self._alone = None
            self._queue = deque(waiting)
            self._overflow()
            self._wake()

    def resume(self) -> None:
        """Queue envelopes again, after `SubscriberTooSlow` or `EnvelopesLost`.

        Raises:
            SubscriberTooSlow: replies alone exceeded the bounds, so the subscriber cannot resume.
        """
        if self._is_hopeless:
            raise self._too_slow()
        if self.queue is not None:
            self.queue.mark_delivered(self)  # the coming resync contains these batches
        self._overflowed = self._lost = False

    async def get(self) -> Envelope:
        """Wait for the next envelope and return it.

        Raises:
            SubscriberTooSlow: envelopes were dropped; call `resume` and get on.
            EnvelopesLost: a delivery failed; call `resume` and get on.
            ChannelGone: once, if the channel is gone and the subscriber outlasts it.
            Exception: the reason given to `end`, once the queue is empty.
        """
        await self._filled()
        if self._alone:
            alone, self._alone = self._alone, None
            for envelope in alone:
                self._append(envelope)
        envelope = self._pop()
        self.cursor = envelope.cursor or self.cursor
        return envelope

    async def take(self) -> Batch:
        """Wait for something and return it: the batch that waits alone, or else about `TAKEN_BYTES` of the queue.

        Raises:
            Exception: as `get`.
        """
        await self._filled()
        batch, self._alone = self._alone, None
        if batch is None:
            self.metrics.counters.queued.observe(len(self._queue))
            batch = Batch(self._head())
        self.cursor = batch.cursor or self.cursor
        return batch

    def _catch_up(self) -> None:
        if self.queue is not None:
            self.queue.deliver(self)

    def _head(self) -> Iterator[Envelope]:
        room = TAKEN_BYTES
        while self._queue and room > 0:
            envelope = self._pop()
            room -= envelope.size
            yield envelope

    def _pop(self) -> Envelope:
        envelope = self._queue.popleft()
        if not self._queue:
            self._queue = _EMPTY
        self._taken += 1
        self._bytes -= envelope.size
        return envelope

    async def _filled(self) -> None:
        while self._overflowed or not (self._queue or self._alone):
            if self._overflowed:
                raise self._overflow_error()
            if self._has_left:
                self._has_left = None
                raise ChannelGone
            if self._ended is not None:
                raise self._ended
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def _keep_whole(self, batch: Batch) -> bool:
        """Let `batch` wait whole if nothing else waits; return whether it does."""
        if self._queue or self._alone or self._overflowed or not batch:
            return False
        self._alone = batch
        return True

    def _conflate(self, batch: Iterable[Envelope]) -> None:
        for envelope in batch:
            if envelope.type in CONFLATED:
                self._drop_older(envelope.type)
            self._append(envelope)

    def _append(self, envelope: Envelope) -> None:
        if envelope.type in CONFLATED:
            self._newest[envelope.type] = self._taken + len(self._queue)
        if self._queue is _EMPTY:
            self._queue = deque()
        self._queue.append(envelope)
        self._bytes += envelope.size

    def _drop_older(self, type: str) -> None:
        """Drop the waiting envelope of that type, if there is one."""
        place = self._newest.pop(type, -1)
        if place >= self._taken:
            self._bytes -= self._queue[place - self._taken].size
            del self._queue[place - self._taken]
            self.metrics.counters.conflated += 1
            self._newest = {other: at - (at > place) for other, at in self._newest.items()}

    def _is_too_full(self) -> bool:
        count = len(self._queue)
        return count > self.limit or (self._bytes > self.limit_bytes and count > 1)

    def _overflow(self) -> None:
        self._overflowed = True
        self._restart_with(self._control_only(self._queue))
        if self._is_too_full():
            self._restart_with(())
            self._is_hopeless = True

    def _restart_with(self, left: Sequence[Envelope]) -> None:
        self._newest.clear()
        self._queue = deque(left) if left else _EMPTY
        self._bytes = sum(envelope.size for envelope in left)

    def _control_only(self, batch: Iterable[Envelope]) -> list[Envelope]:
        control: list[Envelope] = []
        for envelope in batch:
            if envelope.type in CONTROL_TYPES:
                control.append(envelope)
            elif envelope.cursor is not None:  # a heartbeat has no cursor, and its loss matters to nobody
                self.metrics.counters.dropped += 1
        return control

    def _overflow_error(self) -> Exception:
        return EnvelopesLost("a delivery to this subscriber failed") if self._lost else self._too_slow()

    def _too_slow(self) -> SubscriberTooSlow:
        return SubscriberTooSlow(self._sentence())

    def _sentence(self) -> str:
        return f"more than {self.limit} envelopes or {self.limit_bytes} bytes waited for this subscriber"
