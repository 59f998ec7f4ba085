"""Types of Python as JSON Schema 2020-12, which OpenAPI 3.1 and AsyncAPI 3 use."""

from __future__ import annotations

from collections.abc import Container
from datetime import datetime
from enum import Enum
from inspect import getdoc
from types import NoneType, UnionType
from typing import Any, Literal, NewType, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict

import orjson
from pydantic import BaseModel

from realtime.kanban.changes import Heading
from realtime.kanban.conversation import ConversationItemJson
from realtime.kanban.ids import Id
from realtime.kanban.input.fields import AsItCame, IsoTime
from realtime.kanban.models import BoardState, Card
from realtime.kanban.wire.board_wire import CARD_KEYS

__all__ = ["Json", "Schemas", "first_paragraph"]

Json = dict[str, Any]
_REF = "#/components/schemas/"
_PLAIN: dict[Any, Json] = {
    Id: {"type": "string", "minLength": 1, "maxLength": 200},
    IsoTime: {"type": "string", "format": "date-time"},
    datetime: {"type": "string", "format": "date-time"},
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    dict: {"type": "object"},
    type(None): {"type": "null"},
    Any: {},
}


class Schemas:
    """Schemas of types; those of classes go to `components` under their names, and are referred to."""

    def __init__(self) -> None:
        """Begin without components."""
        self.components: dict[str, Json] = {}

    def of(self, hint: Any) -> Json:
        """Return the schema of the JSON of a type.

        Raises:
            TypeError: there is none.
        """
        if hint in _PLAIN:
            return dict(_PLAIN[hint])
        if hint in (BoardState, orjson.Fragment):
            return self._state()
        if hint is Card:
            return self._card()
        if hint is ConversationItemJson:
            kinds = {"type": {"type": "string"}, "timestamp": dict(_PLAIN[IsoTime])}
            return self._named("ConversationItem", _object(kinds, "An item of a conversation.", ["type", "timestamp"]))
        if hint is Heading:
            return _object({"id": dict(_PLAIN[Id]), "title": {"type": "string"}}, "A column.", ["id", "title"])
        if hasattr(hint, "__metadata__"):
            return self._annotated(hint)
        return self._of_class(hint) if isinstance(hint, type) and get_origin(hint) is None else self._composed(hint)

    def model(self, model: type[BaseModel], without: Container[str] = ()) -> Json:
        """Return a reference to the schema of what a model reads, without some of its keys."""
        made = model.model_json_schema(by_alias=True, ref_template=f"{_REF}{{model}}")
        for name, one in made.pop("$defs", {}).items():
            self.components.setdefault(name, _tidy(one))
        hidden = {one.alias or name for name, one in model.model_fields.items() if one.init is False}
        made["properties"] = {
            key: one for key, one in made.get("properties", {}).items() if key not in hidden and key not in without
        }
        if "required" in made:
            made["required"] = [key for key in made["required"] if key in made["properties"]]
        return self._named(model.__name__, _tidy(made))

    def _annotated(self, hint: Any) -> Json:
        words = next((one for one in hint.__metadata__ if isinstance(one, str)), "")
        bare = next((one.kind for one in hint.__metadata__ if isinstance(one, AsItCame)), hint.__origin__)
        made = self.of(bare)
        return {**made, "description": words} if words and "$ref" not in made else made

    def _of_class(self, kind: type) -> Json:
        if issubclass(kind, Enum):
            return {"type": "string", "enum": [one.value for one in kind]}
        if issubclass(kind, BaseModel):
            return self.model(kind)
        if is_typeddict(kind):
            hints = get_type_hints(kind, include_extras=True)
            needed = [name for name, one in hints.items() if get_origin(one) is not NotRequired]
            properties = {name: self.of(one) for name, one in hints.items()}
            return self._named(kind.__name__.removesuffix("Json"), _object(properties, first_paragraph(kind), needed))
        raise TypeError(f"expected a type with a JSON form, got {kind}")

    def _composed(self, hint: Any) -> Json:
        origin, arguments = get_origin(hint), get_args(hint)
        if isinstance(hint, NewType):
            return self.of(Id)
        if origin in (Union, UnionType):
            return {"anyOf": [self.of(one) for one in arguments]}
        if origin is Literal:
            return {"enum": list(arguments)}
        if origin in (list, tuple):
            return {"type": "array", "items": self.of(arguments[0])}
        if origin is NotRequired:
            return self.of(arguments[0])
        if origin is dict:
            return {"type": "object"}
        raise TypeError(f"expected a type with a JSON form, got {hint}")

    def _state(self) -> Json:
        column = _object(
            {
                "id": dict(_PLAIN[Id]),
                "title": {"type": "string"},
                "cardIds": {"type": "array", "items": dict(_PLAIN[Id])},
            },
            "A column with its cards from top to bottom.",
            ["id", "title", "cardIds"],
        )
        parts = {
            "columns": {"type": "object", "additionalProperties": column},
            "columnOrder": {"type": "array", "items": dict(_PLAIN[Id])},
            "cards": {"type": "object", "additionalProperties": self._card()},
        }
        return self._named("State", _object(parts, "The whole board: columns, cards and their order.", list(parts)))

    def _card(self) -> Json:
        hints = get_type_hints(Card, include_extras=True)
        keys = {"id": self.of(Id), **{key: self._of_card(hints[name]) for name, key in CARD_KEYS.items()}}
        always = ["id", "disableAutoCloseOnPRMerge", "ticketType", "isEnhanced", "title", "createdAt", "updatedAt"]
        return self._named("Card", _object(keys, "A card. A key without a value is absent, but `ticketType`.", always))

    def _of_card(self, hint: Any) -> Json:
        kinds = [one for one in get_args(hint) if one is not NoneType] if isinstance(hint, UnionType) else [hint]
        nullable = [{"type": "null"}] if isinstance(hint, UnionType) else []
        made = [{"type": "object"} if _is_plain_class(one) else self.of(one) for one in kinds]
        return made[0] if not nullable else {"anyOf": [*made, *nullable]}

    def _named(self, name: str, schema: Json) -> Json:
        self.components.setdefault(name, schema)
        return {"$ref": f"{_REF}{name}"}


def first_paragraph(described: Any) -> str:
    """Return the first paragraph of a docstring on one line."""
    return " ".join((getdoc(described) or "").partition("\n\n")[0].split())


def _is_plain_class(hint: Any) -> bool:
    return isinstance(hint, type) and hint not in _PLAIN and not issubclass(hint, Enum)


def _object(properties: dict[str, Json], description: str, needed: list[str]) -> Json:
    return {"type": "object", "description": description, "properties": properties, "required": needed}


def _tidy(schema: Json) -> Json:
    """Drop the titles that pydantic makes of the names."""
    without = {key: value for key, value in schema.items() if key != "title"}
    if "properties" in without:
        without["properties"] = {key: _tidy(one) for key, one in without["properties"].items()}
    return without
