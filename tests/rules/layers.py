"""Imports point downwards: `realtime` ← `schema` ← `server`, and through the layers of each of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.rules.imports import Import, find_imports, find_modules, owner
from tests.rules.trees import PACKAGES

__all__ = ["LAYERS", "find_breaches"]

#: For each package its modules and rooms (folders), lowest layer first. A module imports from its own layer or from
#: below. Add each new module of a floor, and each new room, here.
LAYERS: dict[str, tuple[frozenset[str], ...]] = {
    "realtime": (
        frozenset(
            {"errors", "ending", "endings", "clock", "caches", "generated", "global_ids", "limits", "rates", "tasks"}
        ),
        frozenset({"kanban", "dashboard"}),
        frozenset({"messages"}),
        frozenset({"ports", "backends"}),
        frozenset({"fanout", "lifetimes"}),
        frozenset({"views"}),
        frozenset({"writing", "tokens"}),
        frozenset({"node"}),
        frozenset({"streams"}),
        frozenset({"service"}),
        frozenset({"field_tables"}),
        frozenset({"export"}),
    ),
    "schema": (
        frozenset({"trusted_documents", "refusals"}),
        frozenset({"operation_limits"}),
        frozenset({"plan"}),
        frozenset({"execution"}),
        frozenset({"types"}),
        frozenset({"validation"}),
        frozenset({"envelopes", "nodes", "access_tokens"}),
        frozenset({"mutations", "queries", "subscriptions"}),
        frozenset({"root"}),
        frozenset({"export"}),
    ),
    "server": (
        frozenset({"setting_texts", "settings", "problem"}),
        frozenset({"access", "concurrency", "protocol", "routing", "runtime", "demo", "settings_flags"}),
        frozenset({"connection", "starting", "wiring"}),
        frozenset({"middleware", "serve"}),
        frozenset({"transports"}),
        frozenset({"app", "export"}),
        frozenset({"command_line", "process"}),
        frozenset({"workers"}),
        frozenset({"__main__"}),
    ),
}

#: The only module, apart from tests, that chooses back-ends.
CHOOSER = "server.wiring"

_OURS = {"realtime": {"realtime"}, "schema": {"schema", "realtime"}, "server": set(PACKAGES)}
_TRANSPORT = frozenset({"starlette", "uvicorn", "sse_starlette"})
_BANNED = {
    "realtime": _TRANSPORT | {"strawberry", "graphql"},
    "schema": _TRANSPORT,
    "server": frozenset[str](),
}
_LAYER_OF = {
    f"{package}.{name}": number
    for package, layers in LAYERS.items()
    for number, names in enumerate(layers)
    for name in names
}


def find_breaches(root: Path) -> list[str]:
    """Return one line for every import that points the wrong way, and for every module without a layer."""
    modules = find_modules(root, PACKAGES)
    found = [breach for edge in find_imports(root, PACKAGES) for breach in _breaches(edge, frozenset(modules))]
    return found + [
        f"{path.relative_to(root)}: give it a layer in tests/rules/layers.py"
        for module, path in modules.items()
        if module not in PACKAGES and _layer(module) is None
    ]


def _breaches(edge: Import, modules: frozenset[str]) -> Iterator[str]:
    package, imported = edge.importer.partition(".")[0], edge.target.partition(".")[0]
    if imported in _BANNED[package] or (imported in PACKAGES and imported not in _OURS[package]):
        yield f"{edge.where}: {package} may not import {imported}"
        return
    target = owner(edge.target, modules) or edge.target
    if _is_backend(target) and not _is_backend(edge.importer) and edge.importer != CHOOSER:
        yield f"{edge.where}: only {CHOOSER} may import {target}"
    own, other = _layer(edge.importer), _layer(target) if imported == package else None
    if own is not None and other is not None and other > own:
        yield f"{edge.where}: {edge.importer} (layer {own}) may not import {target} (layer {other})"


def _layer(module: str) -> int | None:
    return _LAYER_OF.get(".".join(module.split(".")[:2]))


def _is_backend(module: str) -> bool:
    return f"{module}.".startswith("realtime.backends.")
