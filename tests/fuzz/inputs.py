"""The shape of one input: the steps a client takes on one connection, and what the server owes it for them.

An input is data. `doors` and `sequences` make it, `exchange` carries it out, `judge` compares it with what came back.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

__all__ = ["Access", "Deaf", "Facts", "Input", "Leave", "Pause", "Say", "Step", "Talk"]


class Talk(StrEnum):
    """The protocol that the client's bytes mean to be."""

    HTTP = "http"
    WEBSOCKET = "websocket"


class Access(StrEnum):
    """The right with which a client comes."""

    TOKEN = "token"
    NONE = "none"
    WRONG = "wrong"


@dataclass(frozen=True)
class Say:
    """Send these bytes."""

    data: bytes


@dataclass(frozen=True)
class Pause:
    """Wait until the server says more, or for a moment: so that the next bytes come in a turn of their own."""


@dataclass(frozen=True)
class Deaf:
    """Read nothing from here on: what the server sends fills its own buffers."""


@dataclass(frozen=True)
class Leave:
    """Send nothing more: half-close, reset, or hold the connection open until the server ends it."""

    how: Literal["half-close", "reset", "hold"]


Step = Say | Pause | Deaf | Leave


@dataclass(frozen=True)
class Facts:
    """What inputs may name of a running server; all else of an input comes from seed and number."""

    #: The right token, None where nothing authenticates.
    token: str | None
    #: A cursor that stands in the log of the first board.
    cursor: str


@dataclass(frozen=True)
class Input:
    """One connection's worth of rubbish."""

    seed: int
    number: int
    door: str
    talk: Talk
    steps: tuple[Step, ...]
    #: Answers that HTTP wants for these bytes, whatever they are; 0 where the request is not whole.
    owed: int = 1
    #: Whether every frame is whole, so that what is sent behind them is read as frames.
    aligned: bool = True

    @property
    def sent(self) -> bytes:
        """All the bytes, one after the other."""
        return b"".join(step.data for step in self.steps if isinstance(step, Say))

    @property
    def head_only(self) -> bool:
        """Whether the first answer belongs to a HEAD request, and so has no body."""
        return self.sent.lstrip(b"\r\n").startswith(b"HEAD ")

    @property
    def leaves(self) -> Leave | None:
        """How the client goes, None when it waits for what it is owed."""
        return next((step for step in self.steps if isinstance(step, Leave)), None)
