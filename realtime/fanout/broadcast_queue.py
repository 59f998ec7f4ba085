"""A broadcast queue: the subscribers of one channel, and the batches that some of them do not have yet.

A delivery costs one system call for each subscriber, and with many subscribers it takes longer than the time between
two events. So a broadcast queue delivers in passes: some subscribers in each turn of the event loop, and other work
between the turns. Batches that are published during a pass are joined and delivered in the next pass, so the busier a
channel is, the less each event costs. Without a pass under way, delivery starts at once.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, KeysView, Sequence
from operator import length_hint
from time import perf_counter

from realtime.fanout.subscriber import Subscriber
from realtime.fanout.writer_priority import WriterPriority
from realtime.messages.batches import Batch

__all__ = ["JOINED_BYTES", "JOINED_ENVELOPES", "TURN_SUBSCRIBERS", "BroadcastQueue"]

log = logging.getLogger(__name__)
#: Most subscribers that are served in one turn of the event loop: about a third of a millisecond of system calls. After
#: `TURN_SECONDS` a turn serves no more: results of 16 different GraphQL subscriptions took up to 80 ms (measured).
TURN_SUBSCRIBERS, TURN_SECONDS = 16, 0.004
#: Most bytes of payload, and most envelopes, of a joined batch.
JOINED_BYTES, JOINED_ENVELOPES = 64 * 1024, 1000
_FAULT = "a batch could not be delivered to a subscriber; the subscriber ends, and its client resumes with its cursor"


class BroadcastQueue:
    """Delivers each batch to every subscriber that was there when the batch was published.

    1. Each subscriber gets every batch that was published after it was added, in order, once.
    2. `deliver` serves one subscriber before its turn. Code that is about to send something else to a subscriber, or to
       end it, calls `deliver` first, so nothing is overtaken.
    3. A joined batch is the same object for all its subscribers.
    """

    __slots__ = ("_delivered_to_all", "_first", "_joined", "_pass", "_priority", "_subscribers", "_waiting")

    def __init__(self, priority: WriterPriority) -> None:
        """Begin without subscribers; `priority` schedules the turns of a pass."""
        self._priority = priority
        #: Subscriber → number of the next batch to deliver to it.
        self._subscribers: dict[Subscriber, int] = {}
        #: Batches that some subscriber may not have, and the number of the first of them. A pass always ends, so these
        #: are the batches of at most two passes. Slow subscribers wait in their own bounded queues.
        self._waiting: list[Batch] = []
        self._first = 0
        #: The subscribers that this pass has yet to serve; None between passes.
        self._pass: Iterator[Subscriber] | None = None
        #: Number of the first batch that this pass does not deliver to all.
        self._delivered_to_all = 0
        #: The last join: first number, number behind the last, joined batches.
        self._joined: tuple[int, int, Sequence[Batch]] = (0, 0, ())

    def __len__(self) -> int:
        """Return the number of subscribers."""
        return len(self._subscribers)

    @property
    def subscribers(self) -> KeysView[Subscriber]:
        """The subscribers, in no order."""
        return self._subscribers.keys()

    @property
    def is_under_way(self) -> bool:
        """Whether a later turn of the event loop has something to deliver."""
        return bool(self._waiting)

    def add(self, subscriber: Subscriber) -> None:
        """Deliver to `subscriber` every batch that is published from now on."""
        self._subscribers[subscriber] = self._end

    def remove(self, subscriber: Subscriber) -> None:
        """Deliver nothing more to `subscriber`; it may be gone already, as `end` removes all."""
        self._subscribers.pop(subscriber, None)

    def publish(self, batch: Batch) -> None:
        """Deliver `batch` to all subscribers; the first turn runs at once, unless a pass is under way."""
        if not batch:
            return
        self._waiting.append(batch)
        if self._pass is None:
            self._begin_pass()

    def deliver(self, subscriber: Subscriber) -> None:
        """Deliver to `subscriber` now all batches that it does not have."""
        start, end = self._subscribers[subscriber], self._end
        if start < end:
            self._subscribers[subscriber] = end
            for batch in self._since(start, end):
                subscriber.put_next(batch)

    def mark_delivered(self, subscriber: Subscriber) -> None:
        """Count all batches so far as delivered to `subscriber`."""
        self._subscribers[subscriber] = self._end

    def end(self, reason: Exception) -> None:
        """Deliver what is left, then end the channel: `reason` ends each subscriber that does not outlast it."""
        for subscriber in list(self._subscribers):
            try:
                self.deliver(subscriber)
            except Exception as fault:
                log.exception(_FAULT)
                subscriber.end(fault)
            else:
                subscriber.leave_channel(reason)
        self._subscribers.clear()

    def lose(self) -> None:
        """Drop the waiting batches: each subscriber, wherever it stands, resyncs (`gap`, then `state`)."""
        self._pass = None
        self._first = self._delivered_to_all = self._end
        self._waiting.clear()
        self._joined = (0, 0, ())
        for subscriber in list(self._subscribers):
            self._subscribers[subscriber] = self._first
            try:
                subscriber.lose()
            except Exception as fault:
                log.exception(_FAULT)
                subscriber.end(fault)

    @property
    def _end(self) -> int:
        return self._first + len(self._waiting)

    def _begin_pass(self) -> None:
        self._pass, self._delivered_to_all = iter(list(self._subscribers)), self._end
        self._go_on()

    def _go_on(self) -> None:
        """Serve the next subscribers of the pass; the others get their turn later."""
        if self._pass is None:
            return
        try:
            self._take_turn(self._pass)
        except Exception:
            # A fault of ours. Without a resync the broadcast queue would never deliver again.
            log.exception("a batch could not be delivered to the subscribers of a channel; they resync")
            self.lose()

    def _take_turn(self, subscribers: Iterator[Subscriber]) -> None:
        ends = perf_counter() + TURN_SECONDS
        for served, subscriber in enumerate(subscribers, 1):
            # No further call here: each one costs its time for every event and every subscriber.
            try:
                if subscriber in self._subscribers:
                    self.deliver(subscriber)
            except Exception as fault:
                # A fault of ours ends this subscriber; the others are served.
                log.exception(_FAULT)
                subscriber.end(fault)
            if served == TURN_SUBSCRIBERS or (perf_counter() > ends and length_hint(subscribers)):
                self._priority.call_when_free(self._go_on)
                return
        self._end_pass()

    def _end_pass(self) -> None:
        self._pass = None
        del self._waiting[: self._delivered_to_all - self._first]
        self._first = self._delivered_to_all
        self._joined = (0, 0, ())
        if self._waiting:
            self._priority.call_when_free(self._next_pass)

    def _next_pass(self) -> None:
        if self._pass is None and self._waiting:
            self._begin_pass()

    def _since(self, start: int, end: int) -> Sequence[Batch]:
        if (start, end) != self._joined[:2]:
            self._joined = (start, end, list(_joined(self._waiting[start - self._first : end - self._first])))
        return self._joined[2]


def _joined(batches: Sequence[Batch]) -> Iterator[Batch]:
    """Yield the batches; small ones that follow each other come as one."""
    run: list[Batch] = []
    for batch in batches:
        if run and not _fits([*run, batch]):
            yield _one(run)
            run = []
        run.append(batch)
    yield _one(run)


def _fits(run: Sequence[Batch]) -> bool:
    return sum(map(len, run)) <= JOINED_ENVELOPES and sum(batch.size for batch in run) <= JOINED_BYTES


def _one(run: Sequence[Batch]) -> Batch:
    return run[0] if len(run) == 1 else Batch([envelope for batch in run for envelope in batch])
