"""The undocumented names of other packages: the installed releases have each of them, and the list is complete."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.rules.dependencies import project_table
from tests.rules.private_parts import (
    MODULES,
    PARTS,
    PRIVATE,
    find_class,
    imported_names,
    names_of,
    private_names,
    source_of,
    used_names,
)
from tests.rules.trees import REPOSITORY, plant


def _each(table: Mapping[str, str]) -> list[str]:
    return [f"{owner} {name}" for owner, names in table.items() for name in names.split()]


@pytest.mark.parametrize("part", _each(PARTS))
def test_class_has_the_part(part: str) -> None:
    kind, name = part.split()
    assert name in names_of(find_class(kind)), f"{kind} has no {name} any more"


@pytest.mark.parametrize("part", _each(PRIVATE))
def test_source_of_the_class_has_the_private_name(part: str) -> None:
    kind, name = part.split()
    assert re.search(rf"\b{name}\b", source_of(find_class(kind))), f"{kind} has no {name} any more"


@pytest.mark.parametrize("part", _each(MODULES))
def test_module_has_the_name(part: str) -> None:
    module, name = part.split()
    assert hasattr(import_module(module), name), f"{module} has no {name} any more"


@pytest.mark.parametrize("kind", PARTS)
def test_list_of_the_parts_of_a_class_is_complete(kind: str) -> None:
    assert used_names(REPOSITORY, kind) & names_of(find_class(kind)) == set(PARTS[kind].split())


@pytest.mark.parametrize("module", MODULES)
def test_list_of_the_names_of_a_module_is_complete(module: str) -> None:
    assert imported_names(REPOSITORY, module) == set(MODULES[module].split())


def test_list_of_private_names_is_complete() -> None:
    assert private_names(REPOSITORY) == {name for names in PRIVATE.values() for name in names.split()}


def test_each_package_whose_private_parts_are_used_has_an_upper_bound() -> None:
    owners = {owner.partition(".")[0] for owner in (*PARTS, *PRIVATE, *MODULES)}
    bounded = {re.split(r"[<>=;\[]", one)[0] for one in project_table(REPOSITORY)["dependencies"] if "<" in one}
    known = packages_distributions()
    assert {known[owner][0] for owner in owners} <= bounded


def test_new_use_of_a_part_is_found(tmp_path: Path) -> None:
    tree = plant(
        tmp_path,
        {
            "server/serve.py": """
                import uvicorn
                from strawberry.schema.exceptions import Fault
                class Server(uvicorn.Server):
                    def shutdown(self): self.lifespan.stop()
                class Quick(Server):
                    def serve(self, info): return info._field, self.config  # noqa: SLF001
                def close(one): one.flow.drain()
            """
        },
    )
    assert used_names(tree, "uvicorn.server.Server") == {"shutdown", "lifespan", "serve", "config"}
    assert used_names(tree, "uvicorn.protocols.http.flow_control.FlowControl") == {"drain"}
    assert imported_names(tree, "strawberry.schema.exceptions") == {"Fault"}
    assert private_names(tree) == {"_field"}
