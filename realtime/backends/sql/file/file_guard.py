"""The guard of a database's files: tells before each use whether they are still those that were opened.

SQLite holds on to files that are moved, removed or replaced, and to pages that it has read. Without the guard it would
go on writing into a file that no longer has a name, or into one whose pages are somebody else's by now.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from realtime.backends.sql.file.carried import Carried, salts_of

__all__ = ["KEPT_LOG_BYTES", "FileAway", "FileGuard", "Look"]

#: Longer a write-ahead log does not stay behind a checkpoint, bytes (`engine` has SQLite cut it).
KEPT_LOG_BYTES = 16 << 20


class FileAway(Exception):
    """The database's files are not those that were opened; the message is one line without their directory."""

    def __init__(self, reason: str, *, is_early: bool = False) -> None:
        """`is_early`: nothing was done yet, so what was asked for may be asked again."""
        super().__init__(reason)
        self.is_early = is_early


class Seen(NamedTuple):
    """One file as the system tells of it; two are one file when device and inode are equal."""

    device: int
    inode: int
    mode: int
    owner: int
    size: int
    modified_ns: int

    def is_same_file(self, other: Seen | None) -> bool:
        """Tell whether the other is this file, whatever is in it by now."""
        return other is not None and self.inode == other.inode and self.device == other.device

    def has_same_content(self, other: Seen) -> bool:
        """Tell whether nobody has written into the file between the two looks."""
        return (self.size, self.modified_ns) == (other.size, other.modified_ns)


class Look(NamedTuple):
    """The three files of a database at one moment; None: there is none."""

    main: Seen | None
    log: Seen | None
    shared: Seen | None

    def main_is(self, identity: tuple[int, int]) -> bool:
        """Tell whether the main file is the one of this device and inode."""
        return self.main is not None and (self.main.device, self.main.inode) == identity


