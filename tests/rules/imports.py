"""The imports between modules, read from the source without running it.

Every import counts, also one inside a function or under `TYPE_CHECKING`: a hidden import is still a dependency.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.rules.trees import parse, python_files

__all__ = ["Import", "find_imports", "find_modules", "owner"]


@dataclass(frozen=True, slots=True)
class Import:
    """One imported name and its place."""

    #: Dotted name of the importing module.
    importer: str
    #: Full dotted name of the imported object: `realtime.fanout.hub.Hub`, `starlette.routing.Route`.
    target: str
    #: Path below the root and line, as an editor opens it.
    where: str


def find_modules(root: Path, packages: Iterable[str]) -> dict[str, Path]:
    """Return the file of every module of `packages` by its dotted name. The file of a package is its `__init__.py`."""
    modules = {}
    for path in python_files(root, packages):
        parts = path.relative_to(root).with_suffix("").parts
        modules[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return modules


def find_imports(root: Path, packages: Iterable[str]) -> Iterator[Import]:
    """Yield every import of every module of `packages`, with relative ones resolved."""
    for module, path in find_modules(root, packages).items():
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.Import | ast.ImportFrom):
                where = f"{path.relative_to(root)}:{node.lineno}"
                is_package = path.name == "__init__.py"
                yield from (Import(module, target, where) for target in _targets(node, module, is_package=is_package))


def owner(target: str, modules: Iterable[str]) -> str | None:
    """Return the module of `modules` that `target` is, or that contains it; None for a third-party one."""
    known = frozenset(modules)
    while target and target not in known:
        target = target.rpartition(".")[0]
    return target or None


def _targets(node: ast.Import | ast.ImportFrom, module: str, *, is_package: bool) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    source = node.module or ""
    if node.level:
        parts = module.split(".")
        depth = len(parts) - node.level + is_package
        source = ".".join([*parts[:depth], *([node.module] if node.module else [])])
    return [f"{source}.{alias.name}" for alias in node.names]
