"""Base of all payloads: typed attributes in Python, JSON keys on the wire."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, NamedTuple, TypeVar, dataclass_transform, get_args, get_type_hints

import orjson
from pydantic.alias_generators import to_camel

__all__ = ["Key", "Payload", "key", "optional_key", "payload"]

_P = TypeVar("_P", bound="Payload")


class Key(NamedTuple):
    """One key of a payload, for pages and schemas that describe it."""

    #: The name on the wire.
    name: str
    #: The type of the value.
    kind: Any
    meaning: str
    #: Whether the key may be absent.
    is_optional: bool = False


class Payload:
    """The content of one envelope. `@payload` makes the class; subscribers share a payload, and nobody changes it."""

    __slots__ = ()

    #: The type of the envelope.
    type: ClassVar[str]
    #: Returns the keys and their values; `@payload` generates it.
    as_dict: ClassVar[Callable[[Any], dict[str, Any]]]

    @classmethod
    def wire_keys(cls) -> tuple[Key, ...]:
        """Return the keys in their order on the wire; none if the JSON is that of a whole model."""
        hints = get_type_hints(cls, include_extras=True)
        return tuple(
            Key(name, _given(hints[attribute]) if about["is_optional"] else hints[attribute], **about)
            for attribute, name, about in _declared(cls)
        )

    def json(self) -> bytes:
        """Return the payload as JSON in UTF-8."""
        return orjson.dumps(self.as_dict())


def key(meaning: str) -> Any:
    """Declare an attribute that is a key on the wire, in camel case; None becomes null."""
    return field(metadata={"meaning": meaning, "is_optional": False})


def optional_key(meaning: str) -> Any:
    """Declare a key that is absent if the attribute is None."""
    return field(metadata={"meaning": meaning, "is_optional": True})


@dataclass_transform(frozen_default=True, field_specifiers=(key, optional_key))
def payload(kind: type[_P]) -> type[_P]:
    """Make a payload class.

    Only the type checker sees it as frozen, because making a frozen dataclass costs four times as much.
    """
    made = dataclass(slots=True)(kind)
    made.as_dict = _writer(made)
    return made


def _writer(kind: type[Payload]) -> Callable[[Payload], dict[str, Any]]:
    """Return the function that makes a dictionary of a payload.

    Its code is generated for each class, as `dataclass` does for `__init__`: a loop over the keys takes twice as long.
    """
    parts = [
        f"**({{}} if one.{attribute} is None else {{{name!r}: one.{attribute}}})"
        if about["is_optional"]
        else f"{name!r}: one.{attribute}"
        for attribute, name, about in _declared(kind)
    ]
    # The code has only names of attributes and keys.
    write: Callable[[Payload], dict[str, Any]] = eval(f"lambda one: {{{', '.join(parts)}}}")
    return write


def _given(hint: Any) -> Any:
    """Return the type `X` of `X | None`."""
    given, _ = get_args(hint)
    return given


def _declared(kind: type[Payload]) -> list[tuple[str, str, dict[str, Any]]]:
    """Return attribute, key and metadata of each declaration with `key` or `optional_key`."""
    # `from` is a keyword of Python, so its attribute ends with `_`.
    return [
        (one.name, to_camel(one.name.removesuffix("_")), dict(one.metadata))
        for one in fields(kind)  # type: ignore[arg-type]  # the decorator makes it one
        if one.metadata
    ]
