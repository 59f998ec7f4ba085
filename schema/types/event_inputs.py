"""Inputs for domain events, generated from the models of `realtime.kanban.events`, so both always agree.

For each event name there is an input `<Event>Input`, for each family of names a `@oneOf` input `<Family>EventInput`
with a member per name: `attempt.status.changed` is `attemptStatusChanged`. The models check the values.

| in a model | in an input |
| --- | --- |
| `Id` | `ID`; `String` for keys of agents |
| an enumeration or a `Literal` of words | the enumeration of `schema.types.enums` with these words |
| `IsoTime` | `String`: RFC 3339; clients get it in UTC with milliseconds |
| whole numbers | `SafeInt` |
| a part of a payload (`EventPart`) | an input of its own |
| anything open-ended | `JSON` |
| fields that a model does not know | `extra` |
"""

from __future__ import annotations

from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import strawberry
from pydantic.fields import FieldInfo

from realtime.errors import FieldError, InvalidInput, quoted
from realtime.kanban.events import EVENT_MODELS
from realtime.kanban.events.base import EventPart
from realtime.kanban.ids import Id
from realtime.kanban.input.fields import AsItCame
from schema.types import enums
from schema.types.scalars import JSON, SafeInt

__all__ = ["FAMILIES", "event_of", "member_of"]

_PLAIN: dict[object, object] = {str: str, int: SafeInt, float: float, bool: bool}
_EXTRA = "Fields that this version does not know: an object. They are stored, and clients get them with the history."


def member_of(name: str) -> str:
    """Return the member for an event name in the input of its family: the words of the name in camel case."""
    first, *others = name.split(".")
    return first + "".join(word[0].upper() + word[1:] for word in others)


def event_of(given: Any) -> tuple[str, dict[str, Any]]:
    """Return the name and the payload of the event in a family's input, in the form of the ingest.

    Raises:
        InvalidInput: an `extra` is no object; the error has its path below `event`.
    """
    chosen = {name: getattr(given, member_of(name), strawberry.UNSET) for name in EVENT_MODELS}
    ((name, part),) = ((name, part) for name, part in chosen.items() if part is not strawberry.UNSET)
    return name, _payload(part, f"event.{member_of(name)}")


def _payload(part: Any, path: str) -> dict[str, Any]:
    """Return the given fields by their wire names; unknown fields (`extra`) come last."""
    values = {one.graphql_name: getattr(part, one.python_name) for one in part.__strawberry_definition__.fields}
    given = {name: value for name, value in values.items() if value is not strawberry.UNSET}
    extra = given.pop("extra", None)
    if not isinstance(extra, dict | None):
        raise InvalidInput(FieldError(f"{path}.extra", f"expected an object, got {quoted(extra)}"))
    known = {name: _plain(value, f"{path}.{name}") for name, value in given.items()}
    return known | {name: value for name, value in (extra or {}).items() if name not in known}


def _plain(value: Any, path: str) -> Any:
    if isinstance(value, list):
        # One level only, as in the models: deeper values are JSON, which may be nested deeper than Python's stack.
        return [_one_plain(one, f"{path}.{index}") for index, one in enumerate(value)]
    return _one_plain(value, path)


def _one_plain(value: Any, path: str) -> Any:
    if isinstance(value, Enum):
        return value.value
    return _payload(value, path) if hasattr(value, "__strawberry_definition__") else value


@cache
def _part_input(model: type[EventPart]) -> Any:
    hints = get_type_hints(model, include_extras=True)
    fields = {
        name: _field(hints[name], str(field.alias), field)
        for name, field in model.model_fields.items()
        if name != "type"  # the name of an event is that of the member
    }
    fields["extra"] = JSON | None, strawberry.field(default=strawberry.UNSET, name="extra", description=_EXTRA)
    return _input(f"{model.__name__}Input", model.__doc__ or "", fields)


def _field(hint: Any, wire: str, field: FieldInfo) -> tuple[Any, Any]:
    kind = _kind(hint, wire)
    if field.is_required():
        return kind, strawberry.field(name=wire, description=field.description)
    return kind | None, strawberry.field(default=strawberry.UNSET, name=wire, description=field.description)


def _kind(hint: Any, wire: str) -> Any:
    """Return the type of the input field for the type of a model's field."""
    origin, inner = get_origin(hint), [one for one in get_args(hint) if one is not NoneType]
    if hint == Id:
        return strawberry.ID if wire.endswith(("Id", "Ids")) else str
    if origin in (Union, UnionType):
        return _kind(inner[0], wire) if len(inner) == 1 else JSON
    if origin is Annotated:
        as_it_came = [one.kind for one in inner[1:] if isinstance(one, AsItCame)]
        return _kind(as_it_came[0] if as_it_came else inner[0], wire)
    if origin is tuple:
        return list[_kind(inner[0], wire)]  # type: ignore[misc]  # made at run time
    if origin is Literal:
        return _enumeration(frozenset(inner))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _enumeration(frozenset(one.value for one in hint))
    if isinstance(hint, type) and issubclass(hint, EventPart):
        return _part_input(hint)
    return _PLAIN.get(hint, JSON)


def _enumeration(words: frozenset[str]) -> Any:
    known = (getattr(enums, name) for name in enums.__all__)
    return next(enumeration for enumeration in known if {one.value for one in enumeration} == words)


def _family_input(family: str, names: list[str]) -> Any:
    fields = {
        member_of(name): (
            _part_input(EVENT_MODELS[name]) | None,
            strawberry.field(
                default=strawberry.UNSET, name=member_of(name), description=f"`{name}`: {EVENT_MODELS[name].__doc__}"
            ),
        )
        for name in names
    }
    return _input(
        f"{family.title()}EventInput", f"One event of the family `{family}`: exactly one member.", fields, one_of=True
    )


def _input(name: str, description: str, fields: dict[str, tuple[Any, Any]], *, one_of: bool = False) -> Any:
    """Make an input type of `fields`: attribute → type and Strawberry's field."""
    annotations = {attribute: kind for attribute, (kind, _) in fields.items()}
    defaults = {attribute: field for attribute, (_, field) in fields.items()}
    made = type(name, (), {"__annotations__": annotations, "__doc__": description, **defaults})
    return strawberry.input(made, description=description, one_of=one_of)


def _family_of(name: str) -> str:
    first = name.partition(".")[0]
    return "workspace" if first in {"worktree", "terminal", "editor", "settings"} else first


#: Family → its input.
FAMILIES = {
    family: _family_input(family, [name for name in EVENT_MODELS if _family_of(name) == family])
    for family in dict.fromkeys(map(_family_of, EVENT_MODELS))
}
