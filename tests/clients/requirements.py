"""Decides whether the tests with real clients can run here.

Where Node.js, its packages or Chromium are missing the tests are skipped and say what is missing; with
`BOARDCAST_REQUIRE_CLIENTS=1` in the environment (as `.ci/run` sets it) they fail instead. Running the
scripts is left to `node_script`.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

__all__ = [
    "CHROMIUM_NAMES",
    "SCRIPTS",
    "chromium_path",
    "find_missing",
    "require",
    "require_chromium",
    "require_command",
    "require_node",
]

SCRIPTS = Path(__file__).parent
PACKAGES = (
    *("@apollo/client", "@urql/core", "eventsource", "graphql", "graphql-http", "graphql-sse", "graphql-ws"),
    *("playwright-core", "relay-runtime", "rxjs", "subscriptions-transport-ws", "ws"),
)
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")


def chromium_path() -> str | None:
    """Where Chromium is, or None when it is not installed."""
    return next((path for name in CHROMIUM_NAMES if (path := shutil.which(name))), None)


def find_missing(scripts: Path = SCRIPTS, *, with_chromium: bool) -> str | None:
    """One sentence that names the first thing missing for the clients in `scripts`, or None."""
    if shutil.which("node") is None:
        return "Node.js is not installed"
    absent = [name for name in PACKAGES if not (scripts / "node_modules" / name / "package.json").is_file()]
    if absent:
        return f"npm packages are not installed in tests/clients: {', '.join(absent)}"
    if with_chromium and chromium_path() is None:
        return "Chromium is not installed"
    return None


def require_node() -> None:
    """Skip the calling test, or fail it where clients are required, unless Node.js and its packages are here."""
    require(find_missing(with_chromium=False))


def require_chromium() -> None:
    """As `require_node`, and Chromium as well."""
    require(find_missing(with_chromium=True))


def require_command(name: str) -> None:
    """Skip the calling test, or fail it where clients are required, unless the command `name` is installed."""
    require(None if shutil.which(name) else f"{name} is not installed")


def require(missing: str | None) -> None:
    """Skip the calling test, or fail it where clients are required, for the reason given, if there is one."""
    if missing is None:
        return
    if os.environ.get("BOARDCAST_REQUIRE_CLIENTS") == "1":
        pytest.fail(f"{missing}, and BOARDCAST_REQUIRE_CLIENTS=1 asks for it", pytrace=False)
    pytest.skip(missing)
