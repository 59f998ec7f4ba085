"""Callers, and what the service answers when their grants do not allow a request.

A board that a caller may not read does not exist for it: same code, same text, and no query that an unknown board would
not need. A caller that may read it, but not do more, gets `Forbidden`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TypeVar

from realtime.errors import Forbidden, NotFound
from realtime.kanban.grants import EVERYTHING, Action, Grants
from realtime.kanban.ids import BoardId
from realtime.lifetimes.credentials import Credential
from realtime.messages.channels import EVERYBODY, board_channel
from realtime.ports import RequestKey

__all__ = [
    "SERVER",
    "Caller",
    "board_not_found",
    "check_board",
    "check_change",
    "check_everywhere",
    "everywhere_forbidden",
    "readable",
    "request_key",
]

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Caller:
    """The client that sends a request, or the server itself."""

    #: The name of the client's token, else its address; None for the server itself.
    client: str | None
    #: The authenticated subject, to which idempotency keys belong; empty = anonymous.
    subject: str = ""
    grants: Grants = EVERYTHING
    #: The token, when it can expire or be revoked: the streams of the caller end with it.
    credential: Credential | None = None

    def may(self, action: Action, board_id: BoardId | None) -> bool:
        """Return whether the grants allow the action on a board; None stands for no particular board."""
        return self.grants.allow(action, board_id)


#: The server's own requests, such as those of the demo.
SERVER = Caller(None)


def board_not_found() -> NotFound:
    """Return the refusal for a board that does not exist, or that the caller may not see."""
    return NotFound("Board not found", "board_not_found")


def check_board(caller: Caller, action: Action, board_id: BoardId, missing: Callable[[], NotFound]) -> None:
    """Return if the caller may do this on a board.

    Raises:
        NotFound: that of `missing`, if the caller may not even read the board.
        Forbidden: it may read the board, and not do this.
    """
    if not caller.may(Action.READ, board_id):
        raise missing()
    if not caller.may(action, board_id):
        raise Forbidden(f"expected a token with the grant {action} on this board, got one without it")
    check_change(caller)


def check_change(caller: Caller) -> None:
    """Return if the caller's token may still change anything: the connection of a slow client outlives its token.

    Reading is not refused. The events of a subscription are executed for all equal callers at once, and the end of one
    of them must not change the results of the others.

    Raises:
        Forbidden: the token was revoked, or has expired.
    """
    if caller.credential is not None and caller.credential.end_reason is not None:
        raise Forbidden("expected a valid token, this one has expired or was revoked")


def check_everywhere(caller: Caller, action: Action) -> None:
    """Return if the caller may do this on all boards.

    Raises:
        Forbidden: it may not.
    """
    if not caller.may(action, None):
        raise everywhere_forbidden(action)


def everywhere_forbidden(action: Action) -> Forbidden:
    """Return the refusal for an action that needs the grant on all boards."""
    return Forbidden(f"expected a token with the grant {action} on all boards, got one without it")


def request_key(caller: Caller, board_id: BoardId | None, text: str | None) -> RequestKey | None:
    """Return the caller's idempotency key for a request about a board, or about projects (None)."""
    scope = EVERYBODY if board_id is None else board_channel(board_id)
    return None if text is None else RequestKey(scope, caller.subject, text)


def readable(caller: Caller, keys: Collection[tuple[BoardId, _T]]) -> Collection[tuple[BoardId, _T]]:
    """Return the keys whose board the caller may read; each board is checked once."""
    hidden = {one for one in {board_id for board_id, _ in keys} if not caller.may(Action.READ, one)}
    return [key for key in keys if key[0] not in hidden] if hidden else keys
