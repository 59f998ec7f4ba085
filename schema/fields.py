"""Strawberry's decorators with types: its own return `Any`, and a function under one of them would have no type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import strawberry
from strawberry.types.field import StrawberryField

__all__ = ["resolved", "subscribed"]

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
