"""The fields that one call reads, and their values."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import strawberry
from graphql import GraphQLField, GraphQLObjectType, GraphQLString
from strawberry.permission import BasePermission

from schema.plan.compiling import reader
from schema.plan.completing import NotCovered


class _Nobody(BasePermission):
    message = "nobody"

    def has_permission(self, source: Any, info: Any, **_: Any) -> bool:
        """Refuse everybody."""
        return False


def _doubled(parent: strawberry.Parent[SimpleNamespace]) -> str:
    return str(parent.plain * 2)


def _constant() -> str:
    return "constant"


@strawberry.type(name="Query")
class _Query:
    plain: str
    renamed: str = strawberry.field(name="other")
    doubled: str = strawberry.field(resolver=_doubled)
    constant: str = strawberry.field(resolver=_constant)
    guarded: str = strawberry.field(permission_classes=[_Nobody])

    @strawberry.field
    def own(self) -> str:
        """Read by a method."""
        return f"own {self.plain}"

    @strawberry.field
    async def waiting(self) -> str:
        """Wait."""
        return self.plain

    @strawberry.field
    def asking(self, info: strawberry.Info) -> str:
        """Ask the context."""
        return str(info.context)

    @strawberry.field
    def given(self, text: str = "x") -> str:
        """Take an argument."""
        return text


def field(name: str) -> GraphQLField:
    """Return a field as graphql-core has it."""
    kind = strawberry.Schema(_Query).schema_converter.type_map["Query"].implementation
    assert isinstance(kind, GraphQLObjectType)
    found: GraphQLField = kind.fields[name]
    return found


@pytest.mark.parametrize(("name", "value"), [("plain", "ab"), ("other", "cd"), ("doubled", "abab"), ("own", "own ab")])
def test_field_of_the_parent_alone_is_read(name: str, value: str) -> None:
    assert reader(field(name))(SimpleNamespace(plain="ab", renamed="cd")) == value


@pytest.mark.parametrize("name", ["constant", "guarded", "waiting", "asking", "given"])
def test_field_that_needs_more_is_not_covered(name: str) -> None:
    with pytest.raises(NotCovered):
        reader(field(name))


def test_field_of_another_library_is_not_covered() -> None:
    with pytest.raises(NotCovered):
        reader(GraphQLField(GraphQLString))
