"""Limits of what clients may ask for and keep (docs/protocol.md, "Limits"), and the one refusal of all of them.

What is counted against a capacity is counted in the unit of writing that would exceed it (`kanban.capacity`,
`ingest_plan`), so that two at once cannot both pass; rates are the bus's (`rates`).
"""

from __future__ import annotations

from dataclasses import dataclass

from realtime.errors import FieldError, Refused

__all__ = ["FULL_SECONDS", "Capacity", "LimitReached"]

#: Seconds after which a client may look whether there is room again.
FULL_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Capacity:
    """The most that is kept. More that is there already stays, and may become less."""

    boards: int = 20_000
    agents: int = 1_000
    #: Profiles of all agents together.
    profiles: int = 1_000
    cards_per_board: int = 10_000
    #: Of a state as it is on the wire, but for a few bytes a card.
    board_bytes: int = 10 * 1024 * 1024


class LimitReached(Refused):
    """A limit is reached: 429 with `Retry-After`, `error rate_limited`, `RATE_LIMITED`; nothing was changed."""

    code = "rate_limited"

    def __init__(self, message: str, retry_after_seconds: int = FULL_SECONDS, *fields: FieldError) -> None:
        """Keep the sentence, when to come back, and the events of a batch that are too many."""
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds
        self.fields = fields
