"""Mending: finds out whether the missing files of a database are back, and opens them again.

A database is opened again only if it is the lost one, up to the last event. Clients hold its cursors and states, and
its boards are in memory. Another database, or an older copy, needs a restart of the server.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from realtime.backends.sql.file.carried import has_carried_pages, is_log_readable
from realtime.backends.sql.file.database_file import DatabaseFile
from realtime.backends.sql.file.file_guard import FileAway, FileGuard, Look
from realtime.errors import StoreUnusable

__all__ = ["Fingerprint", "Mender", "Mending"]

#: Returns a value that identifies one state of a history: its epoch and its last event.
Fingerprint = Callable[[Connection], Any]
COMPARED_BYTES = 1 << 20


class Mending(NamedTuple):
    """The access to a database that mending needs."""

    #: For one extra connection that only reads.
    verifier: Engine
    #: The engine of the connection that writes.
    writing: Engine
    #: Closes every connection.
    close: Callable[[], None]
    #: Opens all connections, and has the guard remember their files.
    open: Callable[[], None]


class Mender:
    """Mends one database; called in a thread while nobody else uses the database."""

    def __init__(self, guard: FileGuard, fingerprint: Fingerprint) -> None:
        """Mend the database that `guard` guards; `fingerprint` identifies it."""
        self._guard = guard
        self._fingerprint = fingerprint
        self._refused: tuple[Any, str] | None = None
        #: The locked file; None if it is not locked.
        self.file: DatabaseFile | None = None
        #: The fingerprint after the last commit.
        self.last: Any = None

    def hold(self, file: DatabaseFile) -> None:
        """Own the locked file, and give the guard its descriptor."""
        self.file = file
        self._guard.main_descriptor = file.descriptor

    def mend(self, database: Mending) -> None:
        """Return once the database may be used again.

        Raises:
            FileAway: it may not. A reason that took reading the whole file is cached until the files change.
        """
        known, found = self._guard.known, self._guard.look()
        if known is None or self._guard.difference(known, found, content=True) is None:
            return
        # Only the identity of the shared index: its content changes with each check.
        files = (found.main, found.log, found.shared and found.shared[:2])
        if self._refused is not None and self._refused[0] == files:
            raise FileAway(self._refused[1])
        try:
            self._reopen(database, known, found)
        except _Refused as refused:
            self._refused = (files, str(refused))
            raise FileAway(str(refused)) from refused
        except (SQLAlchemyError, OSError, StoreUnusable) as error:
            raise FileAway(f"the database file {self._guard.path.name} cannot be opened again") from error
        self._refused = None

    def _reopen(self, database: Mending, known: Look, found: Look) -> None:
        if found.main is not None and known.main is not None and not known.main.is_same_file(found.main):
            self._reopen_copy(database, known, found)
            return
        if self.file is not None and not known.main_is(self.file.identity):
            self._lock_again()
        self._mend_shared(known, found)
        reason = self._guard.difference(known, self._guard.look(), content=False)
        if reason is not None and not self._is_log_missing(known, found):
            raise FileAway(reason)
        if reason is not None:
            self._rescue_log(database, known, found, reason)
        with self._verified(database.verifier):
            # This connection stays open until all others are: closing the last one makes a checkpoint, and the file may
            # still be a wrong one.
            database.close()
            database.open()

    @contextmanager
    def _verified(self, engine: Engine) -> Iterator[None]:
        """Verify the database over one extra connection, which stays open for the length of the block."""
        try:
            with engine.connect() as connection:
                self._verify(connection)
                yield
        finally:
            engine.dispose()  # its cached pages may be outdated at the next check

    def _is_log_missing(self, known: Look, found: Look) -> bool:
        """Return whether the log or index is missing, while the main file is there and no other file replaces them."""
        parts = ((known.log, found.log), (known.shared, found.shared))
        missing = any(before is not None and now is None for before, now in parts)
        strange = any(before is not None and now is not None and not before.is_same_file(now) for before, now in parts)
        return found.main is not None and missing and not strange

    def _mend_shared(self, known: Look, found: Look) -> None:
        """Restore the length of a shared index that was cut short: from zeros, SQLite rebuilds it from the log."""
        if known.shared is None or found.shared is None or not known.shared.is_same_file(found.shared):
            return
        if found.shared.size < known.shared.size:
            # By its name: closing a descriptor of the file would drop SQLite's locks.
            os.truncate(self._guard.shared_path, known.shared.size)

    def _rescue_log(self, database: Mending, known: Look, found: Look, reason: str) -> None:
        """Copy the content of a removed log into the main file; SQLite still has that log open."""
        if found.main is None or known.main is None or not known.main.has_same_content(found.main):
            raise FileAway(reason)
        with closing(database.writing.raw_connection()) as connection:
            busy, logged, written = connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy or logged != written:
            raise FileAway(reason)
        database.close()
        database.open()

    def _reopen_copy(self, database: Mending, known: Look, found: Look) -> None:
        """Open other files if they have exactly the bytes of the lost ones, which are still open here."""
        path = self._guard.path
        if self.file is None or not has_bytes(path, self.file.descriptor):
            raise _Refused(f"the database file {path.name} was replaced by another one; start anew to serve that one")
        has_log = known.log is not None and known.log.is_same_file(found.log)
        if not has_log and not has_bytes(self._guard.log_path, self._guard.log_descriptor):
            raise _Refused(f"the database file {path.name} was replaced by a copy without its log {path.name}-wal")
        # Closing writes nothing, because SQLite notices that its file is gone.
        database.close()
        self._guard.doubt()  # if this fails, the lost file is checked and locked again once it is back
        self._lock_again()
        with self._verified(database.verifier):
            database.open()

    def _lock_again(self) -> None:
        """Lock the file that is at the path now. If that fails, the lock on the lost file stays."""
        if self.file is not None and not self._guard.look().main_is(self.file.identity):
            lost = self.file
            self.hold(DatabaseFile.claim(self._guard.path, may_make=False))
            lost.close()

    def _verify(self, connection: Connection) -> None:
        name = self._guard.path.name
        if self.file is not None and not self._is_whole(self.file.descriptor):
            raise _Refused(f"the database file {name} is damaged or no database")
        try:
            found = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar()
            last = self._fingerprint(connection)
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise _Refused(f"the database file {name} is damaged or another one") from error
        if found != "ok":
            raise _Refused(f"the database file {name} is damaged")
        if last != self.last:
            raise _Refused(f"the database file {name} has another history than it had; start anew to serve that one")

    def _is_whole(self, main: int) -> bool:
        """Return whether the main file is a database in WAL mode, not shorter than before, with all carried pages.

        SQLite itself does not check pages that are also in the log.
        """
        known, guard = self._guard.known, self._guard
        header = os.pread(main, 32, 0)
        if header[:16] != b"SQLite format 3\0" or header[18:20] != b"\2\2":
            return False
        # Bytes after the last page do not belong to the database (https://sqlite.org/fileformat2.html, 1.3).
        page_bytes = int.from_bytes(header[16:18], "big")
        length = int.from_bytes(header[28:32], "big") * (page_bytes if page_bytes > 1 else 1 << 16)
        if known is not None and known.main is not None and os.fstat(main).st_size < min(known.main.size, length):
            return False
        if guard.log_descriptor < 0:
            return True
        return is_log_readable(guard.log_descriptor) and has_carried_pages(main, guard.log_descriptor, guard.carried)


class _Refused(Exception):
    """The files may not be opened again as they are."""


def has_bytes(path: Path, descriptor: int) -> bool:
    """Return whether the file at `path` has the same bytes as an open file."""
    if descriptor < 0 or not path.is_file():
        return False
    size = os.fstat(descriptor).st_size
    with path.open("rb") as other:
        if os.fstat(other.fileno()).st_size != size:
            return False
        for start in range(0, size, COMPARED_BYTES):
            if other.read(COMPARED_BYTES) != os.pread(descriptor, COMPARED_BYTES, start):
                return False
    return True
