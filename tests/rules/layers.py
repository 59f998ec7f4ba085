"""Imports point downwards: `realtime` ← `schema` ← `server`, and through the layers inside `realtime`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.rules.imports import Import, find_imports, find_modules, owner
from tests.rules.trees import PACKAGES

__all__ = ["LAYERS", "find_breaches"]

#: Modules and packages directly in `realtime`, lowest layer first. A module imports from its own layer or from below.
#: A new module gets its place here.
LAYERS: tuple[frozenset[str], ...] = (
    frozenset({"errors", "clock", "bounded_cache", "gate", "kept", "limits", "rates", "right_of_way", "tasks"}),
    frozenset({"kanban", "dashboard"}),
    frozenset({"channels", "position", "envelopes", "batches", "translate", "options", "counters"}),
    frozenset({"inventory", "ports", "backends"}),
    frozenset(
        {
            *(
                "bus",
                "hub",
                "lane",
                "subscriber",
                "board_views",
                "dashboard_feed",
                "delivery",
                "replay",
                "node",
                "projects",
                "attempts",
            ),
            *("heartbeats", "leases", "retention", "ingest_plan", "write_units", "board_view", "repair", "census"),
        }
    ),
    frozenset({"streams"}),
)

#: The only module, tests apart, that chooses back-ends.
CHOOSER = "server.wiring"

_OURS = {"realtime": {"realtime"}, "schema": {"schema", "realtime"}, "server": set(PACKAGES)}
_TRANSPORT = frozenset({"starlette", "uvicorn", "sse_starlette"})
_BANNED = {
    "realtime": _TRANSPORT | {"strawberry", "graphql"},
    "schema": _TRANSPORT,
    "server": frozenset[str](),
}
_LAYER_OF = {name: number for number, names in enumerate(LAYERS) for name in names}


def find_breaches(root: Path) -> list[str]:
    """Return one line for every import that points the wrong way, and for every module without a layer."""
    modules = find_modules(root, PACKAGES)
    found = [breach for edge in find_imports(root, PACKAGES) for breach in _breaches(edge, frozenset(modules))]
    return found + [
        f"{path.relative_to(root)}: give it a layer in tests/rules/layers.py"
        for module, path in modules.items()
        if module != "realtime" and module.startswith("realtime.") and _layer(module) is None
    ]


def _breaches(edge: Import, modules: frozenset[str]) -> Iterator[str]:
    package, imported = edge.importer.partition(".")[0], edge.target.partition(".")[0]
    if imported in _BANNED[package] or (imported in PACKAGES and imported not in _OURS[package]):
        yield f"{edge.where}: {package} may not import {imported}"
        return
    target = owner(edge.target, modules) or edge.target
    if _is_backend(target) and not _is_backend(edge.importer) and edge.importer != CHOOSER:
        yield f"{edge.where}: only {CHOOSER} may import {target}"
    own, other = _layer(edge.importer), _layer(target)
    if own is not None and other is not None and other > own:
        yield f"{edge.where}: {edge.importer} (layer {own}) may not import {target} (layer {other})"


def _layer(module: str) -> int | None:
    package, _, rest = module.partition(".")
    return _LAYER_OF.get(rest.partition(".")[0]) if package == "realtime" else None


def _is_backend(module: str) -> bool:
    return f"{module}.".startswith("realtime.backends.")
