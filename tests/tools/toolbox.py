"""Runs the tools of other people on the committed schema and operations, each in a folder of its own.

`make tools` installs them here. Where they are missing, the tests are skipped and name what is missing; with
`BOARDCAST_REQUIRE_CLIENTS=1` in the environment they fail instead.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anyio
import orjson

from tests.clients.requirements import require, require_command
from tests.kit.deadline import deadline

__all__ = ["GRAPHQL", "TOOLS", "made_folder", "require_tools", "run", "run_program"]

TOOLS = Path(__file__).parent
GRAPHQL = TOOLS.parents[1] / "graphql"
_PACKAGES = TOOLS / "node_modules"
_PYTHON = TOOLS / ".venv" / "bin"


def require_tools() -> None:
    """Skip or fail the calling test unless the tools are installed."""
    require_command("node")
    wanted = orjson.loads((TOOLS / "package.json").read_bytes())["dependencies"]
    absent = [name for name in wanted if not (_PACKAGES / name / "package.json").is_file()]
    absent += [] if (_PYTHON / "ariadne-codegen").is_file() else ["ariadne-codegen"]
    require(f"not installed in tests/tools: {', '.join(absent)}; `make tools` does it" if absent else None)


def made_folder(folder: Path, *files: str) -> Path:
    """Return `folder` with these files of ours, the schema and the operations, and the packages of Node.js."""
    for name in files:
        shutil.copy(TOOLS / name, folder)
    shutil.copy(GRAPHQL / "schema.graphql", folder)
    shutil.copytree(GRAPHQL / "operations", folder / "operations")
    (folder / "node_modules").symlink_to(_PACKAGES)
    return folder


async def run(folder: Path, *command: str) -> str:
    """Run a command in `folder` and return its output; a tool of `TOOLS` needs no path.

    Raises:
        AssertionError: the command failed; the message has what it said.
    """
    name, *arguments = command
    found = next((path for path in (_PACKAGES / ".bin" / name, _PYTHON / name) if path.exists()), name)
    async with deadline(60):
        done = await anyio.run_process(
            [str(found), *arguments], cwd=folder, check=False, stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT
        )
    output = done.stdout.decode()
    assert done.returncode == 0, f"{' '.join(command)} ended with {done.returncode}:\n{output}"
    return output


async def run_program(folder: Path, command: Sequence[str], *arguments: str) -> Any:
    """Run a program of ours in `folder` and return what it printed, one JSON value."""
    return orjson.loads(await run(folder, *command, *arguments))
