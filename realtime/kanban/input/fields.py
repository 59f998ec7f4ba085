"""Types of single fields from outside, shared by commands, events and states."""

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
    "DESCRIPTION_BYTES",
    "MAX_DEPENDENCIES",
    "STORED",
    "TITLE_CHARS",
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
#: Most cards that a card may depend on. A command that sets dependencies walks along all dependencies of its board.
MAX_DEPENDENCIES = 200
#: Context of a validation that reads the log: it accepts times and lengths that were allowed when they were written.
STORED = object()


def _short_enough(text: str) -> str:
    size = len(text.encode())
    if size > DESCRIPTION_BYTES:
        raise ValueError(f"expected at most {DESCRIPTION_BYTES} bytes of UTF-8, {size} came")
    return text


def _at_most(characters: int) -> AfterValidator:
    """Return a bound on a text of an event. Texts in the log may exceed it: they may be older than the bound."""

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
    """Return a time of an event that was logged when any form of ISO 8601 was accepted."""
    return datetime.fromisoformat(text).astimezone(UTC)


def _ticket_type(value: Any) -> Any:
    # The original's REST trims and lowers the type (` FIX ` is `fix`). A command has one rule, so it holds everywhere.
    return value.strip().lower() if isinstance(value, str) else value


#: 1-500 characters after trimming (docs/departures.md, row 4).
Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=TITLE_CHARS)]
#: Up to 64 KiB. An empty description is valid.
Description = Annotated[str, AfterValidator(_short_enough)]
#: A title of a column, or a ticket key; only its length is checked.
ShortText = Annotated[str, StringConstraints(max_length=TITLE_CHARS)]
Url = Annotated[str, StringConstraints(max_length=URL_CHARS)]
#: Values of a project in an event. They are bounded because a dashboard shows the name with each of its attempts.
ProjectName = Annotated[str, StringConstraints(min_length=1), _at_most(PROJECT_NAME_CHARS)]
RepositoryPlace = Annotated[str, _at_most(URL_CHARS)]
#: Ids of the cards that a card depends on.
Dependencies = Annotated[tuple[Id, ...], BeforeValidator(_few_enough)]
TicketTypeName = Annotated[TicketType, BeforeValidator(_ticket_type)]
#: An index in a column, counted from 0.
Index = Annotated[StrictInt, Field(ge=0)]
Flag = StrictBool
#: An RFC 3339 time (docs/ingest.md), stored in the form that all clients get: UTC with milliseconds and `Z`.
IsoTime = Annotated[str, AfterValidator(_instant)]


@dataclass(frozen=True, slots=True)
class AsItCame:
    """Annotation: the value must fit the model `kind`, and stays plain JSON as it came, except for its times.

    So a value that goes on to clients keeps its unknown keys and its key order, as in the original.
    """

    kind: Any

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return a schema that validates with `kind` and returns the plain value (pydantic's hook)."""

        def keep(value: Any, validate: core_schema.ValidatorFunctionWrapHandler) -> Any:
            return _with_times(value, validate(value))

        return core_schema.no_info_wrap_validator_function(
            keep,
            handler.generate_schema(self.kind),
            serialization=core_schema.plain_serializer_function_ser_schema(lambda value: value),
        )


def _with_times(value: dict[str, Any], fitted: BaseModel) -> dict[str, Any]:
    """Return `value` with the times of `fitted`, the model made from it; the same object if no time differs."""
    changed: dict[str, Any] = {}
    fields = type(fitted).model_fields
    for name in fitted.model_fields_set & fields.keys():
        key, read = str(fields[name].alias), getattr(fitted, name)
        new = _with_times(value[key], read) if isinstance(read, BaseModel) else read
        if isinstance(new, str | dict) and new != value[key]:
            changed[key] = new
    return {**value, **changed} if changed else value
