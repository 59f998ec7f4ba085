"""Search for a cycle in the dependencies of a board's cards, which must have none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["cycle_text", "find_cycle"]

#: Most cards of a cycle that an error names.
MAX_CYCLE_CARDS = 10


def find_cycle(depends_on: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the ids along one cycle, with the first id again at the end; an empty list if there is no cycle.

    Iterative, because a chain can be as long as the board has cards.
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


def cycle_text(cycle: Sequence[str]) -> str:
    """Return a cycle as text for an error message, without the middle of a long cycle."""
    if len(cycle) <= MAX_CYCLE_CARDS:
        return " → ".join(cycle)
    half = MAX_CYCLE_CARDS // 2
    return " → ".join((*cycle[:half], f"{len(cycle) - MAX_CYCLE_CARDS} more", *cycle[-half:]))
