"""The form of a row, and the answer that follows from a row, a token and the way in which the token is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tests.doors.tokens import BOARD, Standing, Token

__all__ = [
    "CONTENT",
    "KNOWN",
    "OPEN",
    "UNIDENTIFIED",
    "Needs",
    "Row",
    "Way",
    "answer_to",
    "needs",
    "needs_everywhere",
    "standing",
]

#: The end of an outcome whose body has the content of the board.
CONTENT = " with content"


#: On no board: without a token, without a wrong one, with a valid one. On `BOARD`, or on all boards.
_Place = Literal["open", "unidentified", "known", "board", "everywhere"]


@dataclass(frozen=True)
class Needs:
    """The action that an operation needs, and the place where."""

    place: _Place
    action: str = ""


#: Needs no token.
OPEN = Needs("open")
#: Needs no token, and refuses a wrong one.
UNIDENTIFIED = Needs("unidentified")
#: Needs a valid token, whatever its grants.
KNOWN = Needs("known")


def needs(action: str) -> Needs:
    """Return the need for an action on `BOARD`."""
    return Needs("board", action)


def needs_everywhere(action: str) -> Needs:
    """Return the need for an action on all boards."""
    return Needs("everywhere", action)


@dataclass(frozen=True, kw_only=True)
class Row:
    """An operation. Its outcomes are texts in the form of `tests.doors.asking`."""

    name: str
    needs: Needs
    #: The outcome if the grants allow it.
    granted: str
    #: The outcome if the caller may not read the board, as for an unknown board.
    hidden: str = ""
    #: The outcome if the caller may read the board, and not do this.
    forbidden: str = ""
    #: Whether it changes the store when it is granted.
    changes: bool = False
    #: The reason, if the row is an exception.
    reason: str = ""

    def admits(self, judged: Standing) -> bool:
        """Return whether a client with such a token is answered at all."""
        if judged is Standing.VALID or self.needs is OPEN:
            return True
        return judged is Standing.ABSENT and self.needs is UNIDENTIFIED

    @property
    def names_board(self) -> bool:
        """Whether the request is about one board."""
        return self.needs.place == "board"


@dataclass(frozen=True)
class Way:
    """A place in a request that may hold a token."""

    name: str
    #: Whether the server looks for a token there.
    counts: bool = True
    #: Whether the token comes after the handshake of a WebSocket.
    after_handshake: bool = False
    #: Whether the token is that of a session, whose cookie the request has. One that has ended counts as no token.
    by_session: bool = False
    #: Whether the request has the cookie of the operator, too, which must not count.
    beside_cookie: bool = False


def standing(token: Token, way: Way) -> Standing:
    """Return the judgement about a token that is given in this way."""
    is_ended = way.by_session and token.standing is Standing.INVALID
    return token.standing if way.counts and not is_ended else Standing.ABSENT


def answer_to(row: Row, token: Token) -> str:
    """Return the outcome for a caller with a valid token."""
    needed = row.needs
    if needed.place in ("open", "unidentified", "known"):
        return row.granted
    board = BOARD if row.names_board else None
    is_hidden = board is not None and not token.may("read", board)
    # A program that only reports events need not read.
    if token.may(needed.action, board) and (not is_hidden or needed.action == "publish"):
        return row.granted
    return row.hidden if is_hidden else row.forbidden
