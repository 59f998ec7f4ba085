"""Tables of fields for the generated pages docs/events.md and docs/rest.md: name, kind in words, need and meaning."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from enum import Enum
from types import UnionType
from typing import Any, ClassVar, Literal, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict

from pydantic import BaseModel

from realtime.kanban.changes import Heading
from realtime.kanban.conversation import ConversationItemJson
from realtime.kanban.events.state_input import BoardStateInput
from realtime.kanban.ids import Id
from realtime.kanban.input.fields import AsItCame, IsoTime
from realtime.kanban.models import Card

__all__ = ["field_row", "field_table", "kind_in_words", "model_rows", "part_name", "parts_in", "parts_of"]

#: Kinds of fields in words.
_WORDS: Mapping[Any, str] = {
    Id: "id",
    IsoTime: "time",
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    dict: "object",
    type(None): "null",
    # Other pages describe these.
    BoardStateInput: "[state](ingest.md#a-whole-state)",
    ConversationItemJson: "[conversation item](protocol.md#conversation-items)",
    Card: "card of a [state](protocol.md#state)",
    Heading: "object of `id` and `title`",
}


def field_table(rows: Iterable[str]) -> str:
    """Return the Markdown of a table of fields, empty without rows."""
    rows = list(rows)
    if not rows:
        return ""
    return "\n".join(["| field | kind | needed | meaning |", "| --- | --- | --- | --- |", *rows, ""])


def model_rows(model: type[BaseModel], without: Container[str] = ("type",)) -> Iterator[str]:
    """Yield the rows of a model, except for the wire names in `without` and fields that the server chooses."""
    hints = get_type_hints(model, include_extras=True)
    for name, field in model.model_fields.items():
        key = field.alias or name
        if key not in without and field.init is not False:
            yield field_row(key, hints[name], field.is_required(), str(field.description))


def field_row(name: str, kind: Any, is_needed: bool, meaning: str) -> str:
    """Return one row of a `field_table`.

    Raises:
        TypeError: see `kind_in_words`.
    """
    return f"| `{name}` | {kind_in_words(kind)} |{' yes' if is_needed else ''} | {meaning} |"


def kind_in_words(hint: Any) -> str:
    """Return the kind of a field in words. A text among the annotations of a kind stands for it.

    Raises:
        TypeError: the page has no words for it.
    """
    if hint in _WORDS:
        return _WORDS[hint]
    if hasattr(hint, "__metadata__"):
        return next((one for one in hint.__metadata__ if isinstance(one, str)), "") or kind_in_words(_bare(hint))
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return " or ".join(map(kind_in_words, arguments))
    if origin is Literal:
        return ", ".join(f"`{word}`" for word in arguments)
    if origin in (tuple, list, NotRequired):
        return ("" if origin is NotRequired else "list: ") + kind_in_words(arguments[0])
    if isinstance(hint, type) and issubclass(hint, Enum):
        return ", ".join(f"`{one.value}`" for one in hint)
    if _is_part(hint):
        return f"[{part_name(hint)}](#{part_name(hint).lower()})"
    if origin is None:
        raise TypeError(f"expected a kind of field that the page has words for, got {hint}")
    return kind_in_words(origin)


def part_name(part: type) -> str:
    """Return the heading of a model or typed dictionary on its page."""
    return part.__name__.removesuffix("Json")


def parts_of(model: type) -> Iterator[type]:
    """Yield the models and typed dictionaries inside `model`, outer ones first."""
    for hint in get_type_hints(model, include_extras=True).values():
        yield from parts_in(hint)


def parts_in(hint: Any) -> Iterator[type]:
    """Yield the models and typed dictionaries in a kind of field, outer ones first, with those inside them."""
    if hint in _WORDS:
        return
    if hasattr(hint, "__metadata__"):
        if not any(isinstance(one, str) for one in hint.__metadata__):
            yield from parts_in(_bare(hint))
    elif _is_part(hint):
        yield hint
        yield from parts_of(hint)
    elif get_origin(hint) not in (None, ClassVar):
        for argument in get_args(hint):
            yield from parts_in(argument)


def _bare(hint: Any) -> Any:
    """Return the model that an annotated kind of plain JSON must fit, else the kind itself."""
    return next((one.kind for one in hint.__metadata__ if isinstance(one, AsItCame)), hint.__origin__)


def _is_part(hint: Any) -> bool:
    return is_typeddict(hint) or (isinstance(hint, type) and issubclass(hint, BaseModel))
