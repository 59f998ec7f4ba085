"""The file of a SQLite database: its path, and the lock that lets only one process at a time serve it.

The lock is flock(2) on the database file itself. So it holds for each name of the file (links, relative paths, a later
name), and the system releases it when the process ends for any reason. SQLite's own locks are those of fcntl(2), which
are independent of it.
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

#: Mode of a new file, regardless of the umask, because the file holds everything on the boards. SQLite gives its `-wal`
#: and `-shm` files the mode of the database.
FILE_MODE = 0o600
#: How often `claim` tries again when the file was replaced between opening and locking it.
ATTEMPTS = 5
PROCESSES = Path("/proc")


def file_of(url: URL) -> Path | None:
    """Return the path of a URL, absolute and with links unresolved; None for a database in memory."""
    database = url.database or ""
    if url.query.get("uri") and database.startswith("file:"):
        if url.query.get("mode") == "memory":
            return None
        # Parsed as SQLite does (https://sqlite.org/uri.html).
        database = unquote(urlsplit(database).path)
    return None if database in ("", ":memory:") else Path(database).absolute()


def may_make(url: URL) -> bool:
    """Return whether a missing file may be created."""
    return url.query.get("mode") not in ("ro", "rw")


def make_file(path: Path) -> None:
    """Create an empty file with `FILE_MODE`, unless the file exists.

    Raises:
        StoreUnusable: it cannot be created.
    """
    if not path.exists():
        with _reporting(path):
            os.close(_make(path))


class DatabaseFile:
    """A file that is open and locked until `close`.

    While SQLite has a file open, this process may close no other descriptor of that file: the system would drop
    SQLite's locks with it. So `close` comes after closing the connections, and a file that this process has locked
    already is refused before it is opened.
    """

    #: Device and inode of each file that this process has locked.
    _held: set[tuple[int, int]] = set()  # noqa: RUF012 - one for the process, as the locks are

    def __init__(self, path: Path, descriptor: int) -> None:
        """Own an open `descriptor` of the locked file at `path`; called by `claim`."""
        found = os.fstat(descriptor)
        self.path = path
        self.descriptor = descriptor
        self.identity = (found.st_dev, found.st_ino)
        self._held.add(self.identity)

    @classmethod
    def claim(cls, path: Path, *, may_make: bool = True) -> DatabaseFile:
        """Open and lock the file; `may_make` allows creating a missing one.

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
        """Release the lock; twice is allowed."""
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
    """Turn errors of the system into `StoreUnusable` with the path."""
    try:
        yield
    except BlockingIOError as error:
        raise StoreUnusable(f"the database {path} is in use by {_holder_of(path)}") from error
    except OSError as error:
        raise StoreUnusable(f"cannot open the database {path}: {error.strerror or error}") from error


def _open(path: Path, *, may_make: bool) -> int:
    """Return a read-only descriptor of the file; SQLite has its own descriptors."""
    while True:
        try:
            return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            if not may_make:
                raise
        with suppress(FileExistsError):
            return _make(path)


def _make(path: Path) -> int:
    # The link is resolved first: it may lead to a missing file, and O_EXCL does not follow links.
    made = os.open(os.path.realpath(path), os.O_RDONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
    os.fchmod(made, FILE_MODE)
    return made


def _holder_of(path: Path) -> str:
    """Describe the process that has locked the file, as far as this process can see it."""
    pid = _pid_of_holder(path)
    if pid is None:
        return "another process"
    with suppress(OSError):  # it may have ended meanwhile
        words = (PROCESSES / str(pid) / "cmdline").read_bytes().decode(errors="replace").split("\0")
        # Without the options of the command line, which may contain secrets.
        named = " ".join(itertools.takewhile(lambda word: not word.startswith("--"), words)).strip()
        return f"process {pid} ({named})" if named else f"process {pid}"
    return f"process {pid}"


def _pid_of_holder(path: Path) -> int | None:
    # Linux lists the locks of each descriptor in /proc; other systems do not.
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
