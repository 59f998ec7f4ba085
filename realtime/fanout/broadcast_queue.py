"""A lane: the readers of one channel, and what they have yet to be given.

Giving costs a system call for each reader, and a crowd takes longer than the next event takes to come. So a lane goes
round its readers in turns of the event loop, between which everything else has its turn too; what is published
meanwhile is given in the next round, joined to one batch, so that the busier a channel is, the less each event costs.
A lane that is not under way gives at once.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from itertools import islice

from realtime.fanout.subscriber import Subscriber
from realtime.fanout.writer_priority import WriterPriority
from realtime.messages.batches import Batch

__all__ = ["JOINED_BYTES", "JOINED_ENVELOPES", "TURN_READERS", "BroadcastQueue"]

log = logging.getLogger(__name__)
#: Readers that are given something in one turn of the event loop: a third of a millisecond of system calls.
TURN_READERS = 16
#: Most bytes of payload, and most envelopes, of batches that are joined to one.
JOINED_BYTES, JOINED_ENVELOPES = 64 * 1024, 1000
_FAULT = "a reader could not be given what was published; it ends, and comes back with its cursor"


class BroadcastQueue:
    """Gives each batch to every reader that was there when it was published.

    1. Each reader is given what was published since it was added, in order, once.

    2. `give` brings one reader up to date before its turn: whoever is about to tell it something else, or to end it,
       does that first, and nothing is overtaken.
    3. Joined batches are the same for all who are given them.
    """

    __slots__ = ("_first", "_joined", "_readers", "_round", "_seen_by_all", "_waiting", "_way")

    def __init__(self, way: WriterPriority) -> None:
        """Begin without readers; `way` says when the next are to be given something."""
        self._way = way
        #: Reader → number of the batch that it is to be given next.
        self._readers: dict[Subscriber, int] = {}
        #: Batches that some reader may not have, and the number of the first of them. As many as are published in one
        #: round, which ends whatever readers do: what waits beyond that waits in their queues, which have bounds.
        self._waiting: list[Batch] = []
        self._first = 0
        #: The readers whose turn is to come in this round; None between rounds.
        self._round: Iterator[Subscriber] | None = None
        #: Number up to which all have been given everything when the round is over.
        self._seen_by_all = 0
        #: The last batches that were joined: from which number to which, and what came of them.
        self._joined: tuple[int, int, Sequence[Batch]] = (0, 0, ())

    def __len__(self) -> int:
        """How many readers there are."""
        return len(self._readers)

    @property
    def is_under_way(self) -> bool:
        """Whether somebody has yet to be given something in another turn of the loop."""
        return bool(self._waiting)

    def add(self, reader: Subscriber) -> None:
        """Give `reader` what is published from now on."""
        self._readers[reader] = self._end

    def remove(self, reader: Subscriber) -> None:
        """Give `reader` nothing more; `end` has removed all."""
        self._readers.pop(reader, None)

    def publish(self, batch: Batch) -> None:
        """Give `batch` to all readers: to the first ones at once, unless a round is under way."""
        if not batch:
            return
        self._waiting.append(batch)
        if self._round is None:
            self._begin_round()

    def deliver(self, reader: Subscriber) -> None:
        """Give `reader` all that it has not been given, now."""
        start, end = self._readers[reader], self._end
        if start < end:
            self._readers[reader] = end
            for batch in self._since(start, end):
                reader.put_next(batch)

    def mark_delivered(self, reader: Subscriber) -> None:
        """Take as given to `reader` all that there is."""
        self._readers[reader] = self._end

    def end(self, reason: Exception) -> None:
        """Tell all readers that there is no more, which ends with `reason` those that do not outlast the lane."""
        for reader in list(self._readers):
            try:
                self.deliver(reader)
            except Exception as fault:
                log.exception(_FAULT)
                reader.end(fault)
            else:
                reader.leave_channel(reason)
        self._readers.clear()

    def lose(self) -> None:
        """Give up what waits: each reader, wherever it stands, gets a `gap` and the present instead."""
        self._round = None
        self._first = self._seen_by_all = self._end
        self._waiting.clear()
        self._joined = (0, 0, ())
        for reader in list(self._readers):
            self._readers[reader] = self._first
            try:
                reader.lose()
            except Exception as fault:
                log.exception(_FAULT)
                reader.end(fault)

    @property
    def _end(self) -> int:
        return self._first + len(self._waiting)

    def _begin_round(self) -> None:
        self._round, self._seen_by_all = iter(list(self._readers)), self._end
        self._go_on()

    def _go_on(self) -> None:
        """Give to the next readers; come back for the others in another turn, and for what was published meanwhile."""
        if self._round is None:
            return
        try:
            self._take_turn(self._round)
        except Exception:
            # Ours; a lane that stood still here would stand still for ever.
            log.exception("a channel's readers could not be given what was published, they get the present")
            self.lose()

    def _take_turn(self, round: Iterator[Subscriber]) -> None:
        turn = list(islice(round, TURN_READERS))
        for reader in turn:
            # Not one more call here: what a reader costs, it costs for each event and reader.
            try:
                if reader in self._readers:
                    self.deliver(reader)
            except Exception as fault:
                # Ours, and this reader's end; the others have their turn.
                log.exception(_FAULT)
                reader.end(fault)
        if len(turn) < TURN_READERS:
            self._end_round()
        else:
            self._way.call_when_free(self._go_on)

    def _end_round(self) -> None:
        self._round = None
        del self._waiting[: self._seen_by_all - self._first]
        self._first = self._seen_by_all
        self._joined = (0, 0, ())
        if self._waiting:
            self._way.call_when_free(self._next_round)

    def _next_round(self) -> None:
        if self._round is None and self._waiting:
            self._begin_round()

    def _since(self, start: int, end: int) -> Sequence[Batch]:
        if (start, end) != self._joined[:2]:
            self._joined = (start, end, list(_joined(self._waiting[start - self._first : end - self._first])))
        return self._joined[2]


def _joined(batches: Sequence[Batch]) -> Iterator[Batch]:
    """Yield the batches, small ones that follow each other as one."""
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
