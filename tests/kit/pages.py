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

__all__ = [
    "REPOSITORY",
    "Change",
    "NewFile",
    "Script",
    "Step",
    "changed_paths",
    "copy_repository",
    "first_column",
    "follow",
    "steps_of",
]

REPOSITORY = Path(__file__).parents[2]
#: The parts of the repository that a contributor changes, and those needed to run it.
_COPIED = ("realtime", "schema", "server", "graphql", "tests", "docs", "pyproject.toml")
_NOT_COPIED = shutil.ignore_patterns("node_modules", ".venv", "__pycache__", ".*_cache", ".hypothesis")
#: The interpreter of the set-up. A test replaces it by its own.
_PYTHON = ".venv/bin/python"
_SCRIPT_UNITS = 120
_BLOCK = re.compile(r"^(?P<above>[^\n]*)\n+^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_ABOVE = re.compile(r"(?P<verb>New file|In) `(?P<path>[^`]+)`[^`]*:$")


@dataclass(frozen=True)
class NewFile:
    """The page adds a file."""

    path: str
    text: str

    def take(self, root: Path) -> None:
        """Write the file below `root`, where there must be none."""
        target = root / self.path
        assert not target.exists(), f"expected no file {self.path}, there is one"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(self.text, encoding="utf-8")


@dataclass(frozen=True)
class Change:
    """The page changes a file: each hunk is the lines as they are, and as they are to be."""

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

    def take(self, root: Path) -> str:
        """Run the commands in `root`, where each must succeed, and return what they print."""
        # The source is that of the copy, wherever the packages of this environment come from.
        environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
        # A copy that was changed is not the source whose coverage is measured.
        environment.pop("COVERAGE_PROCESS_CONFIG", None)
        ended = subprocess.run(
            ["sh", "-euc", self.text.replace(_PYTHON, sys.executable)],
            cwd=root,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds(_SCRIPT_UNITS),
            check=False,
        )
        assert ended.returncode == 0, f"{self.text}{ended.stdout}"
        return ended.stdout


Step = NewFile | Change | Script


def steps_of(page: Path) -> list[Step]:
    """Return the steps of a page in their order.

    Raises:
        AssertionError: the line above a block says to change a file, and the block is no diff.
    """
    return [step for block in _BLOCK.finditer(page.read_text(encoding="utf-8")) for step in _steps(block)]


def first_column(page: Path, heading: str) -> list[str]:
    """Return the names in the first column of the tables between a heading and the next one."""
    behind = page.read_text(encoding="utf-8").partition(f"# {heading}\n")[2]
    section = re.split(r"^#+ ", behind, maxsplit=1, flags=re.MULTILINE)[0]
    rows = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    return [name for row in rows for name in re.findall(r"`([^`]+)`", row)]


def copy_repository(folder: Path) -> Path:
    """Copy the source, tests and pages of the repository into `folder`, and return the copy."""
    for name in _COPIED:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=_NOT_COPIED)
        else:
            shutil.copy(source, folder / name)
    return folder


def follow(page: Path, root: Path) -> list[str]:
    """Take all steps of a page in a copy of the repository, and return what each block of commands printed.

    Raises:
        AssertionError: a step cannot be taken, or a command failed.
    """
    return [printed for step in steps_of(page) if (printed := step.take(root)) is not None]


def changed_paths(page: Path) -> list[str]:
    """Return the files that the steps of a page add or change, in their order."""
    return list(dict.fromkeys(step.path for step in steps_of(page) if not isinstance(step, Script)))


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
