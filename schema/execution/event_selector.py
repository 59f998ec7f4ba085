"""Selects the envelopes that a subscription shows, and encodes its results once for all equal subscriptions.

The `EventSelector` maps an envelope to an event of the schema; a plan encodes the event as the `data` of a result. The
envelope caches both, so only the first subscriber with a given selection pays. The batch caches its results.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from realtime.caches import Cached
from realtime.errors import StreamEnded
from realtime.kanban.ids import BoardId
from realtime.messages.batches import Batch
from realtime.messages.envelopes import Envelope
from schema.plan.compiling import Plan

__all__ = ["QUICK_SECONDS", "BatchEncoding", "Encoding", "EventSelector", "Result", "Results", "Source"]

#: Seconds in which all results of a batch are made at once.
QUICK_SECONDS = 0.005


@dataclass(frozen=True, slots=True)
class EventSelector:
    """Selects the envelopes of a stream for a subscription and maps them. Equal selectors give equal events."""

    mapping: Callable[..., Any]
    #: Board of the stream, for mappings that name it; None on the dashboard.
    board: BoardId | None
    #: The types that are selected; None = all types.
    types: frozenset[str] | None = None
    #: The attempts whose envelopes are selected, "" for a commit or push without one; None = all. Types of envelopes
    #: that never have an attempt are selected anyway.
    attempts: frozenset[str] | None = None

    def selects(self, envelope: Envelope) -> bool:
        """Return whether the subscription has a result for `envelope`."""
        if self.types is not None and envelope.type not in self.types:
            return False
        of: str | None = None if self.attempts is None else getattr(envelope.payload, "attempt_id", None)
        return of is None or self.attempts is None or of in self.attempts

    def event_of(self, envelope: Envelope) -> Any:
        """Return the schema's event for `envelope`; all subscribers get the same object."""
        return envelope.cached(self)

    def __call__(self, envelope: Envelope) -> Any:
        """Make the schema's event for `envelope`.

        Raises:
            UnexpectedEnvelope: the mapping does not know the type of the envelope.
        """
        return self.mapping(envelope) if self.board is None else self.mapping(envelope, self.board)


@dataclass(frozen=True, slots=True)
class Encoding:
    """Encodes the selected events by a plan: `envelope.cached(encoding)` does it once for each envelope."""

    plan: Plan
    selector: EventSelector

    def __call__(self, envelope: Envelope) -> bytes | None:
        """Return the `data` of the result as JSON; None = graphql-core must execute the event."""
        return self.plan.encoded(self.selector.event_of(envelope))


@dataclass(frozen=True, slots=True)
class Result:
    """A result without errors."""

    #: JSON.
    data: bytes
    #: The cursor after the event, as in `Context`.
    cursor: str | None


class Results(Cached, tuple[Result, ...]):  # noqa: SLOT001 - transports cache the encoded results in this object
    """The results of a batch, in order; empty when the subscription selects no envelope of it."""

    def __init__(self, _: Iterable[Result] = ()) -> None:
        """Contain the results, like a tuple, and begin with an empty cache."""
        self._cached = {}


@dataclass(frozen=True, slots=True)
class BatchEncoding:
    """`batch.cached(encoding)`: all results of a batch."""

    encoding: Encoding

    def __call__(self, batch: Batch) -> Results | None:
        """Return the results; None = the generators must make them: the plan does not cover all, or it takes long.

        An event may become thousands of changes, and each result may show the whole board. The generators let others
        have their turn between two results.
        """
        made: list[Result] = []
        end = perf_counter() + QUICK_SECONDS
        for envelope in filter(self.encoding.selector.selects, batch):
            if made and perf_counter() > end:
                return None
            data = envelope.cached(self.encoding)
            # The stream itself handles its end, so a goodbye is not written directly.
            if data is None or envelope.type == "goodbye":
                return None
            made.append(Result(data, envelope.cursor))
        return Results(made)


@dataclass(frozen=True, slots=True)
class Source:
    """A stream that has not begun yet, and the selector of a subscription on it; its holder closes it."""

    selector: EventSelector
    batches: AsyncGenerator[Batch, None]
    #: The ending that the event `Goodbye` reports, so that no error is needed for it.
    completing: type[StreamEnded] | tuple[()] = ()
