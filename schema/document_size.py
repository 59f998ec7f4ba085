"""How large a document becomes once each fragment stands where it is used: measured without putting it there.

Rules that follow fragments to each of their uses (those of Strawberry's limiters) and the executor visit what is
counted here. Of thirty fragments each of which uses the next one twice, these are a thousand million, in 500 tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

__all__ = ["MAX_FRAGMENT_DEPTH", "MAX_SELECTIONS", "size_errors"]

#: Most fields and fragments of a document, fragments counted at each use.
MAX_SELECTIONS = 5000
#: Most fragments inside one another.
MAX_FRAGMENT_DEPTH = 20


@dataclass(slots=True)
class _Own:
    """What one definition has itself."""

    selections: int = 0
    #: Names of the fragments that are used, as often as they are.
    uses: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Whole:
    """What a fragment has with all that it uses."""

    selections: int
    depth: int


def size_errors(document: DocumentNode) -> list[GraphQLError]:
    """Return what is too large about a document: nothing, or one error. Takes time in proportion to its text."""
    fragments = {
        definition.name.value: _own(definition.selection_set)
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    wholes: dict[str, _Whole] = {}
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            own = _own(definition.selection_set)
            for name in own.uses:
                _measure(name, fragments, wholes)
            whole = _sum(own, wholes)
            if whole.depth > MAX_FRAGMENT_DEPTH:
                return [_error(f"{MAX_FRAGMENT_DEPTH} fragments inside one another, got {whole.depth}", definition)]
            if whole.selections > MAX_SELECTIONS:
                came = f"{MAX_SELECTIONS} fields, those of a fragment counted at each use, got {whole.selections}"
                return [_error(came, definition)]
    return []


def _own(selection_set: SelectionSetNode) -> _Own:
    own, waiting = _Own(), [selection_set]
    while waiting:
        for selection in waiting.pop().selections:
            own.selections += 1
            if isinstance(selection, FragmentSpreadNode):
                own.uses.append(selection.name.value)
            elif isinstance(selection, FieldNode | InlineFragmentNode) and selection.selection_set:
                waiting.append(selection.selection_set)
    return own


def _measure(name: str, fragments: Mapping[str, _Own], wholes: dict[str, _Whole]) -> None:
    """Measure a fragment after all that it uses; a chain of them may be longer than Python's stack."""
    begun: dict[str, Iterator[str]] = {}
    path = [name]
    while path:
        current = path[-1]
        if current not in fragments or current in wholes:
            wholes.setdefault(current, _Whole(0, 0))  # a fragment that is missing is another rule's affair
            path.pop()
            continue
        uses = begun.setdefault(current, iter(fragments[current].uses))
        # One that is begun and used again is a circle, which is another rule's affair too.
        following = next((one for one in uses if one not in wholes and one not in begun), None)
        if following is not None:
            path.append(following)
        else:
            wholes[current] = _sum(fragments[current], wholes)


def _sum(own: _Own, wholes: Mapping[str, _Whole]) -> _Whole:
    used = [wholes[name] for name in own.uses if name in wholes]
    depth = 1 + max((one.depth for one in used), default=-1)
    return _Whole(own.selections + sum(one.selections for one in used), depth)


def _error(expected: str, node: OperationDefinitionNode) -> GraphQLError:
    return GraphQLError(f"expected at most {expected}", node)
