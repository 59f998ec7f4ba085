"""The data of one input: the steps of a client on one connection, and the number of expected answers.

`entries` and `sequences` make inputs, `exchange` executes them, and `judge` evaluates the results.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from tests.fuzz.tokens import Tokens

__all__ = ["Access", "Deaf", "Facts", "Input", "Leave", "Pause", "Say", "Step", "Talk"]


class Talk(StrEnum):
    """The protocol of the client's bytes."""

    HTTP = "http"
    WEBSOCKET = "websocket"


class Access(StrEnum):
    """The permission of the client."""

    TOKEN = "token"
    NONE = "none"
    WRONG = "wrong"


@dataclass(frozen=True)
class Say:
    """Send these bytes."""

    data: bytes


@dataclass(frozen=True)
class Pause:
    """Wait until the server sends something, or briefly, so that it reads the next bytes in another pass."""


@dataclass(frozen=True)
class Deaf:
    """Stop reading: the bytes of the server fill its own buffers."""


@dataclass(frozen=True)
class Leave:
    """Send nothing more: half-close, reset, or hold the connection open until the server ends it."""

    how: Literal["half-close", "reset", "hold"]


Step = Say | Pause | Deaf | Leave


@dataclass(frozen=True)
class Facts:
    """The data of a running server that inputs use. Everything else depends on seed and number."""

    #: The valid token, None if the server has no authentication.
    token: str | None
    #: A cursor in the log of the first board.
    cursor: str
    #: Tokens of every kind.
    tokens: Tokens = field(default_factory=Tokens)


@dataclass(frozen=True)
class Input:
    """The bad input of one connection."""

    seed: int
    number: int
    entry: str
    talk: Talk
    steps: tuple[Step, ...]
    #: The number of answers that HTTP requires for these bytes, whatever they are; 0 if the request is not complete.
    owed: int = 1
    #: Whether every frame is complete, so that the next bytes are read as frames.
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
        """How the client leaves, None if it waits for its answers."""
        return next((step for step in self.steps if isinstance(step, Leave)), None)
