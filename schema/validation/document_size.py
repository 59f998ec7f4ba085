"""How large a document becomes once each fragment stands where it is used: measured before anything walks it.

Rules of validation and the executor follow fragments to each of their uses, and compare fields in pairs. Of thirty
fragments each of which uses the next one twice, there are a thousand million uses, in 500 tokens; of 1,240 equal fields
in 14 KB there are 768,000 pairs. What is counted here bounds both. Measuring takes time in proportion to
the text, and counting the pairs in proportion to `MAX_SELECTIONS`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
)

from schema.validation.document_comparisons import comparisons

__all__ = [
    "MAX_ALIASES",
    "MAX_COMPARISONS",
    "MAX_DEPTH",
    "MAX_FRAGMENT_DEPTH",
    "MAX_NODES",
    "MAX_SELECTIONS",
    "size_errors",
]

#: Deepest nesting of fields that have fields; introspection is not counted.
MAX_DEPTH = 15
#: Most aliases in a document, fragments counted at each use.
MAX_ALIASES = 50
#: Most fields and fragments of all operations of a document, fragments counted at each use.
MAX_SELECTIONS = 5000
#: Most fields, fragments, arguments, values and directives in the same way: rules look at each use of a variable.
MAX_NODES = 20_000
#: Most fragments inside one another.
MAX_FRAGMENT_DEPTH = 20
#: Most pairs of fields at one place of the response, which validation compares one by one: 5 to 8 microseconds each.
MAX_COMPARISONS = 5000
#: How deep the fields of introspection are: they are nested as types are, and graphql-core has a rule for them.
_NEVER_DEEP = -1000

_Definition = OperationDefinitionNode | FragmentDefinitionNode


@dataclass(slots=True)
class _Own:
    """What one definition has itself."""

    selections: int = 0
    nodes: int = 0
    aliases: int = 0
    depth: int = 0
    #: Names of the fragments that are used, as often as they are, and how deep in fields.
    uses: list[tuple[str, int]] = field(default_factory=list)
    #: The first selection set without a selection: graphql-core reads it, and GraphQL does not have it.
    empty: SelectionSetNode | None = None


@dataclass(frozen=True, slots=True)
class _Whole:
    """What a definition has with all the fragments that it uses."""

    selections: int = 0
    nodes: int = 0
    aliases: int = 0
    #: Fields inside one another.
    depth: int = 0
    #: Fragments inside one another.
    fragment_depth: int = 0


def size_errors(document: DocumentNode) -> list[GraphQLError]:
    """Return what is too large about a document, or empty, or a circle: nothing, or one error."""
    owns = [(one, _own(one)) for one in document.definitions if isinstance(one, _Definition)]
    fragments = {one.name.value: own for one, own in owns if isinstance(one, FragmentDefinitionNode)}
    empty = next((own.empty for _, own in owns if own.empty is not None), None)
    if empty is not None:
        return [GraphQLError("expected at least one field between { and }, got none", empty)]
    wholes: dict[str, _Whole] = {}
    for name in fragments:
        if (circular := _measure(name, fragments, wholes)) is not None:
            return [GraphQLError(f"Cannot spread fragment '{circular}' within itself.")]
    used = {name for _, own in owns for name, _ in own.uses}
    # A fragment that nobody uses is walked too, before it is refused.
    roots = [(one, own) for one, own in owns if isinstance(one, OperationDefinitionNode) or one.name.value not in used]
    excess = next(_excesses([(one, _sum(own, wholes)) for one, own in roots]), None)
    return [excess] if excess is not None else _too_many_comparisons(document, roots)


def _excesses(roots: Sequence[tuple[_Definition, _Whole]]) -> Iterator[GraphQLError]:
    deepest = max(roots, key=lambda root: root[1].fragment_depth, default=None)
    if deepest is not None and deepest[1].fragment_depth > MAX_FRAGMENT_DEPTH:
        came = deepest[1].fragment_depth
        yield _error(f"{MAX_FRAGMENT_DEPTH} fragments inside one another, got {came}", deepest[0])
    for definition, whole in roots:
        if whole.depth > MAX_DEPTH:
            name = definition.name.value if definition.name else "anonymous"
            yield GraphQLError(f"'{name}' exceeds maximum operation depth of {MAX_DEPTH}", definition)
    # All operations together, because each rule of validation walks them all.
    selections = sum(whole.selections for _, whole in roots)
    nodes = sum(whole.nodes for _, whole in roots)
    aliases = sum(whole.aliases for _, whole in roots)
    counted = "those of a fragment counted at each use"
    if selections > MAX_SELECTIONS:
        yield _error(f"{MAX_SELECTIONS} fields, {counted}, got {selections}")
    if nodes > MAX_NODES:
        yield _error(f"{MAX_NODES} fields, arguments and values, {counted}, got {nodes}")
    if aliases > MAX_ALIASES:
        yield GraphQLError(f"{aliases} aliases found. Allowed: {MAX_ALIASES}")


def _too_many_comparisons(document: DocumentNode, roots: Sequence[tuple[_Definition, _Own]]) -> list[GraphQLError]:
    pairs = comparisons(document, [root.selection_set for root, _ in roots], MAX_COMPARISONS)
    if pairs <= MAX_COMPARISONS:
        return []
    return [_error(f"{MAX_COMPARISONS} pairs of fields or fragments at the same place, got {pairs} or more")]


def _own(definition: _Definition) -> _Own:
    own = _Own(nodes=_nodes_of(definition.directives))
    waiting: list[tuple[SelectionSetNode, int]] = [(definition.selection_set, 0)]
    while waiting:
        selections, depth = waiting.pop()
        if not selections.selections and own.empty is None:
            own.empty = selections
        for selection in selections.selections:
            own.selections += 1
            own.nodes += 1 + _nodes_of(selection.directives)
            inner = _within(selection, depth, own)
            if inner is not None:
                waiting.append(inner)
    return own


def _within(selection: SelectionNode, depth: int, own: _Own) -> tuple[SelectionSetNode, int] | None:
    """Count one selection; return what is inside it, and how deep that is."""
    if isinstance(selection, FragmentSpreadNode):
        own.uses.append((selection.name.value, depth))
        return None
    inner: SelectionSetNode | None = selection.selection_set  # type: ignore[attr-defined]
    if isinstance(selection, FieldNode):
        own.aliases += selection.alias is not None
        own.nodes += _values_in([argument.value for argument in selection.arguments or ()])
        if selection.name.value.startswith("__"):
            depth = _NEVER_DEEP
        elif inner is not None:
            depth += 1
    own.depth = max(own.depth, depth)
    return None if inner is None else (inner, depth)


def _nodes_of(directives: Sequence[DirectiveNode] | None) -> int:
    given = directives or ()
    return sum(1 + _values_in([argument.value for argument in one.arguments or ()]) for one in given)


def _values_in(values: list[ValueNode]) -> int:
    counted = 0
    while values:
        value = values.pop()
        counted += 1
        if isinstance(value, ListValueNode):
            values += value.values
        elif isinstance(value, ObjectValueNode):
            values += [one.value for one in value.fields]
    return counted


def _measure(name: str, fragments: Mapping[str, _Own], wholes: dict[str, _Whole]) -> str | None:
    """Measure a fragment after all that it uses; a chain of them may be longer than Python's stack.

    Returns the name of a fragment that is inside itself; then nothing can be measured.
    """
    begun: dict[str, Iterator[tuple[str, int]]] = {}
    path = [name]
    while path:
        current = path[-1]
        if current not in fragments or current in wholes:
            wholes.setdefault(current, _Whole())  # a fragment that is missing is another rule's affair
            path.pop()
            continue
        uses = begun.setdefault(current, iter(fragments[current].uses))
        following = next((one for one, _ in uses if one not in wholes), None)
        if following in begun:
            return following
        if following is not None:
            path.append(following)
        else:
            wholes[current] = _sum(fragments[current], wholes)
    return None


def _sum(own: _Own, wholes: Mapping[str, _Whole]) -> _Whole:
    used = [(wholes[name], depth) for name, depth in own.uses if name in wholes]
    return _Whole(
        own.selections + sum(one.selections for one, _ in used),
        own.nodes + sum(one.nodes for one, _ in used),
        own.aliases + sum(one.aliases for one, _ in used),
        max(own.depth, max((depth + one.depth for one, depth in used), default=0)),
        1 + max((one.fragment_depth for one, _ in used), default=-1),
    )


def _error(expected: str, node: _Definition | None = None) -> GraphQLError:
    return GraphQLError(f"expected at most {expected}", node)