class FileGuard:
    """The guard of one database, used from many threads.

    The main file changes only where we say so (`changing`): commits go to the log, and checkpoints carry them over.
    """

    def __init__(self, path: Path) -> None:
        """Guard the file at `path`; nothing is looked at."""
        self.path = path
        self._name_parts()
        self.known: Look | None = None
        #: A descriptor of the log that is known: by it, one that was removed can still be compared with a copy.
        self.log_descriptor = -1
        #: One of the main file, lent by its lock; -1 where it is not locked. It still tells of a file that was moved.
        self.main_descriptor = -1
        #: What the last checkpoint of ours left in the main file.
        self.carried = Carried(b"", 0)
        #: What the log was seen to have in the last look, and the most so far.
        self.log_bytes = self._most_log_bytes = 0
        #: Held from the look before a unit is written into the log to the one behind it.
        self.writing = threading.Lock()
        #: The log as our last unit has left it.
        self._written: Seen | None = None
        self._lock = threading.Lock()
        self._changing = 0
        self._changes = 0

    def _name_parts(self) -> None:
        # SQLite puts them beside the file itself, wherever a link to it is.
        real = Path(os.path.realpath(self.path))
        self.log_path = real.with_name(f"{real.name}-wal")
        self.shared_path = real.with_name(f"{real.name}-shm")
        # As text: half of the time that the system takes to tell of a file goes into making it of a `Path`.
        self._main, self._log, self._shared = str(self.path), str(self.log_path), str(self.shared_path)

    def look(self) -> Look:
        """Return the files as they are now."""
        return Look(_seen(self._main), _seen(self._log), _seen(self._shared))

    def remember(self) -> None:
        """Take the files as they are now for those that were opened."""
        self.close()
        with self._lock:
            self._name_parts()
            self._changes += 1
            self.known = self.look()
            self._most_log_bytes = 0
        with suppress(OSError):
            self.log_descriptor = os.open(self.log_path, os.O_RDONLY | os.O_CLOEXEC)
        self.note_log()

    def close(self) -> None:
        """Let go of the files; twice is allowed."""
        if self.log_descriptor >= 0:
            os.close(self.log_descriptor)
            self.log_descriptor = -1

    def doubt(self) -> None:
        """Have the content looked at before the next use: the database said that it is damaged."""
        with self._lock:
            if self.known is not None and self.known.main is not None:
                self._changes += 1
                self.known = self.known._replace(main=self.known.main._replace(modified_ns=-1))

    def check(self, *, is_early: bool = False, content: bool = True) -> None:
        """Return if the files are those that were opened, and (`content`) nobody else has written into the main one.

        Raises:
            FileAway: they are not; the reason names the first difference.
        """
        changes, known = self._changes, self.known
        if known is None:
            return
        # In the last moment before a commit only what matters most, for it is on the way of each.
        found = self.look() if content else known._replace(main=_seen(self._main))
        if content and found.log is not None:
            self.log_bytes = found.log.size
        is_ours = self._changing > 0 or changes != self._changes
        if (reason := self.difference(known, found, content=content and not is_ours)) is not None:
            raise FileAway(reason, is_early=is_early)
        self._most_log_bytes = max(self._most_log_bytes, self.log_bytes)

    def note_log(self) -> None:
        """Take the log as it is now for what we have written."""
        self._written = _seen(self._log)

    def check_log(self) -> None:
        """Return if nobody else has written into the log; to be called with `writing` held.

        SQLite does not look at the checksums of what it knows to be there: it would read rubbish, and carry it over to
        the main file. Without the lock on the main file other processes may write.

        Raises:
            FileAway: somebody has; the content is looked at before the next use.
        """
        found, written = _seen(self._log), self._written
        if self.main_descriptor < 0 or found is None or written is None:
            return
        if not written.has_same_content(found):
            self.doubt()
            name = self.path.name
            raise FileAway(f"{name}-wal, a part of the database, was written into by somebody else", is_early=True)

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Write into the main file in this block, and take it as it is then for what is known.

        Raises:
            FileAway: it is not ours to write into.
        """
        self.check(is_early=True)
        # The writer has looked already: a checkpoint does not wait for it.
        if self.writing.acquire(blocking=False):
            try:
                self.check_log()
            finally:
                self.writing.release()
        with self._lock:
            self._changing += 1
            self._changes += 1
        try:
            yield
        finally:
            with self._lock:
                self._changing -= 1
                self._changes += 1
                known = self.known
                if known is not None and known.main is not None and (now := self._main_now(known.main)) is not None:
                    self.known = known._replace(main=now)

    def _main_now(self, known: Seen) -> Seen | None:
        """Return the known main file as it is now, None when it cannot be told."""
        if known.is_same_file(found := _seen(self._main)):
            return found
        # It was moved while we wrote into it: what we wrote is not to count as somebody else's once it is back.
        found = _seen(self.main_descriptor) if self.main_descriptor >= 0 else None
        return found if known.is_same_file(found) else None

    def salts(self) -> bytes:
        """Return what tells the log from what it is after it is begun anew; empty when it is not known."""
        return salts_of(self.log_descriptor) if self.log_descriptor >= 0 else b""

    def difference(self, known: Look, found: Look, *, content: bool) -> str | None:
        """Return what is not as it was known, None for nothing; `content` as well as the files themselves."""
        name = self.path.name
        if known.main is None or found.main is None:
            return f"the database file {name} was moved or removed"
        if not known.main.is_same_file(found.main):
            return f"the database file {name} was replaced by another one"
        for before, now, kind in ((known.log, found.log, "wal"), (known.shared, found.shared, "shm")):
            if before is not None and not before.is_same_file(now):
                happened = "moved or removed" if now is None else "replaced by another file"
                return f"{name}-{kind}, a part of the database, was {happened}"
        if (known.main.mode, known.main.owner) != (found.main.mode, found.main.owner) and not self._may_write():
            return f"the database file {name} may no longer be read and written by this process"
        if not content:
            return None
        if (cut_short := self._part_cut_short(known, found)) is not None:
            return cut_short
        is_same = known.main.has_same_content(found.main)
        return None if is_same else f"the database file {name} was written into by somebody else"

    def _part_cut_short(self, known: Look, found: Look) -> str | None:
        name = self.path.name
        if found.log is not None and found.log.size < min(self._most_log_bytes, KEPT_LOG_BYTES):
            return f"{name}-wal, a part of the database, was cut short"
        if known.shared is not None and found.shared is not None and found.shared.size < known.shared.size:
            return f"{name}-shm, a part of the database, was cut short"
        return None

    def _may_write(self) -> bool:
        return os.access(self.path, os.R_OK | os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def _seen(path: str | int) -> Seen | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - see `_name_parts`
    except OSError:
        return None
    return Seen(found.st_dev, found.st_ino, found.st_mode, found.st_uid, found.st_size, found.st_mtime_ns)
