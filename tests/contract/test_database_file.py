"""Only one process at a time serves a SQLite file, whatever name it uses.

Only the owner can read the files it makes.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from subprocess import PIPE, Popen

import pytest

from realtime.backends.sql.engine import parse_url
from realtime.backends.sql.file.database_file import DatabaseFile, file_of
from realtime.backends.sql.file.file_guard import FileAway, FileGuard
from realtime.backends.sql.file.mending import Mender
from realtime.backends.sql.store import SqlStore
from realtime.errors import StoreUnusable
from tests.kit.deadline import deadline
from tests.kit.nodes import create_board, open_node


def _itself(path: Path) -> Path:
    return path


def _symlink(path: Path) -> Path:
    link = path.with_name("symlink.db")
    link.symlink_to(path)
    return link


def _hard_link(path: Path) -> Path:
    link = path.with_name("hard.db")
    link.hardlink_to(path)
    return link


def _moved(path: Path) -> Path:
    return path.rename(path.with_name("moved.db"))


def _round_about(path: Path) -> Path:
    (path.parent / "sub").mkdir()
    return path.parent / "sub" / ".." / path.name


@contextmanager
def _umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def _modes(folder: Path) -> dict[str, int]:
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}


def _locks_of_sqlite(path: Path) -> list[str]:
    """Return the system's locks of SQLite on a file; SQLite holds one as long as it has the log open."""
    inode = f":{path.stat().st_ino} "
    return [line for line in Path("/proc/locks").read_text().splitlines() if inode in line and "POSIX" in line]


async def _open_and_close(url: str) -> None:
    store = SqlStore(url, exclusive=True)
    try:
        async with deadline(10):
            await store.open()
    finally:
        await store.aclose()


@pytest.mark.parametrize("name", [_itself, _symlink, _hard_link, _moved, _round_about])
async def test_file_is_refused_by_each_of_its_names_until_it_is_given_back(
    name: Callable[[Path], Path], tmp_path: Path
) -> None:
    path = tmp_path / "b.db"
    first = SqlStore(f"sqlite:///{path}", exclusive=True)
    await first.open()
    other = name(path)
    with pytest.raises(StoreUnusable, match=f"in use by process {os.getpid()} "):
        await _open_and_close(f"sqlite:///{other}")
    await first.aclose()
    await _open_and_close(f"sqlite:///{other}")


async def test_refused_store_leaves_the_first_one_its_locks(tmp_path: Path) -> None:
    path = tmp_path / "b.db"
    first = SqlStore(f"sqlite:///{path}", exclusive=True)
    await first.open()
    with pytest.raises(StoreUnusable, match=r"b\.db is in use by process"):
        await _open_and_close(f"sqlite:///{path}")
    locks = _locks_of_sqlite(path)
    await first.aclose()
    assert locks


async def test_databases_in_memory_are_each_their_own() -> None:
    for url in ("sqlite://", "sqlite:///:memory:", "sqlite+aiosqlite://"):
        assert file_of(parse_url(url)) is None
        await _open_and_close(url)


async def test_earlier_spelling_of_the_url_opens_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "b.db"
    assert file_of(parse_url(f"sqlite+aiosqlite:///{path}")) == path
    first = SqlStore(f"sqlite+aiosqlite:///{path}", exclusive=True)
    await first.open()
    with pytest.raises(StoreUnusable, match="in use"):
        await _open_and_close(f"sqlite:///{path}")
    await first.aclose()


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077, 0o777])
@pytest.mark.parametrize("exclusive", [True, False])
async def test_new_files_are_their_owners_alone_whatever_the_umask(mask: int, exclusive: bool, tmp_path: Path) -> None:
    path = tmp_path / "b.db"
    store = SqlStore(f"sqlite:///{path}", exclusive=exclusive)
    with _umask(mask):
        await store.open()
        async with open_node(store) as node:
            await create_board(node)
    modes = _modes(tmp_path)
    await store.aclose()
    assert modes == dict.fromkeys(("b.db", "b.db-wal", "b.db-shm"), 0o600)


async def test_mode_of_a_file_that_is_there_is_its_owners_business(tmp_path: Path) -> None:
    path = tmp_path / "b.db"
    path.touch()
    path.chmod(0o640)
    await _open_and_close(f"sqlite:///{path}")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("a b.db", "a b.db"),
        ("a%20b.db", "a b.db"),
        ("a%3Fb.db", "a?b.db"),
        ("a%25b.db", "a%b.db"),
        ("a#b.db", "a#b.db"),
        ("å.db", "å.db"),
        ("a:b@c.db", "a:b@c.db"),
    ],
)
async def test_file_is_the_one_that_the_url_names(written: str, name: str, tmp_path: Path) -> None:
    assert file_of(parse_url(f"sqlite:///{tmp_path}/{written}")) == tmp_path / name
    await _open_and_close(f"sqlite:///{tmp_path}/{written}")
    assert list(_modes(tmp_path)) == [name]


