"""Runs the `--check` of a module that writes a page, for a copy of the page."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

__all__ = ["check_copy"]

_ROOT = Path(__file__).parents[2]
_SECONDS = 60


def check_copy(module: str, page: Path, copy: Path, added: str) -> tuple[int, str]:
    """Write a page with some text behind it to `copy`; return the exit code of the check, and what it prints.

    Raises:
        TimeoutExpired: the check does not end.
    """
    copy.write_text(page.read_text(encoding="utf-8") + added, encoding="utf-8")
    command = [sys.executable, "-m", module, "--check", str(copy)]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False, timeout=_SECONDS)
    assert done.stderr == "", done.stderr
    return done.returncode, done.stdout
