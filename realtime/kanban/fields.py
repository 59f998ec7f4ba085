"""The types of single fields that come from outside, shared by commands, events and states."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    StrictBool,
    StrictInt,
    StringConstraints,
)
from pydantic_core import CoreSchema, core_schema

from realtime.clock import parse_iso
from realtime.kanban.models import TicketType

__all__ = ["AsItCame", "Description", "Flag", "Index", "IsoTime", "TicketTypeName", "Title"]

TITLE_CHARS = 500
DESCRIPTION_BYTES = 64 * 1024


def _short_enough(text: str) -> str:
    size = len(text.encode())
    if size > DESCRIPTION_BYTES:
        raise ValueError(f"expected at most {DESCRIPTION_BYTES} bytes of UTF-8, {size} came")
    return text


def _instant(text: str) -> str:
    parse_iso(text)
    return text


def _ticket_type(value: Any) -> Any:
    # The original's REST lowers and trims (` FIX ` is `fix`); one rule for one command, so every door does.
    return value.strip().lower() if isinstance(value, str) else value


#: 1-500 characters after trimming (contract §8, row 4).
Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=TITLE_CHARS)]
#: Up to 64 KiB; an empty description is a description.
Description = Annotated[str, AfterValidator(_short_enough)]
TicketTypeName = Annotated[TicketType, BeforeValidator(_ticket_type)]
#: A place in a column, counted from 0.
Index = Annotated[StrictInt, Field(ge=0)]
Flag = StrictBool
#: An ISO 8601 instant, kept as the text that came: what a client wrote is what its readers get.
IsoTime = Annotated[str, AfterValidator(_instant)]


@dataclass(frozen=True, slots=True)
class AsItCame:
    """Annotation: the value must fit `kind`, and stays the plain JSON that came.

    What passes through to readers keeps its unknown keys and the order of its keys, as in the original.
    """

    kind: Any

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Validate with `kind`, then return the value itself (pydantic's hook)."""

        def keep(value: Any, validate: core_schema.ValidatorFunctionWrapHandler) -> Any:
            validate(value)
            return value

        return core_schema.no_info_wrap_validator_function(
            keep,
            handler.generate_schema(self.kind),
            serialization=core_schema.plain_serializer_function_ser_schema(lambda value: value),
        )
