"""What is counted: plain numbers, by exit and by reason. Whoever shows them reads them here, when asked to.

They only grow, but for `readers`. Exits and reasons are few and fixed words: nothing of a client's is among them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from realtime.errors import ChannelGone, StoreUnavailable, StreamEnded, SubscriberTooSlow
from realtime.messages.batches import Batch

__all__ = [
    "CLIENT_LEFT",
    "HEARTBEAT_TIMEOUT",
    "PING_TIMEOUT",
    "SEND_TIMEOUT",
    "ConnectionMetrics",
    "Counters",
    "ExitCounters",
]

#: Why a stream is closed from outside: the client left or vanished, took nothing, said nothing, answered no ping.
CLIENT_LEFT, SEND_TIMEOUT, HEARTBEAT_TIMEOUT = "client_left", "send_timeout", "heartbeat_timeout"
PING_TIMEOUT = "ping_timeout"
_FAULT = "internal_error"


@dataclass(slots=True)
class ExitCounters:
    """What one exit has done since the process began."""

    #: Streams that are open now.
    readers: int = 0
    #: Envelopes handed to clients.
    sent: int = 0
    #: Envelopes that a newer one of their type replaced while they waited.
    conflated: int = 0
    #: Envelopes that a reader was too slow for; a `gap` or its end tells the reader.
    dropped: int = 0
    #: Gaps announced, by reason.
    gaps: Counter[str] = field(default_factory=Counter)
    #: Streams that ended, by reason.
    ended: Counter[str] = field(default_factory=Counter)

    def told(self, batch: Batch) -> None:
        """Count envelopes that go to a client."""
        self.sent += len(batch)
        if batch.gaps:
            self.gaps.update(batch.gaps)


@dataclass(slots=True)
class ConnectionMetrics:
    """What one connection is counted under, with all its streams."""

    counters: ExitCounters = field(default_factory=ExitCounters)
    #: Why its streams end if nothing of their own ends them; who cuts the connection says so here before.
    close_reason: str = CLIENT_LEFT

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Count a stream as open for as long as the block runs, and then what ended it.

        A stream that stays open without its channel (`ChannelGone`) is counted as ended by its next block.
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
        match error:
            case StreamEnded():
                return error.code
            case SubscriberTooSlow():
                return "slow_consumer"
            case StoreUnavailable():
                return "store_unavailable"
            case Exception():
                return _FAULT
            case _:
                return self.close_reason  # it was closed or cancelled


@dataclass(slots=True)
class Counters:
    """All that a node counts."""

    #: Name of the exit → what it did; made by `exit`.
    exits: dict[str, ExitCounters] = field(default_factory=dict)
    #: Events stored in the log, by this process.
    events_stored: int = 0
    #: Commands refused, by code.
    commands_refused: Counter[str] = field(default_factory=Counter)

    def exit(self, name: str) -> ExitCounters:
        """Return the counters of an exit."""
        return self.exits.setdefault(name, ExitCounters())
