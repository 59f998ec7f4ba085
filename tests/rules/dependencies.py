"""Third-party packages: each imported one is declared in `pyproject.toml`, and each declared one is used."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

from tests.rules.imports import find_imports
from tests.rules.trees import PACKAGES

__all__ = ["NOT_IMPORTED", "find_undeclared", "find_unused", "imported_by", "project_table"]

#: The extras that only serve the work on this repository.
_FOR_DEVELOPERS = ("test", "check")
#: Declared distributions that no file imports, each with its reason.
NOT_IMPORTED = {
    "aiohttp": "gql's transport imports it",
    "coverage": "a command: make coverage",
    "httptools": "uvicorn's HTTP protocol class imports it",
    "mypy": "a command: make check",
    "pytest-timeout": "a plug-in of pytest",
    "pytest-xdist": "a plug-in of pytest",
    "ruff": "a command: make check",
}

#: Modules to which several distributions add parts, and those of them that are imported here.
_SHARED = {"opentelemetry": ("opentelemetry-api", "opentelemetry-exporter-otlp-proto-http", "opentelemetry-sdk")}
_TESTS = ("tests",)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def project_table(root: Path) -> dict[str, Any]:
    """Return the table `[project]` of `pyproject.toml`."""
    table: dict[str, Any] = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return table


@cache
def imported_by(root: Path, packages: tuple[str, ...]) -> dict[str, str]:
    """Return the distributions that `packages` import, each with one place that imports it."""
    known = packages_distributions()
    found: dict[str, str] = {}
    for one in find_imports(root, packages):
        module = one.target.partition(".")[0]
        if module not in sys.stdlib_module_names and module not in {*PACKAGES, "tests"}:
            for distribution in _SHARED.get(module) or known.get(module, [module]):
                found.setdefault(_normal(distribution), one.where)
    return found


def find_undeclared(root: Path) -> list[str]:
    """Return the imports of the packages and of the tests that have no declaration.

    The packages may import what a user can choose to install.
    """
    project = project_table(root)
    extras = project["optional-dependencies"]
    chosen = (one for extra, some in extras.items() if extra not in _FOR_DEVELOPERS for one in some)
    needed = _names(project["dependencies"]) | _names(chosen)
    extra = needed | _names(extras["test"])
    return [
        f"{where}: {name} is not declared"
        for packages, declared in ((PACKAGES, needed), (_TESTS, extra))
        for name, where in imported_by(root, packages).items()
        if name not in declared
    ]


def find_unused(root: Path) -> list[str]:
    """Return the declarations without an import, or with imports by the tests only."""
    project = project_table(root)
    extras = project["optional-dependencies"].values()
    by_packages = {*imported_by(root, PACKAGES), *NOT_IMPORTED}
    by_tests = {*imported_by(root, _TESTS), *NOT_IMPORTED}
    unused = _names(project["dependencies"]) - by_packages
    return sorted(unused | (_names(name for extra in extras for name in extra) - by_tests))


def _names(requirements: Iterable[str]) -> set[str]:
    return {_normal(found.group()) for one in requirements if (found := _NAME.match(one))}


def _normal(name: str) -> str:
    """Return the normal form of a distribution's name, as package indices use it."""
    return re.sub(r"[-_.]+", "-", name).lower()
