"""Faults of the files of an open database: they are moved, removed, replaced or damaged."""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
import struct
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random

import anyio.lowlevel

__all__ = ["FAULTS", "HARMLESS", "bytes_of", "checkpointed", "overwritten_by_itself_of_before"]

_Undo = Callable[[], None]
#: Damages the file at a path; returns the function that repairs it.
_Fault = Callable[[Path], _Undo]


def _copied(path: Path) -> Path:
    """Copy a file to a place outside of the database's folder; return the path of the copy."""
    copy = path.parent.parent / f"copy-of-{path.name}"
    shutil.copyfile(path, copy)
    return copy


def _moved(path: Path) -> _Undo:
    away = path.rename(path.with_name("away.db"))
    return lambda: _void(away.rename(path))


def _removed_and_copied_back(path: Path) -> _Undo:
    copy = _copied(path)
    path.unlink()
    return lambda: _void(shutil.copyfile(copy, path))


def _folder_moved(path: Path) -> _Undo:
    away = path.parent.rename(path.parent.with_name("away"))
    return lambda: _void(away.rename(path.parent))


def _folder_removed_and_copied_back(path: Path) -> _Undo:
    copy = Path(shutil.copytree(path.parent, path.parent.with_name("copy")))
    shutil.rmtree(path.parent)
    return lambda: _void(shutil.copytree(copy, path.parent))


def _replaced_by_another(path: Path) -> _Undo:
    back = _moved(path)
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE cards (colour TEXT)")
    return back


def _replaced_by_an_empty_file(path: Path) -> _Undo:
    back = _moved(path)
    path.touch()
    return back


def _replaced_by_a_folder(path: Path) -> _Undo:
    back = _moved(path)
    path.mkdir()

    def undo() -> None:
        path.rmdir()
        back()

    return undo


def _replaced_by_itself_of_before(path: Path) -> _Undo:
    """Put a valid database of the same epoch in its place, with a different history."""
    copy = _older(path)
    back = _moved(path)
    shutil.copyfile(copy, path)
    return back


def overwritten_by_itself_of_before(path: Path) -> _Undo:
    older, copy = _older(path), _copied(path)
    shutil.copyfile(older, path)
    return lambda: _void(shutil.copyfile(copy, path))


def _older(path: Path) -> Path:
    """Return a copy of the database without the last event."""
    copy = path.parent.parent / "older.db"
    with closing(sqlite3.connect(path)) as now, closing(sqlite3.connect(copy)) as older:
        now.backup(older)
        with older:
            older.execute("DELETE FROM events WHERE sequence = (SELECT max(sequence) FROM events)")
        older.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return copy


def _overwritten(place: int, rubbish: bytes) -> _Fault:
    def fault(path: Path) -> _Undo:
        copy = _copied(path)
        with path.open("r+b") as file:
            file.seek(place)
            file.write(rubbish)
        return lambda: _void(shutil.copyfile(copy, path))

    return fault


def _cut_to(length: int) -> _Fault:
    def fault(path: Path) -> _Undo:
        copy = _copied(path)
        os.truncate(path, length)
        return lambda: _void(shutil.copyfile(copy, path))

    return fault


def _log_replaced(path: Path) -> _Undo:
    log = path.with_name(f"{path.name}-wal")
    away = log.rename(log.with_name("away"))
    log.write_bytes(b"no log")
    return lambda: _void(away.replace(log))


def _log_overwritten(place: int, rubbish: bytes) -> _Fault:
    """Overwrite as much of the log as exists."""

    def fault(path: Path) -> _Undo:
        log = path.with_name(f"{path.name}-wal")
        copy = _copied(log)
        with log.open("r+b") as file:
            file.seek(place)
            file.write(rubbish[: log.stat().st_size - place])

        def undo() -> None:
            # In place, because the server has the file open.
            with log.open("r+b") as file:
                file.write(copy.read_bytes())

        return undo

    return fault


def _void(_: object) -> None:
    """Discard the result of a library function."""


_RUBBISH = Random(1).randbytes(40_000)
#: Faults that make the database unusable until they are undone, by name.
FAULTS: dict[str, _Fault] = {
    "moved": _moved,
    "removed": _removed_and_copied_back,
    "folder-moved": _folder_moved,
    "folder-removed": _folder_removed_and_copied_back,
    "another": _replaced_by_another,
    "empty": _replaced_by_an_empty_file,
    "folder-instead": _replaced_by_a_folder,
    "older": _replaced_by_itself_of_before,
    "older-in-place": overwritten_by_itself_of_before,
    "header": _overwritten(0, _RUBBISH[:100]),
    "pages": _overwritten(4096, _RUBBISH),
    "cut-to-nothing": _cut_to(0),
    "cut-to-a-part-of-a-page": _cut_to(5000),
    "log-replaced": _log_replaced,
    "log-overwritten": _log_overwritten(0, _RUBBISH),
    "log-header": _log_overwritten(0, _RUBBISH[:32]),
    "log-pages": _log_overwritten(32 + 24, _RUBBISH),
}


def _part_removed(*kinds: str) -> _Fault:
    def fault(path: Path) -> _Undo:
        for kind in kinds:
            path.with_name(f"{path.name}-{kind}").unlink()
        return lambda: None

    return fault


def _log_cut(path: Path) -> _Undo:
    os.truncate(path.with_name(f"{path.name}-wal"), 0)
    return lambda: None


def _index_cut(path: Path) -> _Undo:
    with path.with_name(f"{path.name}-shm").open("r+b") as index:
        # SIGBUS ends a process that reads the index while it is cut. A checkpoint of another process reads it under
        # this lock (WAL_CKPT_LOCK in https://sqlite.org/walformat.html, 2.3.1), so none runs now.
        fcntl.lockf(index, fcntl.LOCK_EX, 1, 121)
        index.truncate(0)
    return lambda: None


def _touched(path: Path) -> _Undo:
    path.touch()
    return lambda: None


def _checkpoint_made(path: Path) -> _Undo:
    with closing(sqlite3.connect(path)) as tool:
        tool.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return lambda: None


#: Changes that stop nothing, by name.
HARMLESS: dict[str, _Fault] = {
    "log-removed": _part_removed("wal"),
    "index-removed": _part_removed("shm"),
    "both-removed": _part_removed("wal", "shm"),
    "index-cut": _index_cut,
    "log-cut": _log_cut,
    "touched": _touched,
    "checkpoint-of-a-tool": _checkpoint_made,
}


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Return the contents of the database files, wherever they are, without the shared index of SQLite."""
    return {str(file): file.read_bytes() for file in folder.rglob("*") if file.is_file() and _is_part(file)}


def _is_part(file: Path) -> bool:
    return not file.name.endswith("-shm") and file.name != "errors.txt"


async def checkpointed(path: Path) -> None:
    """Return when the main file has everything that is in the log (https://sqlite.org/walformat.html, 2.1)."""
    shared = path.with_name(f"{path.name}-shm")
    while True:
        index = shared.read_bytes()[:136]
        logged, carried = struct.unpack_from("=I", index, 16)[0], struct.unpack_from("=I", index, 96)[0]
        if logged == carried > 0:
            return
        await anyio.lowlevel.checkpoint()
