"""The types of single fields that come from outside, shared by commands, events and states."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    StrictBool,
    StrictInt,
    StringConstraints,
    ValidationInfo,
)
from pydantic_core import CoreSchema, core_schema

from realtime.clock import iso, parse_iso
from realtime.kanban.ids import Id
from realtime.kanban.models import TicketType

__all__ = [
    "STORED",
    "AsItCame",
    "Dependencies",
    "Description",
    "Flag",
    "Index",
    "IsoTime",
    "ProjectName",
    "RepositoryPlace",
    "ShortText",
    "TicketTypeName",
    "Title",
    "Url",
]

TITLE_CHARS = 500
DESCRIPTION_BYTES = 64 * 1024
URL_CHARS = 4096
PROJECT_NAME_CHARS = 1000
#: Most cards that one may wait for. Each command that sets some walks along all dependencies of its board.
MAX_DEPENDENCIES = 200
#: Context of a validation that reads the log: it takes times that were allowed when they came.
STORED = object()


def _short_enough(text: str) -> str:
    size = len(text.encode())
    if size > DESCRIPTION_BYTES:
        raise ValueError(f"expected at most {DESCRIPTION_BYTES} bytes of UTF-8, {size} came")
    return text


def _at_most(characters: int) -> AfterValidator:
    """Return a bound on a text of an event, which those in the log may exceed: they came before there was one."""

    def check(text: str, info: ValidationInfo) -> str:
        if len(text) > characters and info.context is not STORED:
            raise ValueError(f"expected at most {characters} characters, {len(text)} came")
        return text

    return AfterValidator(check)


def _few_enough(value: Any) -> Any:
    if isinstance(value, list | tuple) and len(value) > MAX_DEPENDENCIES:
        raise ValueError(f"expected at most {MAX_DEPENDENCIES} cards, {len(value)} came")
    return value


def _instant(text: str, info: ValidationInfo) -> str:
    try:
        return iso(parse_iso(text))
    except ValueError:
        if info.context is not STORED:
            raise
    return iso(_older(text))


def _older(text: str) -> datetime:
    """Return a time of an event that is in the log since any form of ISO 8601 was taken."""
    return datetime.fromisoformat(text).astimezone(UTC)


def _ticket_type(value: Any) -> Any:
    # The original's REST lowers and trims (` FIX ` is `fix`); one rule for one command, so every door does.
    return value.strip().lower() if isinstance(value, str) else value


#: 1-500 characters after trimming (docs/departures.md, row 4).
Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=TITLE_CHARS)]
#: Up to 64 KiB; an empty description is a description.
Description = Annotated[str, AfterValidator(_short_enough)]
#: A title of a column or a ticket key; nobody asks more of them than that they end.
ShortText = Annotated[str, StringConstraints(max_length=TITLE_CHARS)]
Url = Annotated[str, StringConstraints(max_length=URL_CHARS)]
#: Of projects as events tell of them: dashboards show a project's name beside each of its attempts.
ProjectName = Annotated[str, StringConstraints(min_length=1), _at_most(PROJECT_NAME_CHARS)]
RepositoryPlace = Annotated[str, _at_most(URL_CHARS)]
#: Ids of the cards that one waits for.
Dependencies = Annotated[tuple[Id, ...], BeforeValidator(_few_enough)]
TicketTypeName = Annotated[TicketType, BeforeValidator(_ticket_type)]
#: A place in a column, counted from 0.
Index = Annotated[StrictInt, Field(ge=0)]
Flag = StrictBool
#: An RFC 3339 instant (docs/ingest.md), as all readers get it: in UTC with milliseconds and `Z`, however it came.
IsoTime = Annotated[str, AfterValidator(_instant)]


@dataclass(frozen=True, slots=True)
class AsItCame:
    """Annotation: the value must fit the model `kind`, and stays the plain JSON that came, but for its times.

    What passes through to readers keeps its unknown keys and the order of its keys, as in the original.
    """

    kind: Any

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Validate with `kind`, then return the value itself (pydantic's hook)."""

        def keep(value: Any, validate: core_schema.ValidatorFunctionWrapHandler) -> Any:
            return _with_times(value, validate(value))

        return core_schema.no_info_wrap_validator_function(
            keep,
            handler.generate_schema(self.kind),
            serialization=core_schema.plain_serializer_function_ser_schema(lambda value: value),
        )


def _with_times(value: dict[str, Any], fitted: BaseModel) -> dict[str, Any]:
    """Return `value` with the times of `fitted`, which was made of it; as it is, where they are the same."""
    changed: dict[str, Any] = {}
    fields = type(fitted).model_fields
    for name in fitted.model_fields_set & fields.keys():
        key, read = str(fields[name].alias), getattr(fitted, name)
        told = _with_times(value[key], read) if isinstance(read, BaseModel) else read
        if isinstance(told, str | dict) and told != value[key]:
            changed[key] = told
    return {**value, **changed} if changed else value
