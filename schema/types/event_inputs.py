"""Inputs for domain events, generated from the models of `realtime.kanban.events`, so both always agree.

For each event name there is an input `<Event>Input`, for each family of names a `@oneOf` input `<Family>EventInput`
with a member per name: `attempt.status.changed` is `attemptStatusChanged`. The models check the values.

| in a model | in an input |
| --- | --- |
| `Id`, and texts whose name ends with `Id` | `ID`; `String` for keys of agents, which are called `agentKey` |
| `id` of an entry of a todo list | `todoKey`, an `ID` |
| an enumeration or a `Literal` of words | the enumeration of `schema.types.enums` with these words |
| `IsoTime` | `DateTime` |
| whole numbers | `SafeInt` |
| a part of a payload (`EventPart`) | an input of its own |
| anything open-ended | `JSON` |
| fields that a model does not know | `extra` |

A field that names a thing takes its `id` or its id of the wire; the models get the latter.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

import strawberry
from pydantic.fields import FieldInfo

from realtime.errors import FieldError, InvalidInput, quoted
from realtime.global_ids import parse_global_id
from realtime.kanban.events import EVENT_MODELS
from realtime.kanban.events.attempts import Todo
from realtime.kanban.events.base import EventPart
from realtime.kanban.ids import BoardId, Id
from realtime.kanban.input.fields import AsItCame, IsoTime
from schema.types import enums
from schema.types.inputs import TODO_KEY, shown_name, wire_name
from schema.types.node import agent_of, attempt_of, board_of, card_of, column_of, profile_of
from schema.types.scalars import JSON, SafeInt, TimeText

__all__ = ["FAMILIES", "DoubtfulId", "GivenEvent", "event_of", "member_of"]

_PLAIN: dict[object, object] = {IsoTime: TimeText, str: str, int: SafeInt, float: float, bool: bool}
#: Fields that name the board of an event.
_BOARDS = ("boardId", "projectId")
#: Field → the thing that it names, and the function that returns the id of the wire, for a board and either id.
_NAMED: dict[str, tuple[str, Callable[[BoardId, str], str]]] = {
    "boardId": ("a board", lambda _, given: board_of(given)),
    "projectId": ("a project", lambda _, given: board_of(given)),
    **dict.fromkeys(("columnId", "columnIds", "fromColumnId", "toColumnId"), ("a column of this board", column_of)),
    "cardId": ("a card of this board", card_of),
    "attemptId": ("an attempt of this board", attempt_of),
    "agent": ("an agent", lambda _, given: agent_of(given)),
    "profileId": ("a profile", lambda _, given: profile_of(given)),
}
_EXTRA = "Fields that this version does not know: an object. They are stored, and clients get them with the history."


def member_of(name: str) -> str:
    """Return the member for an event name in the input of its family: the words of the name in camel case."""
    first, *others = name.split(".")
    return first + "".join(word[0].upper() + word[1:] for word in others)


class DoubtfulId(NamedTuple):
    """A text that may be the `id` of a thing of another board or kind."""

    #: Path in the arguments.
    path: str
    #: The thing that the field names.
    expected: str
    text: str


class GivenEvent(NamedTuple):
    """The event in a family's input, in the form of the ingest."""

    name: str
    payload: dict[str, Any]
    doubtful: list[DoubtfulId]


def event_of(given: Any) -> GivenEvent:
    """Return the event in a family's input.

    Raises:
        InvalidInput: an `extra` is no object; the error has its path below `event`.
    """
    chosen = {name: getattr(given, member_of(name), strawberry.UNSET) for name in EVENT_MODELS}
    ((name, part),) = ((name, part) for name, part in chosen.items() if part is not strawberry.UNSET)
    path = f"event.{member_of(name)}"
    payload, doubtful = _payload(part, path), list[DoubtfulId]()
    home = next((board_of(payload[field]) for field in _BOARDS if payload.get(field)), BoardId(""))
    for field in [field for field in payload if field in _NAMED]:
        payload[field] = _wire_ids(field, payload[field], home, f"{path}.{shown_name(field)}", doubtful)
    return GivenEvent(name, payload, doubtful)


def _wire_ids(field: str, value: Any, home: BoardId, path: str, doubtful: list[DoubtfulId]) -> Any:
    """Return the value of a field with ids of the wire; add texts that may be ids of other things to `doubtful`."""
    if isinstance(value, list):
        return [_wire_ids(field, one, home, f"{path}.{n}", doubtful) for n, one in enumerate(value)]
    if not isinstance(value, str):
        return value
    expected, wire_id_of = _NAMED[field]
    found = wire_id_of(home, value)
    if found == value and parse_global_id(value):
        doubtful.append(DoubtfulId(path, expected, value))
    return found


def _payload(part: Any, path: str) -> dict[str, Any]:
    """Return the given fields by their wire names; unknown fields (`extra`) come last."""
    fields = part.__strawberry_definition__.fields
    values = {wire_name(str(one.graphql_name)): getattr(part, one.python_name) for one in fields}
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
        name: _field(hints[name], TODO_KEY if (model, name) == (Todo, "id") else str(field.alias), field)
        for name, field in model.model_fields.items()
        if name != "type"  # the name of an event is that of the member
    }
    fields["extra"] = JSON | None, strawberry.field(default=strawberry.UNSET, name="extra", description=_EXTRA)
    return _input(f"{model.__name__}Input", model.__doc__ or "", fields)


def _field(hint: Any, wire: str, field: FieldInfo) -> tuple[Any, Any]:
    kind = _kind(hint, wire)
    if field.is_required():
        return kind, strawberry.field(name=shown_name(wire), description=field.description)
    return kind | None, strawberry.field(default=strawberry.UNSET, name=shown_name(wire), description=field.description)


def _kind(hint: Any, wire: str) -> Any:
    """Return the type of the input field for the type of a model's field."""
    origin, inner = get_origin(hint), [one for one in get_args(hint) if one is not NoneType]
    if hint in (Id, str):
        return strawberry.ID if wire.endswith(("Id", "Ids", TODO_KEY)) else str
    if origin in (Union, UnionType):
        return _kind(inner[0], wire) if len(inner) == 1 else JSON
    if origin is Annotated and hint not in _PLAIN:
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
