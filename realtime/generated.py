"""The command line of a program that generates a file of this repository, or checks whether it is up to date."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import unified_diff
from pathlib import Path

__all__ = ["differences", "run"]


def run(arguments: Sequence[str], default: Path, export: Callable[[Path], None], check: Callable[[Path], str]) -> int:
    """Return the exit code: 1 if `check` has found differences between the file and its source, else 0.

    Without arguments `export` writes the file `default`. `--check [FILE]` writes nothing and prints what `check` says.
    """
    if list(arguments[:1]) != ["--check"]:
        export(default)
        print(f"written: {default}")
        return 0
    path = Path(arguments[1]) if arguments[1:] else default
    changes = check(path)
    print(changes or f"up to date: {path}")
    return 1 if changes else 0


def differences(path: Path, text: str) -> str:
    """Return the lines in which the file at `path` differs from the generated `text`; empty = it is up to date."""
    lines = path.read_text(encoding="utf-8").splitlines(), text.splitlines()
    return "\n".join(unified_diff(*lines, "the file", "the models", n=0, lineterm=""))
