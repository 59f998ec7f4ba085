"""Random documents of the schema, by hypothesis: subscriptions with all parts that a selection can have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import strawberry
from graphql import (
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    is_required_argument,
)
from hypothesis import strategies as st

from tests.unit.schema.selection import is_link

__all__ = ["VARIABLES", "core_schema", "documents"]

#: Values for the two variables of each document. A missing one has its default.
VARIABLES = st.fixed_dictionaries({"a": st.booleans()}, optional={"b": st.booleans()})
_CONDITIONS = ("true", "false", "$a", "$b")
_FEW = 4
#: Selections inside one another, beyond which nothing is selected but `__typename`.
_DEEP = 20


def core_schema(schema: strawberry.Schema) -> GraphQLSchema:
    """Return the schema as graphql-core has it."""
    types = schema.schema_converter.type_map
    roots: dict[str, Any] = {name.lower(): types[name].implementation for name in ("Query", "Subscription")}
    return GraphQLSchema(**roots)


@dataclass
class _Writer:
    draw: st.DrawFn
    schema: GraphQLSchema
    #: Number of selections around the current place.
    depth: int = 0
    #: Named fragments, as text below the operation.
    fragments: list[str] = field(default_factory=list)

    def document(self, root_field: str) -> str:
        root = self.schema.subscription_type
        assert root is not None
        found = root.fields[root_field]
        arguments = [f'{name}: "p1"' for name, one in found.args.items() if is_required_argument(one)]
        given = f"({', '.join(arguments)})" if arguments else ""
        selection = f"{root_field}{given} {self.selection(get_named_type(found.type))}"
        alias = self.draw(st.sampled_from(["", "all: "]))
        fragments = " ".join(self.fragments)
        return f"subscription ($a: Boolean!, $b: Boolean! = true) {{ {alias}{selection} }} {fragments}"

    def selection(self, kind: GraphQLNamedType) -> str:
        if is_leaf_type(kind):
            return ""
        self.depth += 1
        count = self.draw(st.integers(1, _FEW))
        parts = [self.one(kind) if self.depth < _DEEP else self.typename(kind) for _ in range(count)]
        self.depth -= 1
        return f"{{ {' '.join(parts)} }}"

    def one(self, kind: GraphQLNamedType) -> str:
        kinds = [self.typename, self.inline, self.spread]
        if isinstance(kind, GraphQLObjectType):
            kinds += [self.field] * _FEW
        return self.draw(st.sampled_from(kinds))(kind)

    def typename(self, _: GraphQLNamedType) -> str:
        return f"{self.alias('__typename')} {self.directives()}"

    def field(self, kind: GraphQLNamedType) -> str:
        assert isinstance(kind, GraphQLObjectType)
        fields = {name: one for name, one in kind.fields.items() if not is_link(kind, name)}
        name = self.draw(st.sampled_from(sorted(fields)))
        return f"{self.alias(name)} {self.directives()} {self.selection(get_named_type(fields[name].type))}"

    def inline(self, kind: GraphQLNamedType) -> str:
        narrowed = self.narrowed(kind)
        condition = "" if narrowed is kind and self.draw(st.booleans()) else f"on {narrowed.name}"
        return f"... {condition} {self.directives()} {self.selection(narrowed)}"

    def spread(self, kind: GraphQLNamedType) -> str:
        narrowed = self.narrowed(kind)
        written = self.selection(narrowed)  # the inner fragments come first, so none contains itself
        name = f"F{len(self.fragments)}"
        self.fragments.append(f"fragment {name} on {narrowed.name} {written}")
        return f"...{name} {self.directives()}"

    def narrowed(self, kind: GraphQLNamedType) -> GraphQLNamedType:
        members: Sequence[GraphQLNamedType] = self.schema.get_possible_types(kind) if is_abstract_type(kind) else ()
        return self.draw(st.sampled_from([kind, *members]))

    def alias(self, name: str) -> str:
        # Only a few, so that fields meet and are merged. The alias contains the name, so that different fields never
        # meet.
        return self.draw(st.sampled_from([name, name, f"x_{name}: {name}", f"y_{name}: {name}"]))

    def directives(self) -> str:
        if self.draw(st.integers(0, 3)):
            return ""
        name, condition = self.draw(st.sampled_from(["skip", "include"])), self.draw(st.sampled_from(_CONDITIONS))
        return f"@{name}(if: {condition})"


@st.composite
def documents(draw: st.DrawFn, schema: GraphQLSchema, root_field: str) -> str:
    """Return a subscription to `root_field` without links, with the variables of `VARIABLES`."""
    return _Writer(draw, schema).document(root_field)
