"""`schema` and `server` call the service, and name neither the node nor its parts.

`server.wiring` builds the node, and `server.process` builds the service on it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.rules.imports import find_imports, find_modules
from tests.rules.trees import parse

__all__ = ["find_direct_calls"]

CALLERS = ("schema", "server")
#: The module that builds the parts and closes them.
MAKER = "server.wiring"
#: Parts of a node that only the service calls.
PARTS = frozenset({"store", "bus", "views", "hub"})
#: Modules and names that give access to those parts.
HIDDEN = (
    "realtime.node.Node",
    "realtime.node.make_node",
    "realtime.streams",
    "realtime.views",
    "realtime.writing",
    "realtime.backends",
    "realtime.fanout.hub",
)
#: Ports that a module needs only to call a store or a broker.
PORTS = frozenset({"Broker", "EventStore", "Store", "Transaction"})


def find_direct_calls(root: Path) -> list[str]:
    """Return one line for each import and each use of a part of the node that bypasses the service."""
    return [*_imports(root), *_uses(root)]


def _imports(root: Path) -> Iterator[str]:
    for edge in find_imports(root, CALLERS):
        if edge.importer != MAKER and _is_hidden(edge.target):
            yield f"{edge.where}: ask realtime.service instead of {edge.target}"


def _is_hidden(target: str) -> bool:
    module, _, name = target.rpartition(".")
    is_port = name in PORTS or name.endswith(("Reader", "Pruner"))
    if module.startswith("realtime.ports") and is_port:
        return True
    return any(f"{target}.".startswith(f"{one}.") for one in HIDDEN)


def _uses(root: Path) -> Iterator[str]:
    for module, path in find_modules(root, CALLERS).items():
        if module == MAKER:
            continue
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.Attribute) and node.attr in PARTS:
                yield f"{path.relative_to(root)}:{node.lineno}: ask the service instead of .{node.attr}"
