"""Bodies of REST calls, parsed; what does not fit is 400 and names each field (contract §8, rows 11 and 21)."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, ValidationError
from pydantic.alias_generators import to_camel

from realtime.errors import FieldError, InvalidInput, field_errors
from realtime.kanban.commands import parse_command
from server.problem import Problem

__all__ = ["NewProject", "ProjectPatch", "StopPatch", "command_of", "input_of"]

_M = TypeVar("_M", bound=BaseModel)
_C = TypeVar("_C", bound=BaseModel)

NAME_CHARS = 200


def _http_url(text: str) -> str:
    parts = urlsplit(text)
    if not parts.scheme or not (parts.netloc or parts.path):
        raise ValueError("expected a URL")
    return text


_Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=NAME_CHARS)]
_Path = Annotated[str, StringConstraints(min_length=1, max_length=4096)]
_Url = Annotated[str, StringConstraints(max_length=4096), AfterValidator(_http_url)]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)


class NewProject(_Body):
    """`POST /projects`."""

    name: _Name
    repository_path: _Path
    repository_url: _Url | None = None


class ProjectPatch(_Body):
    """`PATCH /projects/:id`; what is absent stays."""

    name: _Name = ""
    repository_path: _Path = ""
    repository_url: _Url | None = None


class StopPatch(_Body):
    """`PATCH /attempts/:id`: the only thing that can be done to an attempt is to stop it."""

    status: Annotated[str, StringConstraints(pattern="^stopped$")]


def input_of(kind: type[_M], body: dict[str, Any]) -> _M:
    """Parse a body.

    Raises:
        Problem: 400 with the fields that do not fit.
    """
    try:
        return kind.model_validate(body)
    except ValidationError as error:
        raise _bad_request(InvalidInput(*field_errors(error))) from error


def command_of(kind: type[_C], body: dict[str, Any], **names: str) -> _C:
    """Parse a body into a command; `names` maps fields of the command to what the client calls them.

    Raises:
        Problem: 400 with the fields that do not fit.
    """
    try:
        return parse_command(kind, body)
    except InvalidInput as refused:
        fields = (FieldError(names.get(field.field, field.field), field.message) for field in refused.fields)
        raise _bad_request(InvalidInput(*fields)) from refused


def _bad_request(refused: InvalidInput) -> Problem:
    return Problem(400, refused.message, errors=refused.fields)
