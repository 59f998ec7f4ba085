"""No file names a package registry or a folder of the machine on which it was written."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

__all__ = ["find_addresses", "repository_files"]

# Built from parts, so that this file does not break its own rule.
_REGISTRIES = [
    rf"{name}\.{ending}"
    for name, ending in [
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npm" + "js", r"(?:org|com)"),
        ("yarn" + "pkg", "com"),
        ("un" + "pkg", "com"),
        ("jsdelivr", "net"),
        (r"deb\." + "debian", "org"),
        (r"proxy\.golang", "org"),
        ("crates", "io"),
    ]
]
#: Home and work folders. System paths such as those of a Debian package are the same everywhere and are allowed.
_FOLDERS = [r"(?<![\w.:~/-])/" + name + r"/\w" for name in ("root", "work", r"home/\w+", r"Users/\w+", "workspaces?")]
_ADDRESS = re.compile("|".join([*_REGISTRIES, *_FOLDERS]))


def repository_files(root: Path) -> list[Path]:
    """Return the files that git tracks or would track; an empty list outside a clone."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=root, capture_output=True, check=True, text=True).stdout
    except (FileNotFoundError, subprocess.CalledProcessError):
        return []
    return [path for name in listed.split("\0") if name and (path := root / name).is_file()]


def find_addresses(files: Iterable[Path]) -> list[str]:
    """Return one line for each address found. Files that are not UTF-8 text are skipped."""
    found = []
    for path in files:
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        hits = ((number, _ADDRESS.search(line)) for number, line in enumerate(lines, start=1))
        found += [f"{path}:{number}: {hit[0]}" for number, hit in hits if hit]
    return found
