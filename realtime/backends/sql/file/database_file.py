"""The one file of a SQLite database: where it is, and the lock by which one process at a time serves it.

The lock is flock(2)'s on the database's own file, so it holds for each of the file's names (links, relative paths, a
name that it is given later), and the system takes it back when the process ends, however it ends. SQLite's own locks
are those of fcntl(2), which know nothing of it.
"""

from __future__ import annotations

import errno
import fcntl
import itertools
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sqlalchemy.engine import URL

from realtime.errors import StoreUnusable

__all__ = ["DatabaseFile", "file_of", "make_file", "may_make"]

#: Of a new file, whatever the umask: it holds everything that is on the boards. SQLite gives its `-wal` and `-shm` the
#: mode of the database.
FILE_MODE = 0o600
#: How often a file is opened again that was replaced in the moment between opening and locking it.
ATTEMPTS = 5
PROCESSES = Path("/proc")


def file_of(url: URL) -> Path | None:
    """Return the path that a URL names, absolute and with its links as they are; None for a database in memory."""
    database = url.database or ""
    if url.query.get("uri") and database.startswith("file:"):
        if url.query.get("mode") == "memory":
            return None
        # As SQLite reads it (https://sqlite.org/uri.html).
        database = unquote(urlsplit(database).path)
    return None if database in ("", ":memory:") else Path(database).absolute()


def may_make(url: URL) -> bool:
    """Tell whether a file that is not there is to be made."""
    return url.query.get("mode") not in ("ro", "rw")


def make_file(path: Path) -> None:
    """Make an empty file of our mode, unless there is one.

    Raises:
        StoreUnusable: it cannot be made.
    """
    if not path.exists():
        with _reporting(path):
            os.close(_make(path))


class DatabaseFile:
    """A file that is open and locked, until `close`.

    Of a file that SQLite has open, no other descriptor may be closed in this process: the system would drop SQLite's
    locks with it. So `close` comes after the connections', and a file that is locked by this process already is refused
    before it is opened.
    """

    #: Device and inode of each file that this process has locked.
    _held: set[tuple[int, int]] = set()  # noqa: RUF012 - one for the process, as the locks are

    def __init__(self, path: Path, descriptor: int) -> None:
        """Own an open `descriptor` of the file at `path`, which is locked; made by `claim`."""
        found = os.fstat(descriptor)
        self.path = path
        self.descriptor = descriptor
        self.identity = (found.st_dev, found.st_ino)
        self._held.add(self.identity)

    @classmethod
    def claim(cls, path: Path, *, may_make: bool = True) -> DatabaseFile:
        """Open the file, which may be made when there is none, and lock it.

        Raises:
            StoreUnusable: it cannot be opened, is no file, or another process has it; one line with the path.
        """
        with _reporting(path):
            for _ in range(ATTEMPTS):
                cls._check_is_free(path)
                descriptor = _open(path, may_make=may_make)
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    if os.path.samestat(os.fstat(descriptor), path.stat()):
                        made, descriptor = cls(path, descriptor), -1
                        return made
                finally:
                    if descriptor >= 0:
                        os.close(descriptor)
        raise StoreUnusable(f"cannot open the database {path}: it is replaced again and again")

    def close(self) -> None:
        """Give the lock back; twice is allowed."""
        if self.descriptor >= 0:
            self._held.discard(self.identity)
            os.close(self.descriptor)
            self.descriptor = -1

    @classmethod
    def _check_is_free(cls, path: Path) -> None:
        with suppress(FileNotFoundError):
            found = path.stat()
            if (found.st_dev, found.st_ino) in cls._held:
                raise BlockingIOError(errno.EWOULDBLOCK, "locked by this process")
            if not stat.S_ISREG(found.st_mode):
                raise OSError(errno.EINVAL, "expected a file, got a directory or a device")


@contextmanager
def _reporting(path: Path) -> Iterator[None]:
    """Say in our words that the file cannot be had."""
    try:
        yield
    except BlockingIOError as error:
        raise StoreUnusable(f"the database {path} is in use by {_holder_of(path)}") from error
    except OSError as error:
        raise StoreUnusable(f"cannot open the database {path}: {error.strerror or error}") from error


def _open(path: Path, *, may_make: bool) -> int:
    """Return a descriptor of the file; it need not write, SQLite has its own."""
    while True:
        try:
            return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            if not may_make:
                raise
        with suppress(FileExistsError):
            return _make(path)


def _make(path: Path) -> int:
    # Past links: one that leads to no file yet may stand there, and O_EXCL does not follow it.
    made = os.open(os.path.realpath(path), os.O_RDONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
    os.fchmod(made, FILE_MODE)
    return made


def _holder_of(path: Path) -> str:
    """Name the process that has the file locked, as far as this one may see."""
    pid = _pid_of_holder(path)
    if pid is None:
        return "another process"
    with suppress(OSError):  # it may have ended meanwhile
        words = (PROCESSES / str(pid) / "cmdline").read_bytes().decode(errors="replace").split("\0")
        # Not what it was told behind its name: among the options there may be secrets.
        named = " ".join(itertools.takewhile(lambda word: not word.startswith("--"), words)).strip()
        return f"process {pid} ({named})" if named else f"process {pid}"
    return f"process {pid}"


def _pid_of_holder(path: Path) -> int | None:
    # Linux tells of the locks that each descriptor holds; elsewhere nobody does.
    for process in PROCESSES.glob("[0-9]*"):
        with suppress(OSError):
            if any(_has_locked(name, path) for name in (process / "fd").iterdir()):
                return int(process.name)
    return None


def _has_locked(descriptor: Path, path: Path) -> bool:
    try:
        known = descriptor.parent.with_name("fdinfo") / descriptor.name
        return os.path.samestat(descriptor.stat(), path.stat()) and "FLOCK" in known.read_text()
    except OSError:
        return False
