"""Pages that describe step by step how to change the repository, and a copy in which a test executes the steps.

The steps are the fenced blocks of the page, in order. The line above a block names the action:

    New file `path`:   the block is the whole file
    In `path`:         a block of `diff`: `+` adds a line, `-` removes one, the others are context; `@@` begins a hunk

A block of `sh` is run. All other blocks are only shown. So the page is the only copy of the steps.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.kit.deadline import seconds

__all__ = ["Change", "NewFile", "Script", "Step", "copy_repository", "follow", "run", "steps_of"]

REPOSITORY = Path(__file__).parents[2]
#: The parts of the repository that a contributor changes, and those needed to run it.
_COPIED = ("realtime", "schema", "server", "graphql", "tests", "docs", "pyproject.toml")
_NOT_COPIED = shutil.ignore_patterns("node_modules", "__pycache__", ".*_cache", ".hypothesis")
#: The interpreter of the set-up. A test replaces it by its own.
_PYTHON = ".venv/bin/python"
_SCRIPT_UNITS = 60
_BLOCK = re.compile(r"^(?P<above>[^\n]*)\n+^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_ABOVE = re.compile(r"(?P<verb>New file|In) `(?P<path>[^`]+)`[^`]*:$")


@dataclass(frozen=True)
class NewFile:
    """The page adds a file."""

    path: str
    text: str

    def take(self, root: Path) -> None:
        """Write the file below `root`, where it must not exist."""
        target = root / self.path
        assert not target.exists(), f"expected no file {self.path}, there is one"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(self.text, encoding="utf-8")


@dataclass(frozen=True)
class Change:
    """The page changes a file. Each hunk has the old lines and the new lines."""

    path: str
    hunks: Sequence[tuple[str, str]]

    def take(self, root: Path) -> None:
        """Change the file below `root`, which must have the lines of each hunk exactly once."""
        target = root / self.path
        text = target.read_text(encoding="utf-8")
        for before, after in self.hunks:
            count = f"\n{text}".count(f"\n{before}")
            assert count == 1, f"expected these lines once in {self.path}, found them {count} times:\n{before}"
            text = f"\n{text}".replace(f"\n{before}", f"\n{after}").removeprefix("\n")
        target.write_text(text, encoding="utf-8")


@dataclass(frozen=True)
class Script:
    """The page runs commands of the shell."""

    text: str

    def take(self, root: Path) -> None:
        """Run the commands in `root`; each must succeed."""
        run(root, self.text)


Step = NewFile | Change | Script


def steps_of(page: Path) -> list[Step]:
    """Return the steps of a page in their order.

    Raises:
        AssertionError: the block is not of the kind that the line above it requires.
    """
    return [step for block in _BLOCK.finditer(page.read_text(encoding="utf-8")) for step in _steps(block)]


def copy_repository(folder: Path) -> Path:
    """Copy the source, tests and pages of the repository into `folder`, and return the copy."""
    for name in _COPIED:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=_NOT_COPIED)
        else:
            shutil.copy(source, folder / name)
    return folder


def follow(page: Path, root: Path) -> list[Step]:
    """Execute all steps of a page in a copy of the repository, and return them."""
    steps = steps_of(page)
    for step in steps:
        step.take(root)
    return steps


def run(root: Path, script: str) -> str:
    """Run commands of the shell in `root` and return their output.

    Raises:
        AssertionError: one of them failed.
    """
    # The commands must import the copy, wherever the packages of this environment come from.
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    ended = subprocess.run(
        ["sh", "-euc", script.replace(_PYTHON, sys.executable)],
        cwd=root,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds(_SCRIPT_UNITS),
        check=False,
    )
    assert ended.returncode == 0, f"{script}{ended.stdout}"
    return ended.stdout


def _steps(block: re.Match[str]) -> Iterator[Step]:
    above, language, text = _ABOVE.search(block["above"]), block["language"], block["text"]
    if above is None:
        if language == "sh":
            yield Script(text)
    elif above["verb"] == "New file":
        yield NewFile(above["path"], text)
    else:
        assert language == "diff", f"expected a diff for {above['path']}, got {language}"
        yield Change(above["path"], [_hunk(part) for part in re.split(r"^@@\n", text, flags=re.MULTILINE) if part])


def _hunk(diff: str) -> tuple[str, str]:
    """Return the lines before and after: those without `+`, and those without `-`."""
    lines = diff.splitlines(keepends=True)
    before, after = ("".join(line[1:] or "\n" for line in lines if line[:1] != sign) for sign in "+-")
    return before, after
