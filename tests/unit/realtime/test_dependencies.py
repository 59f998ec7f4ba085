"""Cycles among dependencies are found, and nothing else."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from realtime.kanban.dependencies import cycle_text, find_cycle

_NODES = [str(n) for n in range(7)]
_GRAPHS = st.dictionaries(
    st.sampled_from(_NODES), st.lists(st.sampled_from([*_NODES, "unknown"]), max_size=4), max_size=7
)


def _sortable(graph: dict[str, list[str]]) -> bool:
    """Whether all nodes can be removed by repeatedly removing nodes without dependencies."""
    left = dict(graph)
    while left:
        free = [node for node, others in left.items() if not any(other in left for other in others)]
        if not free:
            return False
        for node in free:
            del left[node]
    return True


@given(_GRAPHS)
def test_cycle_is_found_exactly_when_there_is_one(graph: dict[str, list[str]]) -> None:
    cycle = find_cycle(graph)
    assert bool(cycle) == (not _sortable(graph))
    assert all(other in graph[node] for node, other in pairwise(cycle))
    assert cycle == [] or cycle[0] == cycle[-1]


def test_card_that_depends_on_itself_is_a_cycle() -> None:
    assert find_cycle({"a": ["a"]}) == ["a", "a"]


def test_long_chain_is_no_cycle_and_its_closing_is_one() -> None:
    chain = {str(n): [str(n + 1)] for n in range(20_000)}
    assert find_cycle(chain) == []
    assert len(find_cycle({**chain, "20000": ["0"]})) == 20_002


def test_long_cycle_is_shown_without_its_middle() -> None:
    assert cycle_text(["a", "b", "a"]) == "a → b → a"
    text = cycle_text([f"c{n}" for n in range(10_000)])
    assert text == "c0 → c1 → c2 → c3 → c4 → 9990 more → c9995 → c9996 → c9997 → c9998 → c9999"
