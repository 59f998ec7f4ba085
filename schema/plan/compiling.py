"""Compiles the plan of a subscription from its executor."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from types import SimpleNamespace
from typing import Any

import orjson
from graphql import (
    FieldNode,
    GraphQLError,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLLeafType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLUnionType,
)
from graphql.execution import Executor
from graphql.execution.collect_fields import CollectedFields, FieldDetailsList, collect_fields, collect_subfields
from strawberry.types.field import StrawberryField

from schema.plan.completing import Complete, NotCovered, abstract, checked, leaf, listed, nullable, object_of
from schema.plan.memory import remembered

__all__ = ["Plan", "compile_plan", "reader"]

#: The most frequent type of a board. Its values never change, so they are encoded once.
_REMEMBERED = "Card"
_TYPENAME = "__typename"
_DIRECTIVES = frozenset({"skip", "include"})


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Converts each event of a subscription to the `data` of a result. A plan equals only itself."""

    #: Name of the one root field in the response.
    name: str
    complete: Complete

    def encoded(self, event: object) -> bytes | None:
        """Return the `data` of an event as JSON, byte for byte as graphql-core makes it.

        None = the plan does not cover the event or found an error; graphql-core must execute it.
        """
        try:
            return orjson.dumps({self.name: self.complete(event)})
        except Exception:  # noqa: BLE001 - graphql-core will meet the same error, and reports it properly
            return None


def compile_plan(executor: Executor[Any]) -> Plan | None:
    """Return the plan of a subscription; None = graphql-core must execute it.

    The plan depends on the document and, by `@skip` and `@include`, on variables. It does not depend on the arguments
    of the root field.
    """
    root, middleware = executor.schema.subscription_type, executor.middleware_manager
    if root is None or (middleware is not None and middleware.middlewares):
        return None
    try:
        collected = collect_fields(
            executor.schema, executor.fragments, executor.variable_values, root, executor.operation
        )
        name, details = _only(_covered(collected))
        # In Strawberry, the root field of a subscription resolves to the event itself.
        return Plan(name, _Compiler(executor).part(_field(root, details).type, details).complete)
    except (NotCovered, GraphQLError):
        return None


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


@dataclass(frozen=True, slots=True)
class _Part:
    """The part of a plan for one place of the document."""

    complete: Complete
    #: The selection below this place, as a text that is equal for equal selections.
    selection: str = ""


class _Compiler:
    """Walks a selection down to its leaves; graphql-core collects the fields, once for each possible type."""

    def __init__(self, executor: Executor[Any]) -> None:
        self._executor = executor

    def part(self, kind: GraphQLOutputType, details: FieldDetailsList) -> _Part:
        """Return the part that completes a value of `kind`, with the selections of the field's nodes `details`.

        Raises:
            NotCovered: a plan cannot complete such a value as graphql-core does.
        """
        match kind:
            case GraphQLNonNull(of_type=inner):
                return self._that_refuses_null(inner, details)
            case _:
                part = self._that_refuses_null(kind, details)
                return _Part(nullable(part.complete), part.selection)

    def _that_refuses_null(self, kind: Any, details: FieldDetailsList) -> _Part:
        match kind:
            case GraphQLList(of_type=inner):
                item = self.part(inner, details)
                return _Part(listed(item.complete), item.selection)
            case GraphQLObjectType():
                return self._object(kind, details)
            case GraphQLUnionType() | GraphQLInterfaceType():
                return self._abstract(kind, details)
            case _:
                leaf_type: GraphQLLeafType = kind
                return _Part(leaf(leaf_type))

    def _object(self, kind: GraphQLObjectType, details: FieldDetailsList) -> _Part:
        executor = self._executor
        collected = collect_subfields(
            executor.schema, executor.fragments, executor.variable_values, executor.operation, kind, details
        )
        fields: list[tuple[str, Callable[[Any], Any], Complete]] = []
        words: list[str] = []
        for name, selected in _covered(collected):
            read, part = self._field(kind, selected)
            fields.append((name, read, part.complete))
            words.append(f"{name}:{selected[0].node.name.value}{part.selection}")
        complete = checked(kind, object_of(fields))
        selection = sys.intern(f"{kind.name}{{{' '.join(words)}}}")
        return _Part(remembered(selection, complete) if kind.name == _REMEMBERED else complete, selection)

    def _field(self, parent: GraphQLObjectType, details: FieldDetailsList) -> tuple[Callable[[Any], Any], _Part]:
        name = details[0].node.name.value
        if name == _TYPENAME:
            return (lambda _: parent.name), _Part(lambda typename: typename)
        field = _field(parent, details)
        return reader(field), self.part(field.type, details)

    def _abstract(self, kind: GraphQLUnionType | GraphQLInterfaceType, details: FieldDetailsList) -> _Part:
        resolve = kind.resolve_type
        if resolve is None:
            raise NotCovered(f"type {kind}")
        # Strawberry's unions read only this attribute of `info`, for their errors.
        info: Any = SimpleNamespace(field_name=details[0].node.name.value)
        parts = {one.name: self._member(one, details) for one in self._executor.schema.get_possible_types(kind)}
        selection = "|".join(part.selection for part in parts.values() if part is not None)
        members = {name: None if part is None else part.complete for name, part in parts.items()}
        return _Part(abstract(lambda value: resolve(value, info, kind), members), f"<{selection}>")

    def _member(self, kind: GraphQLObjectType, details: FieldDetailsList) -> _Part | None:
        try:
            return self._object(kind, details)
        except NotCovered:
            return None


def _covered(collected: CollectedFields) -> list[tuple[str, FieldDetailsList]]:
    if collected.new_defer_usages:
        raise NotCovered("@defer")
    for details in collected.grouped_field_set.values():
        for one in details:
            _check_directives(one.node)
    return list(collected.grouped_field_set.items())


def _only(fields: list[tuple[str, FieldDetailsList]]) -> tuple[str, FieldDetailsList]:
    if len(fields) != 1:
        raise NotCovered(f"{len(fields)} root fields")
    return fields[0]


def _field(parent: GraphQLObjectType, details: FieldDetailsList) -> GraphQLField:
    field: GraphQLField | None = parent.fields.get(details[0].node.name.value)
    if field is None:
        raise NotCovered(f"field {details[0].node.name.value}")
    return field


def _check_directives(node: FieldNode) -> None:
    if not _DIRECTIVES.issuperset(directive.name.value for directive in node.directives or ()):
        raise NotCovered(f"directives of {node.name.value}")


def _asks_parent_alone(parameters: Any, resolver: Any) -> bool:
    parent = resolver.self_parameter or resolver.parent_parameter or resolver.root_parameter
    return len(parameters) == 1 and parent is not None
