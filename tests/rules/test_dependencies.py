"""The repository declares its imports and imports its declarations. Trees that do not are found."""

from __future__ import annotations

from pathlib import Path

from tests.rules.dependencies import NOT_IMPORTED, find_undeclared, find_unused, imported_by
from tests.rules.trees import PACKAGES, REPOSITORY, plant

_PROJECT = """
    [project]
    dependencies = ["orjson>=3", "PyDantic_Settings[x]>=2; sys_platform != 'win32'"]
    [project.optional-dependencies]
    test = ["h11", "httpx>=0.28"]
    check = ["ruff>=0.14"]
"""


def test_each_import_is_declared() -> None:
    assert find_undeclared(REPOSITORY) == []


def test_each_declared_package_is_used() -> None:
    assert find_unused(REPOSITORY) == []


def test_each_package_with_a_reason_is_imported_nowhere() -> None:
    for packages in (PACKAGES, ("tests",)):
        assert NOT_IMPORTED.keys().isdisjoint(imported_by(REPOSITORY, packages))


def test_tree_with_an_undeclared_import_is_caught(tmp_path: Path) -> None:
    files = {
        "pyproject.toml": _PROJECT,
        "realtime/a.py": "import json, orjson, httpx",
        "server/b.py": "def late():\n    from pydantic_settings.main import BaseSettings\n",
        "tests/c.py": "import httpx, orjson, anyio.abc\nfrom realtime import a",
    }
    assert find_undeclared(plant(tmp_path, files)) == [
        "realtime/a.py:1: httpx is not declared",
        "tests/c.py:1: anyio is not declared",
    ]


def test_tree_with_an_unused_declaration_is_caught(tmp_path: Path) -> None:
    files = {
        "pyproject.toml": _PROJECT,
        "realtime/a.py": "import pydantic_settings",
        "tests/c.py": "import orjson, h11",
    }
    assert find_unused(plant(tmp_path, files)) == ["httpx", "orjson"]
