"""Commands on whole databases: `copy`, `backup`, `export` and `import`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from realtime.errors import StoreUnavailable, StoreUnusable, UnitConflict
from server.command_line.failing import USAGE, CommandFailed, ReaderLeft, notice, say
from server.runtime.logs import set_up_logs
from server.settings_flags import read_settings
from server.wiring import MAX_LINE_BYTES, back_up, copy_installation, export_lines, import_lines

__all__ = ["backup_database", "copy_database", "export_rows", "import_rows"]

_T = TypeVar("_T")


def copy_database(source: str, target: str) -> None:
    """Copy the database at one URL into the empty one at another.

    Raises:
        CommandFailed: a database cannot be used; so do the others below.
    """
    boards, events = _run(copy_installation(source, target))
    say(f"copied {boards} boards and {events} events")


def backup_database(target: Path, database_url: str | None) -> None:
    """Write a copy of a SQLite file, also while a server has it."""
    with _reporting():
        size = back_up(_url(database_url), target)
    say(f"saved {target}, {size} bytes")


def export_rows(target: Path | None, board_id: str | None, database_url: str | None) -> None:
    """Write an installation or a board as JSON lines into a new file, or to standard output."""
    url = _url(database_url)
    if target is None:
        count = _run(export_lines(url, board_id, sys.stdout.buffer.write))
        sys.stdout.buffer.flush()
    else:
        with _new_file(target) as file:
            count = _run(export_lines(url, board_id, file.write))
    notice(f"exported {count} rows")


def import_rows(source: Path | None, database_url: str | None) -> None:
    """Read JSON lines of `export` from a file or standard input, and write all of them or none."""
    url = _url(database_url)
    if source is None:
        kind, count = _run(import_lines(url, _lines(sys.stdin.buffer)))
    else:
        try:
            with source.open("rb") as file:
                kind, count = _run(import_lines(url, _lines(file)))
        except OSError as error:
            raise CommandFailed(f"cannot read {source}: {error.strerror or error}", code=USAGE) from None
    say(f"imported {kind}, {count} rows")


def _url(given: str | None) -> str:
    return given or read_settings([]).database_url


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines; of a line that is too long, a part that is no JSON."""
    while line := file.readline(MAX_LINE_BYTES):
        yield line


@contextmanager
def _new_file(target: Path) -> Iterator[BinaryIO]:
    """Open a new file; it is removed if the block fails."""
    try:
        target.touch(mode=0o600, exist_ok=False)
    except OSError as error:
        raise CommandFailed(f"cannot make {target}: {error.strerror or error}", code=USAGE) from None
    try:
        with target.open("wb") as file:
            yield file
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def _run(work: Coroutine[Any, Any, _T]) -> _T:
    set_up_logs("warning")
    with _reporting():
        return asyncio.run(work)


@contextmanager
def _reporting() -> Iterator[None]:
    try:
        yield
    except (StoreUnavailable, StoreUnusable, UnitConflict) as error:
        if isinstance(error.__cause__, BrokenPipeError):
            raise ReaderLeft from None
        raise CommandFailed(str(error), code=USAGE) from None
