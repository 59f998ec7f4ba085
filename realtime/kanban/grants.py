"""Grants: the actions that a caller may do, and the boards on which. Pure.

The JSON form, in tokens and in the claim `boardcast` of JSON Web Tokens, is `{"boards": [ids], "can": [actions]}`;
`"boards": ["*"]` stands for all boards (docs/access.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError

from realtime.errors import InvalidInput, field_errors
from realtime.kanban.ids import BoardId, Id

__all__ = [
    "EVERYTHING",
    "MAX_BOARDS",
    "NOTHING",
    "Action",
    "Actions",
    "Boards",
    "Grants",
    "grants_of",
    "parse_grants",
]

#: Most boards that one token names.
MAX_BOARDS = 1_000
#: Most actions, with repetitions.
MAX_ACTIONS = 20
ALL_BOARDS = "*"


class Action(StrEnum):
    """The actions that grants distinguish."""

    #: Read a board, its attempts and its log; follow its stream.
    READ = "read"
    #: Carry out commands on a board.
    WRITE = "write"
    #: Report events of a board, or global ones.
    PUBLISH = "publish"
    #: Read the dashboard and the agents, and follow the dashboard's stream.
    DASHBOARD = "dashboard"
    #: Create, change and delete projects; make and revoke access tokens; read the metrics.
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Grants:
    """The actions of a caller, and the boards on which; equal grants give equal answers."""

    actions: frozenset[Action]
    #: None = all boards, also those that are made later.
    boards: frozenset[BoardId] | None

    def allow(self, action: Action, board_id: BoardId | None) -> bool:
        """Return whether the action is granted on a board. None = on no particular board, which needs all boards."""
        return action in self.actions and (self.boards is None or board_id in self.boards)

    def boards_for(self, action: Action) -> frozenset[BoardId] | None:
        """Return the boards on which the action is granted; None = all."""
        return self.boards if action in self.actions else frozenset()

    def as_json(self) -> dict[str, list[str]]:
        """Return the JSON form, sorted."""
        return {"boards": self.board_names(), "can": sorted(self.actions)}

    def board_names(self) -> list[str]:
        """Return the ids of the boards, sorted; `*` for all."""
        return [ALL_BOARDS] if self.boards is None else sorted(self.boards)

    def include(self, others: Grants) -> bool:
        """Return whether a caller with these grants may do everything that `others` allow."""
        boards = self.boards is None or (others.boards is not None and others.boards <= self.boards)
        return others.actions <= self.actions and boards


EVERYTHING = Grants(frozenset(Action), None)
NOTHING = Grants(frozenset(), frozenset())
Boards = Annotated[list[Id], Field(max_length=MAX_BOARDS)]
Actions = Annotated[list[Action], Field(max_length=MAX_ACTIONS)]


class _Form(BaseModel):
    boards: Boards
    can: Actions


def parse_grants(value: Mapping[str, Any]) -> Grants:
    """Parse the JSON form.

    Raises:
        InvalidInput: `value` is none; unknown keys are ignored.
    """
    try:
        read = _Form.model_validate(value)
    except ValidationError as error:
        raise InvalidInput(*field_errors(error)) from error
    return grants_of(read.boards, read.can)


def grants_of(boards: Iterable[str], actions: Iterable[Action]) -> Grants:
    """Return the grants for lists of boards and actions, whose order and repetitions do not matter."""
    named = frozenset(map(BoardId, boards))
    return Grants(frozenset(actions), None if ALL_BOARDS in named else named)
