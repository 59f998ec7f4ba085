"""What a subscription's resolver finds: the stream that is read, and what is told of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from realtime.batches import Batch
from realtime.errors import StreamEnded
from schema.telling import Telling

__all__ = ["Source"]


@dataclass(frozen=True, slots=True)
class Source:
    """A stream that is not begun yet; whoever has it closes it."""

    telling: Telling
    batches: AsyncGenerator[Batch, None]
    #: The ending that `Goodbye` has told already, so that no error needs to.
    completing: type[StreamEnded] | tuple[()] = ()
