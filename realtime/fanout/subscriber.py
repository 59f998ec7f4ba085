"""One reader's queue: bounded, never waited for by those who fill it."""

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

#: Types of which only the newest is worth having: each says everything that the one before it said.
CONFLATED = frozenset({"state", "dashboard_overview"})
#: A reader's own: no gap could announce their loss.
CONTROL_TYPES = frozenset({"pong", "error", "goodbye"})
#: Bytes that may wait for one reader, where nothing else is said.
MAX_QUEUED_BYTES = 4 * 1024 * 1024
#: Bytes after which a reader that has fallen behind takes no more at once: what it has taken, nothing else bounds.
TAKEN_BYTES = 64 * 1024
#: The queue of all for whom nothing waits, which is nearly all: a deque of its own is 700 bytes for each.
_EMPTY: deque[Envelope] = deque()


class DirectWriter(Protocol):
    """Where a reader's connection takes bytes without anybody waiting for it."""

    def write_nowait(self, batch: Batch) -> bool:
        """Write `batch` behind all that the stream has given before, and count it; all of it, or nothing at all.

        False: nothing was written (there is no room, or it is not for this way), and the stream is to give it.
        """


class Giver(Protocol):
    """What gives batches to readers of a channel, not all at the same time (`realtime.fanout.broadcast_queue`)."""

    def deliver(self, reader: Subscriber) -> None:
        """Give `reader` all that it has not been given, now."""

    def mark_delivered(self, reader: Subscriber) -> None:
        """Take as given to `reader` all that there is."""


