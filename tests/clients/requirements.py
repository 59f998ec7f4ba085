"""Decides whether the tests with real clients can run here.

If Node.js, its packages or Chromium are missing, the tests are skipped and name what is missing. With
`BOARDCAST_REQUIRE_CLIENTS=1` in the environment (`.ci/run` sets it) they fail instead. `node_script` runs the scripts.
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
    *(
        "@apollo/client",
        "@urql/core",
        "@urql/exchange-graphcache",
        "@urql/exchange-retry",
        "axe-core",
        "eventsource",
        "graphql",
        "graphql-http",
        "graphql-sse",
        "graphql-ws",
    ),
    *("playwright-core", "relay-compiler", "relay-runtime", "rxjs", "subscriptions-transport-ws", "ws"),
)
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")


def chromium_path() -> str | None:
    """The path of Chromium, None if it is not installed."""
    return next((path for name in CHROMIUM_NAMES if (path := shutil.which(name))), None)


def find_missing(scripts: Path = SCRIPTS, *, with_chromium: bool) -> str | None:
    """One sentence that names the first missing requirement of the clients in `scripts`, or None."""
    if shutil.which("node") is None:
        return "Node.js is not installed"
    absent = [name for name in PACKAGES if not (scripts / "node_modules" / name / "package.json").is_file()]
    if absent:
        return f"npm packages are not installed in tests/clients: {', '.join(absent)}"
    if with_chromium and chromium_path() is None:
        return "Chromium is not installed"
    return None


def require_node() -> None:
    """Skip or fail the calling test unless Node.js and its packages are installed.

    It fails if clients are required.
    """
    require(find_missing(with_chromium=False))


def require_chromium() -> None:
    """As `require_node`, and Chromium as well."""
    require(find_missing(with_chromium=True))


def require_command(name: str) -> None:
    """Skip or fail the calling test unless the command `name` is installed. It fails if clients are required."""
    require(None if shutil.which(name) else f"{name} is not installed")


def require(missing: str | None) -> None:
    """Skip or fail the calling test with the given reason, if there is one. It fails if clients are required."""
    if missing is None:
        return
    if os.environ.get("BOARDCAST_REQUIRE_CLIENTS") == "1":
        pytest.fail(f"{missing}, and BOARDCAST_REQUIRE_CLIENTS=1 asks for it", pytrace=False)
    pytest.skip(missing)
