"""Limits of client requests and of stored data (docs/protocol.md, "Limits"), with one refusal for all of them.

A capacity is checked inside the write unit that would exceed it (`kanban.capacity`, `ingest_plan`), so two units at
once cannot both pass. The bus checks rates (`rates`).
"""

from __future__ import annotations

from dataclasses import dataclass

from realtime.errors import FieldError, Refused

__all__ = ["FULL_SECONDS", "Capacity", "LimitReached"]

#: Seconds after which a client may try again when a capacity is full.
FULL_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Capacity:
    """The most that is stored. Data above a limit stays, and may only become less."""

    boards: int = 20_000
    agents: int = 1_000
    #: Profiles of all agents together.
    profiles: int = 1_000
    cards_per_board: int = 10_000
    #: Bytes of a state on the wire, accurate to a few bytes per card.
    board_bytes: int = 10 * 1024 * 1024
    #: Access tokens, of which the expired ones make room for new ones.
    access_tokens: int = 1_000


class LimitReached(Refused):
    """A limit is reached: 429 with `Retry-After`, `error rate_limited`, `RATE_LIMITED`; nothing was changed."""

    code = "rate_limited"

    def __init__(self, message: str, retry_after_seconds: int = FULL_SECONDS, *fields: FieldError) -> None:
        """Store the text, the seconds until the client may try again, and the surplus events of a batch."""
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds
        self.fields = fields