class Subscriber:
    """The queue between the hub and one stream.

    1. `put_nowait` returns at once.
    2. Of the types in `CONFLATED` the newest waits: it removes the one before and goes to the end, so that order and
       cursors hold. That is true of an answer to `get_state` as well. The asker gets at least one state of the time of
       its asking or later; one may serve several askings, and a change besides.
    3. What does not fit within the bounds is not cut: all that waits is dropped, and `get` raises `SubscriberTooSlow`.
       Until `resume`, later envelopes are dropped too, so a stuck subscriber costs nothing more. The stream tells
       the client. Envelopes in `CONTROL_TYPES` (replies, `goodbye`) are kept, and have the same bounds for
       themselves; a subscriber that fills those cannot resume.
       `lose` does the same to a reader that could not be given something, and `get` raises `EnvelopesLost` then.
    4. `end` lets the reader have what is queued, then `get` raises the given exception.
    5. A batch that comes while nothing waits is kept as it is, with all its states: a reader that keeps up takes what
       all others take. One that does not fit so is conflated like what waits.
    6. While the stream waits for this queue, everything that it yielded has been sent. Then a batch goes to the
       `direct_writer`, if there is one and it has room, and the stream sleeps on. So nothing is overtaken. A batch
       that exceeds the bounds is dropped as in 3. even then: the behaviour does not depend on the server.
    7. `leave_channel` ends it too, unless it `outlasts` its channel: then `get` raises `ChannelGone` once, behind what
       was queued before, and the queue goes on for replies and for `end`.
    One task reads; any code on the loop may put.
    """

    # Without a dictionary for each: there are as many as readers.
    __slots__ = (
        "_alone",
        "_bytes",
        "_ended",
        "_has_left",
        "_is_hopeless",
        "_lapsed",
        "_lost",
        "_newest",
        "_queue",
        "_taken",
        "_waiting",
        "cursor",
        "direct_writer",
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
        #: Where batches may go past the stream; set by the exit before the stream begins.
        self.direct_writer: DirectWriter | None = None
        #: What gives it the batches of its channel, while it is on one.
        self.queue: Giver | None = None
        #: Whether the stream stays open when its channel is gone (docs/departures.md, row 8); set by the exit.
        self.outlasts = False
        #: Where the reader stands that has all that left here, whichever way it took; the stream says where it begins.
        self.cursor = ""
        #: Set once it is on a channel: what is put from then on is newer than what its stream begins with.
        self.registered = LightEvent()
        #: What waits alone; otherwise it is in the queue, envelope by envelope.
        self._alone: Batch | None = None
        self._queue = _EMPTY
        self._bytes = 0
        #: How many have left at the head; the place of an envelope is that and its index.
        self._taken = 0
        #: Place of the newest of each conflated type; one before the head has been taken.
        self._newest: dict[str, int] = {}
        self._lapsed = False
        #: Whether it lapsed by our own fault.
        self._lost = False
        self._is_hopeless = False
        #: Whether the channel is gone; None once the stream has met that.
        self._has_left: bool | None = False
        self._ended: Exception | None = None
        self._waiting: asyncio.Future[None] | None = None

    def __len__(self) -> int:
        """How many envelopes wait."""
        return len(self._queue) + (len(self._alone) if self._alone else 0)

    @property
    def is_lapsed(self) -> bool:
        """Whether something was dropped, and the reader has not taken up again."""
        return self._lapsed

    @property
    def has_left_channel(self) -> bool:
        """Whether the channel is gone: what the reader asks of it can have no answer any more."""
        return self._has_left is not False

    @property
    def queued_bytes(self) -> int:
        """How many bytes of payload wait, as JSON."""
        return self._bytes + (self._alone.size if self._alone else 0)

    def put_nowait(self, batch: Sequence[Envelope]) -> None:
        """Queue `batch`, in order, for the reader; behind all that was published to its channel before."""
        self._catch_up()
        if isinstance(batch, Batch):
            self.put_next(batch)
        else:
            self._queue_up(batch)

    def put_next(self, batch: Batch) -> None:
        """Queue what comes next on the reader's channel: `put_nowait` for its lane, which runs for every reader."""
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
        elif self._has_alone(batch):
            self._wake()
        else:
            self._queue_up(batch)

    def _queue_up(self, batch: Sequence[Envelope]) -> None:
        if self._ended is not None:
            return
        self._conflate(self._alone or ())
        self._alone = None
        self._conflate(self._cached(batch) if self._lapsed else batch)
        if self._is_too_full():
            self._lapse()
        self._wake()

    def end(self, reason: Exception) -> None:
        """Let the reader finish the queue, then meet `reason`; the first call counts."""
        self._catch_up()
        if self._ended is None:
            self._ended = reason
            self._wake()

    def leave_channel(self, reason: Exception) -> None:
        """Tell the reader that nothing more comes from its channel, which ends it with `reason` unless it outlasts."""
        self._catch_up()
        # A board that is made anew under the same id has the same channel, and other readers.
        self.queue = None
        if self.outlasts:
            self._has_left = True
            self._wake()
        else:
            self.end(reason)

    def lose(self) -> None:
        """Drop what waits: something before it could not be given, so that the reader needs a `gap` and the present."""
        if self._ended is None and not self._lapsed:
            self._lost = True
            waiting = [*(self._alone or ()), *self._queue]
            self._alone = None
            self._queue = deque(waiting)
            self._lapse()
            self._wake()

    def resume(self) -> None:
        """Let what comes from now on wait again, after `SubscriberTooSlow` or `EnvelopesLost`.

        Raises:
            SubscriberTooSlow: there is no going on, replies alone were too many.
        """
        if self._is_hopeless:
            raise self._too_slow()
        if self.queue is not None:
            self.queue.mark_delivered(self)  # it is dropped as all before: the present that comes now has it
        self._lapsed = self._lost = False

    async def get(self) -> Envelope:
        """Return the next envelope, waiting for it.

        Raises:
            SubscriberTooSlow: something was dropped; `resume`, and read on.
            EnvelopesLost: something could not be given; `resume`, and read on.
            ChannelGone: once, where it outlasts its channel and that is gone.
            Exception: whatever `end` was given, once the queue is empty.
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
        """Return what waits, waiting for something: a batch that waits alone, or else `TAKEN_BYTES` of the queue.

        Raises:
            Exception: as `get`.
        """
        await self._filled()
        batch, self._alone = self._alone, None
        if batch is None:
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
        while self._lapsed or not (self._queue or self._alone):
            if self._lapsed:
                raise self._lapse_error()
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

    def _has_alone(self, batch: Batch) -> bool:
        """Keep `batch` as it is, if nothing else waits; else tell that it is not kept."""
        if self._queue or self._alone or self._lapsed or not batch:
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
        """Drop the newest of that type that waits, if any."""
        place = self._newest.pop(type, -1)
        if place >= self._taken:
            self._bytes -= self._queue[place - self._taken].size
            del self._queue[place - self._taken]
            self.metrics.counters.conflated += 1
            self._newest = {other: at - (at > place) for other, at in self._newest.items()}

    def _is_too_full(self) -> bool:
        count = len(self._queue)
        return count > self.limit or (self._bytes > self.limit_bytes and count > 1)

    def _lapse(self) -> None:
        self._lapsed = True
        self._restart_with(self._cached(self._queue))
        if self._is_too_full():
            self._restart_with(())
            self._is_hopeless = True

    def _restart_with(self, kept: Sequence[Envelope]) -> None:
        self._newest.clear()
        self._queue = deque(kept) if kept else _EMPTY
        self._bytes = sum(envelope.size for envelope in kept)

    def _cached(self, batch: Iterable[Envelope]) -> list[Envelope]:
        kept: list[Envelope] = []
        for envelope in batch:
            if envelope.type in CONTROL_TYPES:
                kept.append(envelope)
            elif envelope.cursor is not None:  # signs of life are nothing that one could miss
                self.metrics.counters.dropped += 1
        return kept

    def _lapse_error(self) -> Exception:
        return EnvelopesLost("what was published did not come here") if self._lost else self._too_slow()

    def _too_slow(self) -> SubscriberTooSlow:
        return SubscriberTooSlow(self._sentence())

    def _sentence(self) -> str:
        return f"more than {self.limit} envelopes or {self.limit_bytes} bytes waited for this reader"
