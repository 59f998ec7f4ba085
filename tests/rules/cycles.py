"""No module imports, by whatever way round, a module that imports it."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from tests.rules.imports import find_imports, find_modules, owner
from tests.rules.trees import PACKAGES

__all__ = ["find_cycle"]


def find_cycle(root: Path) -> list[str]:
    """Return the modules of one import cycle, the first one again at the end; empty when there is none."""
    modules = find_modules(root, PACKAGES)
    graph: dict[str, set[str]] = {module: set() for module in modules}
    for edge in find_imports(root, PACKAGES):
        target = owner(edge.target, modules)
        if target not in (None, edge.importer):
            graph[edge.importer].add(str(target))
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []
