"""Reads the value of a field from its parent, where one call is enough."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from graphql import GraphQLField
from strawberry.types.field import StrawberryField

from schema.plan.completing import NotCovered

__all__ = ["reader"]


def reader(field: GraphQLField) -> Callable[[Any], Any]:
    """Return a function that reads `field` from its parent: an attribute, or a resolver that needs only the parent.

    Raises:
        NotCovered: the field has arguments or extensions, or its resolver uses the context or waits for something.
    """
    definition = field.extensions.get("strawberry-definition")
    if not isinstance(definition, StrawberryField) or field.args or definition.extensions:
        raise NotCovered(f"field {field}")
    resolver = definition.base_resolver
    if resolver is None and definition.default_resolver is getattr:
        return attrgetter(definition.python_name)
    if resolver is None or resolver.is_async or not _asks_parent_alone(resolver.signature.parameters, resolver):
        raise NotCovered(f"field {definition.python_name}")
    return resolver


def _asks_parent_alone(parameters: Any, resolver: Any) -> bool:
    parent = resolver.self_parameter or resolver.parent_parameter or resolver.root_parameter
    return len(parameters) == 1 and parent is not None