@pytest.mark.parametrize("option", ["?", "?b.db", "?mode=ro", "?timeout=5", "?uri=true&mode=no", "?uri=true&uri=1"])
def test_options_that_would_be_dropped_in_silence_are_refused(option: str, tmp_path: Path) -> None:
    if option == "?":
        assert file_of(parse_url(f"sqlite:///{tmp_path}/a.db?")) == tmp_path / "a.db"
        return
    with pytest.raises(StoreUnusable, match="without options"):
        parse_url(f"sqlite:///{tmp_path}/a.db{option}")


@pytest.mark.parametrize("url", ["sqlite://b.db", "sqlite://user@/b.db", "sqlite://host:1/b.db", "sqlite://host:x/b"])
def test_url_with_a_host_is_refused(url: str) -> None:
    with pytest.raises(StoreUnusable, match="expected a database URL"):
        parse_url(url)


async def test_uri_names_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "a b.db"
    with closing(DatabaseFile.claim(path)), pytest.raises(StoreUnusable, match="in use"):
        await _open_and_close(f"sqlite:///file:{tmp_path}/a%2520b.db?mode=rwc&uri=true")


@pytest.mark.parametrize("mode", ["ro", "rw"])
async def test_uri_that_may_make_none_makes_no_file(mode: str, tmp_path: Path) -> None:
    with pytest.raises(StoreUnusable, match=r"cannot open the database .*b\.db: No such file"):
        await _open_and_close(f"sqlite:///file:{tmp_path}/b.db?mode={mode}&uri=true")
    assert _modes(tmp_path) == {}


def _directory(path: Path) -> None:
    path.mkdir()


def _device(path: Path) -> None:
    path.symlink_to("/dev/null")


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _loop(path: Path) -> None:
    path.symlink_to(path)


def _no_directory(path: Path) -> None:
    path.symlink_to(path.parent / "missing" / "b.db")


@pytest.mark.parametrize("make", [_directory, _device, _pipe, _loop, _no_directory])
async def test_path_of_no_file_is_one_line(make: Callable[[Path], None], tmp_path: Path) -> None:
    path = tmp_path / "b.db"
    make(path)
    with pytest.raises(StoreUnusable, match=r"cannot open the database .*/b\.db: ") as refused:
        await _open_and_close(f"sqlite:///{path}")
    assert "\n" not in str(refused.value)


async def test_link_that_leads_to_no_file_yet_makes_it(tmp_path: Path) -> None:
    link, path = tmp_path / "link.db", tmp_path / "b.db"
    link.symlink_to(path)
    await _open_and_close(f"sqlite:///{link}")
    assert stat.S_IMODE(path.lstat().st_mode) == 0o600
    assert link.is_symlink()


def test_file_accepts_its_own_writes_after_it_was_moved_back(tmp_path: Path) -> None:
    path, away = tmp_path / "b.db", tmp_path / "away.db"
    path.write_bytes(b"before")
    file = DatabaseFile.claim(path)
    guard = FileGuard(path)
    Mender(guard, lambda _: None).hold(file)
    guard.remember()
    with guard.changing():
        path.rename(away)
        path.write_bytes(b"another")
        away.write_bytes(b"what a checkpoint wrote")
    away.replace(path)
    guard.check()
    path.write_bytes(b"what somebody else wrote")
    with pytest.raises(FileAway, match="written into by somebody else"):
        guard.check()
    file.close()


def test_holder_is_named_without_its_arguments(tmp_path: Path) -> None:
    path = tmp_path / "b.db"
    path.touch()
    code = "import fcntl, sys; f = open(sys.argv[1]); fcntl.flock(f, fcntl.LOCK_EX); print(flush=True); input()"
    words = [sys.executable, "-c", code, str(path), "--tokens", "a-secret-of-somebody"]
    with Popen(words, stdin=PIPE, stdout=PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(StoreUnusable, match=f"in use by process {holder.pid} ") as refused:
            DatabaseFile.claim(path)
        holder.communicate(b"\n")
    assert "secret" not in str(refused.value)
    assert sys.executable in str(refused.value)
