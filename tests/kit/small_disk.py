"""A small disk that tests can fill: a file system in memory, which only some users may mount."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

__all__ = ["SmallDisk", "small_disk"]

_PIECE = bytes(1 << 16)


class SmallDisk:
    """A disk that is mounted at `folder`."""

    def __init__(self, folder: Path) -> None:
        """See `small_disk`."""
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self) -> None:
        """Take all space that is left."""
        with suppress(OSError), self._filler.open("wb", buffering=0) as filler:
            while filler.write(_PIECE) == len(_PIECE):
                pass

    def free(self) -> None:
        """Give back what `fill` took."""
        self._filler.unlink(missing_ok=True)


@contextmanager
def small_disk(mebibytes: int) -> Iterator[SmallDisk]:
    """Mount a disk of this size until the block ends; skip the test if this user may not."""
    # Not in a folder of pytest, into which PostgreSQL's user may not look.
    folder = Path(tempfile.mkdtemp(prefix="boardcast-disk-"))
    mount = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=0755", "tests", str(folder)]
    try:
        mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
        if mounted.returncode:
            pytest.skip(f"a full disk needs a user who may mount: {mounted.stderr.strip()}")
        try:
            yield SmallDisk(folder)
        finally:
            subprocess.run(["umount", str(folder)], check=True)
    finally:
        folder.rmdir()
