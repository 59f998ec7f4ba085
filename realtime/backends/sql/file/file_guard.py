"""The guard of a database's files: it checks before each use that they are still those that were opened.

SQLite keeps using files that are moved, removed or replaced, and pages that it has cached. Without the guard it would
write into a file that has no name any more, or into one whose pages somebody else has replaced.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from realtime.backends.sql.file.carried import Carried, salts_of

__all__ = ["LOG_LIMIT_BYTES", "FileAway", "FileGuard", "Look"]

#: Most bytes of a write-ahead log after a checkpoint (`engine` has SQLite cut it).
LOG_LIMIT_BYTES = 16 << 20


class FileAway(Exception):
    """The database's files are not those that were opened; the message is one line without their directory."""

    def __init__(self, reason: str, *, is_early: bool = False) -> None:
        """`is_early`: nothing was done yet, so the caller may try again."""
        super().__init__(reason)
        self.is_early = is_early


class Seen(NamedTuple):
    """The status of one file. Two of them are the same file if device and inode are equal."""

    device: int
    inode: int
    mode: int
    owner: int
    size: int
    modified_ns: int

    def is_same_file(self, other: Seen | None) -> bool:
        """Return whether the other is the same file, regardless of its content."""
        return other is not None and self.inode == other.inode and self.device == other.device

    def has_same_content(self, other: Seen) -> bool:
        """Return whether size and time of change are equal, so that nobody has written into the file in between."""
        return (self.size, self.modified_ns) == (other.size, other.modified_ns)


class Look(NamedTuple):
    """The three files of a database at one moment; None for a missing file."""

    main: Seen | None
    log: Seen | None
    shared: Seen | None

    def main_is(self, identity: tuple[int, int]) -> bool:
        """Return whether the main file has this device and inode."""
        return self.main is not None and (self.main.device, self.main.inode) == identity


class FileGuard:
    """The guard of one database, used from many threads.

    The main file changes only inside `changing`: commits write into the log, and checkpoints copy the log into the main
    file.
    """

    def __init__(self, path: Path) -> None:
        """Guard the file at `path`; no file is checked yet."""
        self.path = path
        self._name_parts()
        self.known: Look | None = None
        #: A descriptor of the known log. With it, a log that was removed can still be compared with a copy.
        self.log_descriptor = -1
        #: A descriptor of the main file, borrowed from its lock; -1 without a lock. A file that was moved still has it.
        self.main_descriptor = -1
        #: The frames that the last checkpoint of this process copied into the main file.
        self.carried = Carried(b"", 0)
        #: Size of the log at the last check, and the largest size so far.
        self.log_bytes = self._most_log_bytes = 0
        #: Held from the check before a unit is written into the log until the check after it.
        self.writing = threading.Lock()
        #: Status of the log after the last unit of this process.
        self._written: Seen | None = None
        self._lock = threading.Lock()
        self._changing = 0
        self._changes = 0

    def _name_parts(self) -> None:
        # SQLite puts them next to the real file, not next to a link to it.
        real = Path(os.path.realpath(self.path))
        self.log_path = real.with_name(f"{real.name}-wal")
        self.shared_path = real.with_name(f"{real.name}-shm")
        # As text: converting a `Path` takes half of the time of a stat call.
        self._main, self._log, self._shared = str(self.path), str(self.log_path), str(self.shared_path)

    def look(self) -> Look:
        """Return the files as they are now."""
        return Look(_seen(self._main), _seen(self._log), _seen(self._shared))

    def remember(self) -> None:
        """Remember the files as they are now as those that were opened."""
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
        """Close the guard's descriptor; twice is allowed."""
        if self.log_descriptor >= 0:
            os.close(self.log_descriptor)
            self.log_descriptor = -1

    def doubt(self) -> None:
        """Have the content checked before the next use, because the database reported damage."""
        with self._lock:
            if self.known is not None and self.known.main is not None:
                self._changes += 1
                self.known = self.known._replace(main=self.known.main._replace(modified_ns=-1))

    def check(self, *, is_early: bool = False, content: bool = True) -> None:
        """Check that the files are those that were opened, and (`content`) that nobody else wrote into the main file.

        Raises:
            FileAway: they are not; the reason names the first difference.
        """
        changes, known = self._changes, self.known
        if known is None:
            return
        # Just before a commit only the main file is checked, because each commit waits for this check.
        found = self.look() if content else known._replace(main=_seen(self._main))
        if content and found.log is not None:
            self.log_bytes = found.log.size
        is_ours = self._changing > 0 or changes != self._changes
        if (reason := self.difference(known, found, content=content and not is_ours)) is not None:
            raise FileAway(reason, is_early=is_early)
        self._most_log_bytes = max(self._most_log_bytes, self.log_bytes)

    def note_log(self) -> None:
        """Remember the log as it is now as the result of this process's writes."""
        self._written = _seen(self._log)

    def check_log(self) -> None:
        """Check that nobody else has written into the log; the caller holds `writing`.

        SQLite does not verify the checksums of frames that it knows: it would read foreign bytes and copy them into the
        main file. Without the lock on the main file, other processes are allowed to write.

        Raises:
            FileAway: somebody else has written; the content is checked before the next use.
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
        """Within the block, the caller may write into the main file; its status afterwards is remembered.

        Raises:
            FileAway: the file is not the one that was opened.
        """
        self.check(is_early=True)
        # If the writer holds the lock, it has checked the log already, and a checkpoint must not wait for it.
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
        """Return the current status of the known main file; None if it cannot be found."""
        if known.is_same_file(found := _seen(self._main)):
            return found
        # The file was moved during the write. This write must not look like a foreign one when the file is back.
        found = _seen(self.main_descriptor) if self.main_descriptor >= 0 else None
        return found if known.is_same_file(found) else None

    def salts(self) -> bytes:
        """Return the salts of the log, which change when SQLite restarts it; empty if they are not known."""
        return salts_of(self.log_descriptor) if self.log_descriptor >= 0 else b""

    def difference(self, known: Look, found: Look, *, content: bool) -> str | None:
        """Return the first difference between two looks, None if there is none; `content` compares contents, too."""
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
        if found.log is not None and found.log.size < min(self._most_log_bytes, LOG_LIMIT_BYTES):
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
