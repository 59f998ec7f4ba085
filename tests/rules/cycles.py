"""Import cycles: of modules, and of rooms.

A room is a folder. The floor above sees each room as one thing, which imports everything that its modules import. So
`realtime/fanout/` and `realtime/views/` may not need each other, even where no two of their modules do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from tests.rules.imports import find_imports, find_modules, owner
from tests.rules.trees import PACKAGES

__all__ = ["find_cycle", "find_room_cycles"]


def find_cycle(root: Path) -> list[str]:
    """Return the modules of one import cycle, the first one again at the end; empty when there is none."""
    modules = find_modules(root, PACKAGES)
    return _cycle({*_edges(root, modules)})


def find_room_cycles(root: Path) -> list[list[str]]:
    """Return one cycle for each floor (folder) whose modules and rooms need each other.

    The first name of a cycle is also its last.
    """
    modules = find_modules(root, PACKAGES)
    edges = {*_edges(root, modules)}
    floors = sorted({floor for name in modules for floor in _floors_of(name)})
    cycles = (_cycle({*_seen_from(floor, edges)}) for floor in floors)
    return [cycle for cycle in cycles if cycle]


def _edges(root: Path, modules: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield each importing module with the module that it imports."""
    for edge in find_imports(root, PACKAGES):
        target = owner(edge.target, modules)
        if target is not None and target != edge.importer:
            yield edge.importer, target


def _floors_of(module: str) -> Iterator[str]:
    while module := module.rpartition(".")[0]:
        yield module


def _seen_from(floor: str, edges: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for importer, target in edges:
        one, other = _on(floor, importer), _on(floor, target)
        if one and other and one != other:
            yield one, other


def _on(floor: str, module: str) -> str | None:
    """Return the module or room of `floor` that contains `module`; None if there is none."""
    rest = module.removeprefix(f"{floor}.")
    return None if rest == module else f"{floor}.{rest.partition('.')[0]}"


def _cycle(edges: Iterable[tuple[str, str]]) -> list[str]:
    graph: dict[str, set[str]] = {}
    for one, other in sorted(edges):
        graph.setdefault(one, set()).add(other)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []
