"""Doors ask the service: `schema` and `server` name neither the node nor its parts behind the service.

`server.wiring` puts the node together, and `server.process` puts the service on it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.rules.imports import find_imports, find_modules
from tests.rules.trees import parse

__all__ = ["find_direct_calls"]

DOORS = ("schema", "server")
#: The module that makes the parts and closes them.
MAKER = "server.wiring"
#: Parts of a node that nobody but the service calls.
PARTS = frozenset({"store", "bus", "views", "hub"})
#: Modules and names that lead to those parts.
BEHIND = (
    "realtime.node.Node",
    "realtime.node.make_node",
    "realtime.streams",
    "realtime.views",
    "realtime.writing",
    "realtime.backends",
    "realtime.fanout.hub",
)
#: Ports that a door would only need to call a store or a broker.
PORTS = frozenset({"Broker", "EventStore", "Store", "Transaction"})


def find_direct_calls(root: Path) -> list[str]:
    """Return one line for each import and each use of a part of the node that goes past the service."""
    return [*_imports(root), *_uses(root)]


def _imports(root: Path) -> Iterator[str]:
    for edge in find_imports(root, DOORS):
        if edge.importer != MAKER and _is_behind(edge.target):
            yield f"{edge.where}: ask realtime.service instead of {edge.target}"


def _is_behind(target: str) -> bool:
    module, _, name = target.rpartition(".")
    is_port = name in PORTS or name.endswith(("Reader", "Pruner"))
    if module.startswith("realtime.ports") and is_port:
        return True
    return any(f"{target}.".startswith(f"{one}.") for one in BEHIND)


def _uses(root: Path) -> Iterator[str]:
    for module, path in find_modules(root, DOORS).items():
        if module == MAKER:
            continue
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.Attribute) and node.attr in PARTS:
                yield f"{path.relative_to(root)}:{node.lineno}: ask the service instead of .{node.attr}"
