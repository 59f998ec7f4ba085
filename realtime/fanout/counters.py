"""Counters: plain numbers, by exit and by reason. `/metrics` reads them at each request.

All but `readers` only grow. Exits and reasons are few and fixed words; no text of a client is among them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from realtime.endings import CLIENT_LEFT, Ending, ending_of
from realtime.errors import ChannelGone
from realtime.messages.batches import Batch

__all__ = [
    "ConnectionMetrics",
    "Counters",
    "ExitCounters",
]


@dataclass(slots=True)
class ExitCounters:
    """The numbers of one exit since the process began."""

    #: Streams that are open now.
    readers: int = 0
    #: Envelopes sent to clients.
    sent: int = 0
    #: Envelopes that a newer one of the same type replaced in a queue (conflation).
    conflated: int = 0
    #: Envelopes dropped because a subscriber was too slow; a `gap` or the end of the stream says so.
    dropped: int = 0
    #: Gaps sent, by reason.
    gaps: Counter[str] = field(default_factory=Counter)
    #: Streams that ended, by reason.
    ended: Counter[str] = field(default_factory=Counter)

    def sent_batch(self, batch: Batch) -> None:
        """Count a batch that is sent to a client."""
        self.sent += len(batch)
        if batch.gaps:
            self.gaps.update(batch.gaps)


@dataclass(slots=True)
class ConnectionMetrics:
    """Counts the streams of one connection under its exit."""

    counters: ExitCounters = field(default_factory=ExitCounters)
    #: Why its streams end if they have no reason of their own. Code that closes the connection sets it before.
    close_reason: Ending = CLIENT_LEFT

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Count a stream as open for the length of the block, and then the reason of its end.

        A stream that stays open without its channel (`ChannelGone`) is counted as ended after its next block.
        """
        self.counters.readers += 1
        ended_by: BaseException | None = None
        try:
            yield
        except BaseException as error:
            ended_by = error
            raise
        finally:
            self.counters.readers -= 1
            if not isinstance(ended_by, ChannelGone):
                self.counters.ended[self._reason_of(ended_by)] += 1

    def _reason_of(self, error: BaseException | None) -> str:
        # Without an error, or with one that is no `Exception`, the stream was closed or cancelled.
        row = ending_of(error) if isinstance(error, Exception) else self.close_reason
        return row.metric


@dataclass(slots=True)
class Counters:
    """All counters of a node."""

    #: Name of the exit → its counters; `exit` adds them.
    exits: dict[str, ExitCounters] = field(default_factory=dict)
    #: Events that this process stored in the log.
    events_stored: int = 0
    #: Refused commands, by code.
    commands_refused: Counter[str] = field(default_factory=Counter)

    def exit(self, name: str) -> ExitCounters:
        """Return the counters of an exit."""
        return self.exits.setdefault(name, ExitCounters())
