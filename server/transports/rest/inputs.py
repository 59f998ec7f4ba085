"""Parses bodies of REST calls. An invalid body gives 400 with each field (docs/departures.md, rows 11 and 21)."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from realtime.errors import InvalidInput, field_errors
from realtime.kanban.commands import parse_command
from server.problem import Problem

__all__ = ["StopPatch", "command_of", "input_of"]

_M = TypeVar("_M", bound=BaseModel)
_C = TypeVar("_C", bound=BaseModel)


class StopPatch(BaseModel):
    """`PATCH /attempts/:id`: the only possible change is to stop the attempt."""

    model_config = ConfigDict(frozen=True)

    status: Annotated[str, StringConstraints(pattern="^stopped$")]


def input_of(kind: type[_M], body: dict[str, Any]) -> _M:
    """Parse a body.

    Raises:
        Problem: 400 with the invalid fields.
    """
    try:
        return kind.model_validate(body)
    except ValidationError as error:
        raise _bad_request(InvalidInput(*field_errors(error))) from error


def command_of(kind: type[_C], body: dict[str, Any], **names: str) -> _C:
    """Parse a body into a command; `names` maps fields of the command to the client's names.

    Raises:
        Problem: 400 with the invalid fields.
    """
    try:
        return parse_command(kind, body)
    except InvalidInput as refused:
        fields = (replace(field, field=names.get(field.field, field.field)) for field in refused.fields)
        raise _bad_request(InvalidInput(*fields)) from refused


def _bad_request(refused: InvalidInput) -> Problem:
    return Problem(400, refused.message, errors=refused.fields)
