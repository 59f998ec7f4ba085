"""Computes the cost of an operation before its execution (docs/graphql.md, "Cost"), and checks its variables.

A field costs 1. A list multiplies the cost inside it by its `first` argument, or by the assumed length (`list_sizes`).
Aliases and fragments count at each use; fields that `@skip` or `@include` remove do not count. Of the possible types of
a union, the most expensive counts. Fields of introspection cost nothing except for their lists, because they are
answered from memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLIncludeDirective,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLSkipDirective,
    GraphQLUnionType,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    get_directive_values,
    get_named_type,
    get_operation_ast,
    is_composite_type,
    type_from_ast,
)
from graphql.execution.values import VariableValues, get_argument_values, get_variable_values

from schema.types.paging import MAX_FIRST
from schema.validation.list_sizes import sizes_of

__all__ = ["MAX_OBJECTS", "MAX_TYPED_VALUES", "MAX_VALUES", "MAX_VARIABLE_ERRORS", "Assessment", "assess"]

#: Most errors that are reported for the variables of one operation.
MAX_VARIABLE_ERRORS = 100
#: Most values in the variables of one operation, including those inside lists and objects.
MAX_VALUES = 100_000
#: Most input objects in the variables; each takes 35 microseconds. An ingest has at most 1,000 events.
MAX_OBJECTS = 2500
#: Most values in the variables whose type is checked one by one: all values except those inside `JSON`.
MAX_TYPED_VALUES = 20_000
#: Entries of each list in a variable that are checked when there are more values than that.
_SAMPLE = 1000
#: Most unknown fields of one input object; the error of each repeats the contents of the object.
_MAX_UNKNOWN_FIELDS = 100
#: Assumed length of the lists of introspection (fields, arguments, values), except the list of all types.
_INTROSPECTION_SIZE = 5

_Composite = GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType


@dataclass(frozen=True, slots=True)
class Assessment:
    """The result of `assess`."""

    #: None = the cost is not known.
    cost: int | None = None
    #: The reasons for not executing the operation.
    errors: Sequence[GraphQLError] = ()
    #: The cost inside each field that returns the state of a board, by the id of its node
    #: (`schema.execution.real_size`).
    boards: Mapping[int, int] = field(default_factory=dict)


def assess(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation_name: str | None,
    variables: Mapping[str, Any] | None,
    max_cost: int,
    *,
    hide_suggestions: bool = False,
) -> Assessment:
    """Return the cost of an operation of a valid document, and the errors of its cost and variables.

    `hide_suggestions`: the errors suggest no names of the schema.
    """
    operation = get_operation_ast(document, operation_name)
    if operation is None:
        return Assessment()  # the execution reports that there is no such operation
    too_many = _too_many_values(variables or {})
    checked, too_many = (0, too_many) if too_many else _to_check(schema, operation, variables or {})
    if too_many:
        return Assessment(errors=[too_many])
    given = dict(variables or {})
    if checked > MAX_TYPED_VALUES:  # still check the first entries of each list: their errors say more than the limit
        given = {name: value[:_SAMPLE] if isinstance(value, list) else value for name, value in given.items()}
    coerced = get_variable_values(
        schema, operation.variable_definitions or (), given, MAX_VARIABLE_ERRORS, hide_suggestions
    )
    if isinstance(coerced, list):
        return Assessment(errors=coerced)
    if checked > MAX_TYPED_VALUES:
        sentence = f"expected at most {MAX_TYPED_VALUES} values outside JSON in the variables, got {checked}"
        return Assessment(errors=[GraphQLError(sentence)])
    walk = _Walk(schema, document, coerced, hide_suggestions)
    cost = walk.cost_of(operation)
    errors = walk.errors or ([_too_dear(cost, max_cost, operation)] if cost > max_cost else [])
    return Assessment(cost, errors, walk.boards)


def _too_many_values(variables: Mapping[str, Any]) -> GraphQLError | None:
    counted, waiting = 0, list(variables.values())
    while waiting:
        value = waiting.pop()
        counted += 1
        if isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
        if counted + len(waiting) > MAX_VALUES:
            return GraphQLError(f"expected at most {MAX_VALUES} values in the variables, got more")
    return None


def _to_check(
    schema: GraphQLSchema, operation: OperationDefinitionNode, variables: Mapping[str, Any]
) -> tuple[int, GraphQLError | None]:
    """Return the number of values to check one by one, or the error if there are too many objects."""
    objects = values = 0
    waiting: list[tuple[Any, Any]] = [
        (variables.get(one.variable.name.value), type_from_ast(schema, one.type))
        for one in operation.variable_definitions or ()
    ]
    while waiting:
        value, kind = waiting.pop()
        values += 1
        kind = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
        if isinstance(kind, GraphQLList):
            waiting += [(part, kind.of_type) for part in (value if isinstance(value, list) else [value])]
        elif isinstance(kind, GraphQLInputObjectType) and isinstance(value, dict):
            objects += 1
            known = [(value[name], field.type) for name, field in kind.fields.items() if name in value]
            if len(value) - len(known) > _MAX_UNKNOWN_FIELDS:
                sentence = f"expected fields of {kind.name} in the variables, got {len(value)} fields"
                return values, GraphQLError(sentence)
            waiting += known
        if objects > MAX_OBJECTS:
            return values, GraphQLError(f"expected at most {MAX_OBJECTS} input objects in the variables, got more")
    return values, None


def _too_dear(cost: int, most: int, operation: OperationDefinitionNode) -> GraphQLError:
    return GraphQLError(
        f"expected an operation that costs at most {most}, got one of {cost}: a field costs 1, and a list multiplies "
        "what is inside it by its first, or by its @listSize; ask for fewer entries or fields",
        operation,
        extensions={"code": "COST_EXCEEDED", "cost": cost, "maxCost": most},
    )


@dataclass(slots=True)
class _Cost:
    """The cost of a selection: for every possible type, and in addition for single types."""

    common: int = 0
    by_type: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """The cost of the dearest type: an object has one type only, so costs of different types do not add up."""
        return self.common + max(self.by_type.values(), default=0)

    def add(self, other: _Cost) -> None:
        """Add a cost, type by type."""
        self.common += other.common
        for name, cost in other.by_type.items():
            self.by_type[name] = self.by_type.get(name, 0) + cost


class _Walk:
    """Walks the selections of one operation; a fragment is walked once for each way of counting it."""

    def __init__(
        self, schema: GraphQLSchema, document: DocumentNode, variables: VariableValues, hide_suggestions: bool
    ) -> None:
        self._schema = schema
        self._variables = variables
        self._hide_suggestions = hide_suggestions
        self._fragments = {
            one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)
        }
        self._known: dict[tuple[str, tuple[tuple[str, int], ...]], _Cost] = {}
        self.errors: list[GraphQLError] = []
        self.boards: dict[int, int] = {}

    def cost_of(self, operation: OperationDefinitionNode) -> int:
        """Return the cost of an operation, at least 0; 0 also if the schema has no such root type.

        Faults of arguments are appended to `errors`, and `boards` gets the cost inside each field of a
        board's state or of a node, by the identity of the field's node.
        """
        root = self._schema.get_root_type(operation.operation)
        return 0 if root is None else self._selections(operation.selection_set, root, {}).total

    def _selections(self, selections: SelectionSetNode, parent: _Composite, sized: Mapping[str, int]) -> _Cost:
        cost = _Cost()
        for selection in self._taken(selections):
            if isinstance(selection, FieldNode):
                cost.common += self._field(selection, parent, sized)
            elif isinstance(selection, FragmentSpreadNode):
                cost.add(self._fragment(selection.name.value, sized))
            else:
                condition = selection.type_condition  # type: ignore[attr-defined]
                inner: SelectionSetNode = selection.selection_set  # type: ignore[attr-defined]
                name = condition.name.value if condition else None
                cost.add(self._narrowed(inner, name, parent, sized))
        return cost

    def _fragment(self, name: str, sized: Mapping[str, int]) -> _Cost:
        key = (name, tuple(sized.items()))
        if key not in self._known:
            fragment = self._fragments[name]
            self._known[key] = self._narrowed(fragment.selection_set, fragment.type_condition.name.value, None, sized)
        return self._known[key]

    def _narrowed(
        self, selections: SelectionSetNode, name: str | None, parent: _Composite | None, sized: Mapping[str, int]
    ) -> _Cost:
        kind: Any = parent if name is None else self._schema.get_type(name)
        cost = self._selections(selections, kind, sized)
        return _Cost(0, {kind.name: cost.total}) if isinstance(kind, GraphQLObjectType) and name is not None else cost

    def _taken(self, selections: SelectionSetNode) -> Iterator[SelectionNode]:
        for selection in selections.selections:
            try:
                skip = get_directive_values(GraphQLSkipDirective, selection, self._variables)
                include = get_directive_values(GraphQLIncludeDirective, selection, self._variables)
            except GraphQLError as error:
                self._note(error)
                continue
            if not (skip and skip["if"]) and (include is None or include["if"]):
                yield selection

    def _field(self, node: FieldNode, parent: _Composite, sized: Mapping[str, int]) -> int:
        definition = self._schema.get_field(parent, node.name.value)
        if definition is None:
            return 0
        arguments: dict[str, Any] = {}
        if definition.args:
            try:
                arguments = get_argument_values(
                    definition, node, self._variables, hide_suggestions=self._hide_suggestions
                )
            except GraphQLError as error:
                self._note(error)
                return 0
        kind = get_named_type(definition.type)
        inner = node.selection_set
        if inner is None or not is_composite_type(kind):
            return 0 if parent.name.startswith("__") else 1
        if kind.name.startswith("__"):
            return self._introspection(definition, inner, kind)
        times, of_fields = sizes_of(definition, arguments, MAX_FIRST)
        inside = self._selections(inner, kind, of_fields).total
        if kind.name in ("BoardState", "Node"):
            self.boards[id(node)] = inside
        return 1 + times * sized.get(node.name.value, 1) * inside

    def _introspection(self, definition: GraphQLField, inner: SelectionSetNode, kind: _Composite) -> int:
        """Return the cost of a field of introspection. Types inside types cost nothing; their nesting is limited."""
        cost = self._selections(inner, kind, {}).total
        listed = definition.type.of_type if isinstance(definition.type, GraphQLNonNull) else definition.type
        if not isinstance(listed, GraphQLList):
            return cost
        of_all_types = kind.name == "__Type" and listed is not definition.type
        return 1 + cost * (len(self._schema.type_map) if of_all_types else _INTROSPECTION_SIZE)

    def _note(self, error: GraphQLError) -> None:
        if len(self.errors) < MAX_VARIABLE_ERRORS:
            self.errors.append(error)
