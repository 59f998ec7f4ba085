"""Limits the size of a document with all its fragments expanded, before anything else walks it.

Validation and execution follow fragments to each of their uses, and validation compares fields in pairs. Thirty
fragments, each of which uses the next one twice, have 500 tokens and a thousand million uses. In 14 KB, 1,240 equal
fields make 768,000 pairs. The counts here limit both. Measuring takes time in proportion to the text, and counting the
pairs takes time in proportion to `MAX_SELECTIONS`.
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

#: Most levels of nested fields, without introspection.
MAX_DEPTH = 15
#: Most aliases in a document; the aliases of a fragment count at each use.
MAX_ALIASES = 50
#: Most fields and fragments of all operations of a document; those of a fragment count at each use.
MAX_SELECTIONS = 5000
#: Most fields, fragments, arguments, values and directives, counted in the same way: validation rules visit each use of
#: a variable.
MAX_NODES = 20_000
#: Most levels of nested fragments.
MAX_FRAGMENT_DEPTH = 20
#: Most pairs of fields with the same place in the response. Validation compares each pair in 5 to 8 microseconds.
MAX_COMPARISONS = 5000
#: Depth at which fields of introspection begin, so that they never exceed the limit: graphql-core has its own rule for
#: them.
_NEVER_DEEP = -1000

_Definition = OperationDefinitionNode | FragmentDefinitionNode


@dataclass(slots=True)
class _Own:
    """The counts of one definition, without the fragments that it uses."""

    selections: int = 0
    nodes: int = 0
    aliases: int = 0
    depth: int = 0
    #: One entry for each use of a fragment: its name, and the depth in fields.
    uses: list[tuple[str, int]] = field(default_factory=list)
    #: The first empty selection set: graphql-core parses it, but the grammar of GraphQL forbids it.
    empty: SelectionSetNode | None = None


@dataclass(frozen=True, slots=True)
class _Whole:
    """The counts of a definition together with all fragments that it uses."""

    selections: int = 0
    nodes: int = 0
    aliases: int = 0
    #: Levels of nested fields.
    depth: int = 0
    #: Levels of nested fragments.
    fragment_depth: int = 0


def size_errors(document: DocumentNode) -> list[GraphQLError]:
    """Return one error if the document is too large, has an empty selection set or a fragment cycle; else none."""
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
    # Unused fragments count too: validation walks them before it refuses them.
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
    # The sum of all operations, because each validation rule walks all of them.
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
    """Count one selection; return the selection set inside it, and the depth of that set."""
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
    """Measure a fragment after all fragments that it uses, without recursion: a chain may be longer than Python's
    stack.

    Returns the name of a fragment that uses itself, which cannot be measured; None = there is no such fragment.
    """
    begun: dict[str, Iterator[tuple[str, int]]] = {}
    path = [name]
    while path:
        current = path[-1]
        if current not in fragments or current in wholes:
            wholes.setdefault(current, _Whole())  # another rule reports a missing fragment
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
