"""What a subscription tells of its stream, and its results where many readers get the same: made once, kept for all.

The `EventSelector` maps an envelope to an event of the schema; a plan writes the event as the `data` of a result. The
envelope caches both, so only the first of all subscribers with one selection pays. The batch caches its results.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from realtime.caches import Cached
from realtime.errors import StreamEnded
from realtime.kanban.ids import BoardId
from realtime.messages.batches import Batch
from realtime.messages.envelopes import Envelope
from schema.plan.compiling import Plan

__all__ = ["BatchEncoding", "Encoding", "EventSelector", "Result", "Results", "Source"]


@dataclass(frozen=True, slots=True)
class EventSelector:
    """Which envelopes of a stream a subscription tells, and as what. Two that are equal tell the same."""

    mapping: Callable[..., Any]
    #: Board of the stream, for mappings that name it; None on the dashboard.
    board: BoardId | None
    #: The one type that is told; None = all.
    only: str | None = None
    #: Types that are not.
    without: frozenset[str] = frozenset()

    def tells(self, envelope: Envelope) -> bool:
        """Tell whether the subscription has a result for `envelope`."""
        return self.only in (None, envelope.type) and envelope.type not in self.without

    def event_of(self, envelope: Envelope) -> Any:
        """Return the event of the schema that stands for `envelope`, the same object for all readers."""
        return envelope.cached(self)

    def __call__(self, envelope: Envelope) -> Any:
        """Make that event.

        Raises:
            UnexpectedEnvelope: the mapping is behind the core.
        """
        return self.mapping(envelope) if self.board is None else self.mapping(envelope, self.board)


@dataclass(frozen=True, slots=True)
class Encoding:
    """How one selection writes what one subscription tells: `envelope.cached(encoding)` does it once."""

    plan: Plan
    selector: EventSelector

    def __call__(self, envelope: Envelope) -> bytes | None:
        """Return the `data` of the result as JSON; None where graphql-core is to execute it."""
        return self.plan.encoded(self.selector.event_of(envelope))


@dataclass(frozen=True, slots=True)
class Result:
    """A result without errors."""

    #: JSON.
    data: bytes
    #: Where a reader stands that has it, as in `Context`.
    cursor: str | None


class Results(Cached, tuple[Result, ...]):  # noqa: SLOT001 - what is made of them is kept in them
    """The results of a batch, in order; none where the subscription tells nothing of it."""

    def __init__(self, _: Iterable[Result] = ()) -> None:
        """Hold the results, as a tuple does."""
        self._cached = {}


@dataclass(frozen=True, slots=True)
class BatchEncoding:
    """`batch.cached(encoding)`: all results of a batch."""

    encoding: Encoding

    def __call__(self, batch: Batch) -> Results | None:
        """Return the results; None where some of them are not for this way."""
        made: list[Result] = []
        for envelope in filter(self.encoding.selector.tells, batch):
            data = envelope.cached(self.encoding)
            # What ends a stream is told by the stream itself, with all that belongs to it.
            if data is None or envelope.type == "goodbye":
                return None
            made.append(Result(data, envelope.cursor))
        return Results(made)


@dataclass(frozen=True, slots=True)
class Source:
    """A stream that has not begun yet, and the selector of a subscription on it; its holder closes it."""

    selector: EventSelector
    batches: AsyncGenerator[Batch, None]
    #: The ending that `Goodbye` has told already, so that no error needs to.
    completing: type[StreamEnded] | tuple[()] = ()
