"""Strawberry's decorators with types: its own return `Any`, and a function under one of them would have no type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ForwardRef

import strawberry
from strawberry.types.base import StrawberryList
from strawberry.types.field import StrawberryField

__all__ = ["list_of_later", "resolved", "subscribed"]

_Decorator = Callable[[Callable[..., Any]], StrawberryField]


def resolved(description: str, graphql_type: object = None) -> _Decorator:
    """Make a field (of a type, of queries or of mutations) of a function.

    `graphql_type` is the type in the schema where the function returns what it is read off.
    """
    decorator: _Decorator = strawberry.field(description=description, graphql_type=graphql_type)
    return decorator


def subscribed(description: str, graphql_type: object = None) -> _Decorator:
    """Make a subscription of an async generator function; `graphql_type` as for `resolved`."""
    decorator: _Decorator = strawberry.subscription(description=description, graphql_type=graphql_type)
    return decorator


def list_of_later(name: str, module: str) -> object:
    """Return the type of a list of `name`, for `graphql_type`, where the module of it stands on that of the caller.

    Strawberry imports the module when the schema is made; an import for the type checker alone would be a cycle too.
    """
    later: Any = strawberry.lazy(module).resolve_forward_ref(ForwardRef(name))
    return StrawberryList(later)
