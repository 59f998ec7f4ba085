"""Parses bodies of REST calls. An invalid body gives 400 with each field (docs/departures.md, rows 11 and 21)."""

from __future__ import annotations

from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel
from starlette.requests import Request

from realtime.errors import FieldError, InvalidInput, field_errors, quoted
from realtime.kanban.commands import parse_command
from realtime.kanban.ids import Id
from realtime.kanban.input.fields import Index
from realtime.kanban.input.request_key import parse_key
from server.problem import Problem

__all__ = ["CardPlace", "StopPatch", "command_of", "input_of", "key_of"]

_M = TypeVar("_M", bound=BaseModel)
_C = TypeVar("_C", bound=BaseModel)

_KEY = "Idempotency-Key"


class StopPatch(BaseModel):
    """`PATCH /attempts/:id`: the only possible change is to stop the attempt."""

    model_config = ConfigDict(frozen=True)

    status: Literal["stopped"] = Field(description="The only status that a client can set.")


class CardPlace(BaseModel):
    """Two more keys of `PATCH /boards/{id}/cards/{card}`, which move the card. Neither comes without the other."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)

    column_id: Id = Field(description="The column to which the card moves.")
    index: Index = Field(
        description="Its index there, from 0, counted without the card. An index beyond the end means the end."
    )


def key_of(request: Request) -> str | None:
    """Return the idempotency key of a request, None if it has none.

    Raises:
        Problem: 400, it is too long, empty, or no UTF-8.
    """
    given = request.headers.get(_KEY)
    try:
        return parse_key(None if given is None else given.encode("latin-1").decode(), _KEY)
    except UnicodeDecodeError as error:
        raise _bad_request(InvalidInput(FieldError(_KEY, f"expected UTF-8, got {quoted(given)}"))) from error
    except InvalidInput as refused:
        raise _bad_request(refused) from refused


def input_of(kind: type[_M], body: dict[str, Any]) -> _M:
    """Parse a body.

    Raises:
        Problem: 400 with the invalid fields.
    """
    try:
        return kind.model_validate(body)
    except ValidationError as error:
        raise _bad_request(InvalidInput(*field_errors(error))) from error


def command_of(kind: type[_C], body: dict[str, Any]) -> _C:
    """Parse a body into a command, or into a part of one.

    Raises:
        Problem: 400 with the invalid fields.
    """
    try:
        return parse_command(kind, body)
    except InvalidInput as refused:
        raise _bad_request(refused) from refused


def _bad_request(refused: InvalidInput) -> Problem:
    return Problem(400, refused.message, errors=refused.fields)
