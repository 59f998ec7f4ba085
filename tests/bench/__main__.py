"""`make bench`, `python -m tests.bench`: measure, one table per case, on standard output."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version

import uvloop

from tests.bench.cases import CASES
from tests.bench.report import measure, table

__all__ = ["main"]


def main() -> None:
    """Run the chosen cases."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=", description="Compare the server with its peers.")
    parser.add_argument("cases", nargs="*", metavar="case", help=f"{', '.join(CASES)}; all without one")
    parser.add_argument("--runs", type=int, default=5, help="how often each case is run after a warm-up (default: 5)")
    chosen = parser.parse_args()
    names: list[str] = chosen.cases or list(CASES)
    if not set(names) <= CASES.keys() or chosen.runs < 1:
        parser.error(f"expected --runs of 1 or more and cases out of {', '.join(CASES)}")
    print(_surroundings(), flush=True)
    uvloop.run(_run(names, chosen.runs))


async def _run(names: list[str], runs: int) -> None:
    for name in names:
        print("", table(CASES[name].title, CASES[name].reach, await measure(CASES[name], runs)), sep="\n", flush=True)


def _surroundings() -> str:
    """Return what the figures depend on besides the code; a load above zero at the start means that others work."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("uvicorn", "uvloop", "sse-starlette"))
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start; "
        f"Python {platform.python_version()}, {versions}, Node {_node_version()}"
    )


def _node_version() -> str:
    node = shutil.which("node")
    if node is None:
        return "missing"
    return subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    main()
