"""How many pairs of fields validation has to compare in a document (`OverlappingFieldsCanBeMergedRule`).

The rule compares every two fields that come to stand at one place of the response, and what is inside them in turn, and
every two fragments that are used at one place. So the pairs at each place of the response are its work.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    SelectionSetNode,
)

__all__ = ["comparisons"]

#: What comparing two fragments costs, in pairs of fields; measured 22 microseconds, and 5 to 8.
_FRAGMENT_PAIR = 4


def comparisons(document: DocumentNode, roots: Iterable[SelectionSetNode], enough: int) -> int:
    """Return the number of pairs below `roots`, or some number above `enough`.

    The document must be bounded and without circles: fragments are followed to each of their uses.
    """
    fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
    pairs = 0
    for root in roots:
        pairs += _Root(fragments, enough - pairs).pairs_in(root)
        if pairs > enough:
            break
    return pairs


class _Root:
    def __init__(self, fragments: dict[str, FragmentDefinitionNode], enough: int) -> None:
        self._fragments = fragments
        self._enough = enough

    def pairs_in(self, selections: SelectionSetNode) -> int:
        """Count level by level; all selections of one place of the response are one level's entry."""
        pairs, level = 0, [[selections]]
        while level and pairs <= self._enough:
            following: list[list[SelectionSetNode]] = []
            for place in level:
                counted, inner = self._place(place)
                pairs += counted
                following += inner
            level = following
        return pairs

    def _place(self, sets: list[SelectionSetNode]) -> tuple[int, list[list[SelectionSetNode]]]:
        names: Counter[str] = Counter()
        inner: dict[str, list[SelectionSetNode]] = {}
        spread: set[str] = set()
        spreads = 0
        waiting = list(sets)
        while waiting:
            for selection in waiting.pop().selections:
                if isinstance(selection, FragmentSpreadNode):
                    spreads += 1
                    fragment = self._fragments.get(selection.name.value)
                    if fragment is not None and selection.name.value not in spread:
                        spread.add(selection.name.value)
                        waiting.append(fragment.selection_set)
                elif isinstance(selection, FieldNode):
                    name = selection.alias.value if selection.alias else selection.name.value
                    names[name] += 1
                    if selection.selection_set is not None:
                        inner.setdefault(name, []).append(selection.selection_set)
                else:
                    waiting.append(selection.selection_set)  # type: ignore[attr-defined]
        pairs = sum(_pairs(count) for count in names.values()) + _FRAGMENT_PAIR * _pairs(spreads)
        return pairs, list(inner.values())


def _pairs(count: int) -> int:
    return count * (count - 1) // 2
