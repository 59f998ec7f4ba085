"""What a reader asks of a stream; each exit reads it off its own request, and the streams know no exit."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["StreamOptions"]


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """The same for all exits; what is left out is as the original server did it."""

    #: The cursor at which the reader stood before; None = it begins with a snapshot.
    after: str | None = None
