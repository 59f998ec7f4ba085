"""Strawberry's decorators with types; its own return `Any`, so decorated functions would have no type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ForwardRef

import strawberry
from strawberry.types.field import StrawberryField

__all__ = ["computed", "resolved", "subscribed", "type_of_later"]

_Decorator = Callable[[Callable[..., Any]], StrawberryField]


def resolved(description: str, graphql_type: object = None) -> _Decorator:
    """Make a field (of a type, of queries or of mutations) of a function.

    `graphql_type` is the type in the schema, when the function returns an object from which its fields are read.
    """
    decorator: _Decorator = strawberry.field(description=description, graphql_type=graphql_type)
    return decorator


def subscribed(description: str, graphql_type: object = None) -> _Decorator:
    """Make a subscription of an async generator function; `graphql_type` as for `resolved`."""
    decorator: _Decorator = strawberry.subscription(description=description, graphql_type=graphql_type)
    return decorator


def computed(name: str, description: str) -> Any:
    """Make a field that is read from a property of the object; the constructor of the type does not take it."""
    made: StrawberryField = strawberry.field(name=name, description=description)
    made.init = False
    return made


def type_of_later(name: str, module: str) -> object:
    """Return the type `name`, for `graphql_type`, when the module of `name` imports the caller's module.

    Strawberry imports the module when the schema is made. An import for the type checker would be a cycle too.
    """
    later: object = strawberry.lazy(module).resolve_forward_ref(ForwardRef(name))
    return later
