"""Callers, their actions, and the policy that the service checks before each action."""

from __future__ import annotations

from collections.abc import Collection, Hashable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar

from realtime.errors import NotFound
from realtime.kanban.ids import BoardId

__all__ = ["SERVER", "Access", "Action", "Caller", "OpenAccess", "board_not_found", "readable"]

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Caller:
    """The client that sends a request, or the server itself."""

    #: The name of the client's token, else its address; None for the server itself.
    client: str | None


#: The server's own requests, such as those of the demo.
SERVER = Caller(None)


class Action(StrEnum):
    """The actions that a policy distinguishes."""

    #: Read a board, its attempts and its log; follow its stream.
    READ = "read"
    #: Carry out commands on a board.
    WRITE = "write"
    #: Report events of a board, or global ones.
    PUBLISH = "publish"
    #: Read the dashboard and the agents, and follow the dashboard's stream.
    DASHBOARD = "dashboard"
    #: Create, change and delete projects.
    ADMIN = "admin"


class Access(Protocol):
    """A policy. Only the service checks it, before each operation."""

    def allows(self, caller: Caller, action: Action, board_id: BoardId | None) -> bool:
        """Return whether the caller may do this on a board; None stands for no particular board.

        If it may not, the service answers as if the board did not exist.
        """

    def scope(self, caller: Caller) -> Hashable:
        """Return a key that is equal for callers with the same rights, who may share results."""


class OpenAccess:
    """The policy that allows everything to everybody."""

    def allows(self, caller: Caller, action: Action, board_id: BoardId | None) -> bool:
        """Return True."""
        return True

    def scope(self, caller: Caller) -> Hashable:
        """Return one key for all."""
        return None


def board_not_found() -> NotFound:
    """Return the refusal for a board that does not exist, or that the caller may not see."""
    return NotFound("Board not found", "board_not_found")


def readable(access: Access, caller: Caller, keys: Collection[tuple[BoardId, _T]]) -> Collection[tuple[BoardId, _T]]:
    """Return the keys whose board the caller may read; the policy is checked once for each board."""
    boards = {board_id for board_id, _ in keys}
    hidden = {one for one in boards if not access.allows(caller, Action.READ, one)}
    return [key for key in keys if key[0] not in hidden] if hidden else keys
