"""What a subscription's resolver finds: the stream that is read, and what is told of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from realtime.errors import StreamEnded
from realtime.messages.batches import Batch
from schema.execution.event_selector import EventSelector

__all__ = ["Source"]


@dataclass(frozen=True, slots=True)
class Source:
    """A stream that is not begun yet; whoever has it closes it."""

    selector: EventSelector
    batches: AsyncGenerator[Batch, None]
    #: The ending that `Goodbye` has told already, so that no error needs to.
    completing: type[StreamEnded] | tuple[()] = ()
