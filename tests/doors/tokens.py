"""The columns of the table: every kind of token, and what its grants allow."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

__all__ = ["BOARD", "EVERYWHERE", "OTHER", "TOKENS", "Source", "Standing", "Token"]

#: The board that the requests name, and another one.
BOARD, OTHER = "board-alpha", "board-other"
EVERYWHERE = "*"
_ALL = ("read", "write", "publish", "dashboard", "admin")


class Standing(Enum):
    """The judgement about a token, before its grants count."""

    ABSENT = auto()
    INVALID = auto()
    VALID = auto()


class Source(Enum):
    """The maker of a token."""

    NOBODY = auto()
    SETTINGS = auto()
    ADMIN = auto()
    IDENTITY_PROVIDER = auto()


@dataclass(frozen=True)
class Token:
    """A column: a token with its grants in the form of docs/access.md."""

    name: str
    can: tuple[str, ...] = ()
    boards: tuple[str, ...] = (BOARD,)
    source: Source = Source.ADMIN
    standing: Standing = Standing.VALID

    def may(self, action: str, board: str | None) -> bool:
        """Return whether the grants allow an action on a board; None = on no particular board, which needs `*`."""
        return action in self.can and (EVERYWHERE in self.boards or board in self.boards)


_EVERYWHERE = (EVERYWHERE,)
TOKENS = (
    Token("none", source=Source.NOBODY, standing=Standing.ABSENT),
    Token("wrong", source=Source.NOBODY, standing=Standing.INVALID),
    Token("expired", _ALL, _EVERYWHERE, standing=Standing.INVALID),
    Token("expired JWT", _ALL, _EVERYWHERE, Source.IDENTITY_PROVIDER, Standing.INVALID),
    Token("revoked", _ALL, _EVERYWHERE, standing=Standing.INVALID),
    Token("of another board", _ALL, (OTHER,)),
    Token("reader", ("read",)),
    Token("reader by JWT", ("read",), source=Source.IDENTITY_PROVIDER),
    Token("reader of all boards", ("read",), _EVERYWHERE),
    Token("writer", ("read", "write")),
    Token("writer that may not read", ("write", "admin")),
    Token("publisher", ("publish",)),
    Token("publisher that may read", ("read", "publish")),
    Token("publisher of all boards", ("publish",), _EVERYWHERE),
    Token("dashboard only", ("dashboard",), _EVERYWHERE),
    Token("admin of the board", ("read", "admin")),
    Token("admin", ("read", "admin"), _EVERYWHERE),
    Token("JWT without grants", (), (), Source.IDENTITY_PROVIDER),
    Token("static secret", _ALL, _EVERYWHERE, Source.SETTINGS),
)
