"""Dependencies between the cards of a board form no cycle; this finds one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["find_cycle", "told_cycle"]

#: Most cards of a cycle that an error names.
TOLD_CARDS = 10


def find_cycle(depends_on: Mapping[str, Sequence[str]]) -> list[str]:
    """Return one cycle as the ids along it, first id repeated at the end; an empty list when there is none.

    Iterative, because a chain may be as long as the board has cards.
    """
    finished: set[str] = set()
    for start in depends_on:
        stack = [(start, iter(depends_on.get(start, ())))] if start not in finished else []
        on_path = {start}
        while stack:
            node, others = stack[-1]
            following = next(others, None)
            if following is None:
                stack.pop()
                on_path.discard(node)
                finished.add(node)
            elif following in on_path:
                nodes = [entry[0] for entry in stack]
                return [*nodes[nodes.index(following) :], following]
            elif following not in finished:
                on_path.add(following)
                stack.append((following, iter(depends_on.get(following, ()))))
    return []


def told_cycle(cycle: Sequence[str]) -> str:
    """Return a cycle as an error tells of it; from a long one the middle is left out."""
    if len(cycle) <= TOLD_CARDS:
        return " → ".join(cycle)
    half = TOLD_CARDS // 2
    return " → ".join((*cycle[:half], f"{len(cycle) - TOLD_CARDS} more", *cycle[-half:]))
