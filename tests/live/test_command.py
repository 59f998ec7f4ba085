"""The start of `python -m server`: flags, settings, the first line, and one clear line for an error."""

from __future__ import annotations

import re
import signal
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import orjson
import pytest

from server.settings import Settings
from tests.kit.deadline import deadline
from tests.kit.raw_http import exchange
from tests.live.command import Ended, ended, running

#: Last word of a setting's name → the beginning of its description.
_UNITS = {"seconds": "Seconds", "bytes": "Bytes"}


def _check_one_line(end: Ended, *words: str) -> None:
    assert end.code == 2, end
    assert end.out == ""
    assert end.err.endswith("\n")
    assert end.err.count("\n") == 1, end.err
    assert end.err.startswith("boardcast: ")
    assert "Traceback" not in end.err
    for word in words:
        assert word in end.err, end.err


@pytest.fixture
def taken_port() -> Iterator[str]:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        yield str(taken.getsockname()[1])


async def test_help_lists_every_flag_with_its_unit(tmp_path: Path) -> None:
    end = await ended(tmp_path, "--help", env={"COLUMNS": "200"})
    assert (end.code, end.err) == (0, "")
    for name, field in Settings.model_fields.items():
        flag = f"--{name.replace('_', '-')}"
        assert re.search(rf"{flag}\b", end.out), flag
        assert field.description, flag
        assert " ".join(field.description.split()) in " ".join(end.out.split()), flag
        unit = _UNITS.get(name.rpartition("_")[2])
        assert unit is None or field.description.startswith(unit), flag


async def test_first_line_is_the_address_that_answers(tmp_path: Path) -> None:
    async with running(tmp_path) as server, deadline(10):
        assert re.fullmatch(r"Listening on http://127\.0\.0\.1:[1-9][0-9]*", server.first_line)
        assert (await exchange(server.address, "GET", "/api/v1/healthz")).body == b'{"ok":true}'
        assert (await exchange(server.address, "GET", "/api/v1/readyz")).body == b'{"ok":true}'
    assert (tmp_path / "boardcast.db").is_file()


async def test_port_comes_from_the_environment_and_a_flag_wins(tmp_path: Path, taken_port: str) -> None:
    _check_one_line(await ended(tmp_path, env={"BOARDCAST_PORT": taken_port}), taken_port)
    async with running(tmp_path, env={"BOARDCAST_PORT": taken_port}) as server:
        assert server.address[1] != int(taken_port)


async def test_taken_port_is_one_line_and_code_2(tmp_path: Path, taken_port: str) -> None:
    _check_one_line(await ended(tmp_path, "--port", taken_port), taken_port, "in use")


async def test_host_that_is_not_ours_is_one_line_and_code_2(tmp_path: Path) -> None:
    """192.0.2.1 belongs to no host (RFC 5737)."""
    flags = ("--host", "192.0.2.1", "--allow-anonymous", "--port", "0")
    _check_one_line(await ended(tmp_path, *flags), "192.0.2.1")


async def test_open_host_is_refused_unless_it_is_meant(tmp_path: Path) -> None:
    _check_one_line(await ended(tmp_path, "--host", "0.0.0.0", "--port", "0"), "0.0.0.0", "--allow-anonymous")
    async with running(tmp_path, "--host", "0.0.0.0", "--allow-anonymous") as server, deadline(10):
        assert server.first_line.startswith("Listening on http://0.0.0.0:")
        assert (await exchange(("127.0.0.1", server.address[1]), "GET", "/api/v1/healthz")).status == 200


_BAD_DATABASES = {
    "missing-directory": ("sqlite:///./missing/boards.db", "missing/boards.db"),
    "directory": ("sqlite:///./folder", "folder"),
    "garbage": ("sqlite:///./garbage.db", "garbage.db"),
    "foreign": ("sqlite:///./foreign.db", "foreign.db"),
    "no-url": ("boards.db", "boards.db"),
    "other-driver": ("mysql:///./boards.db", "mysql"),
    "two-slashes": ("sqlite://boards.db", "three slashes"),
    "options": ("sqlite:///./boards.db?mode=ro", "mode=ro"),
    "device": ("sqlite:////dev/full", "/dev/full"),
    "empty": ("", "database"),
}


@pytest.mark.parametrize("case", _BAD_DATABASES)
async def test_database_that_cannot_be_opened_is_one_line_and_code_2(case: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    garbage = tmp_path / "garbage.db"
    garbage.write_bytes(b"this is no database " * 1000)
    with closing(sqlite3.connect(tmp_path / "foreign.db")) as foreign:
        foreign.execute("create table projects (colour text)")
    url, word = _BAD_DATABASES[case]
    _check_one_line(await ended(tmp_path, "--port", "0", "--database-url", url), word)
    assert garbage.read_bytes() == b"this is no database " * 1000


@pytest.mark.parametrize("demo", [(), ("--demo",)])
async def test_second_process_on_a_file_is_refused_and_a_kill_frees_it(demo: tuple[str, ...], tmp_path: Path) -> None:
    link = tmp_path / "link.db"
    async with running(tmp_path, *demo) as first:
        link.hardlink_to(tmp_path / "boardcast.db")
        for path in ("./boardcast.db", tmp_path / "boardcast.db", "./link.db"):
            flags = ("--port", "0", "--database-url", f"sqlite:///{path}", *demo)
            _check_one_line(await ended(tmp_path, *flags), Path(path).name, f"process {first.pid} (", "-m server")
        async with deadline(10):
            assert (await exchange(first.address, "GET", "/api/v1/readyz")).status == 200
        first.send_signal(signal.SIGKILL)
        await first.wait()
        async with running(tmp_path, *demo, "--database-url", "sqlite:///./link.db") as second, deadline(10):
            assert (await exchange(second.address, "GET", "/api/v1/readyz")).status == 200


async def test_bad_setting_by_flag_is_one_line_that_names_it(tmp_path: Path) -> None:
    """All bad settings: `tests/unit/server/test_main.py`."""
    _check_one_line(await ended(tmp_path, "--port", "http"), "--port", "http")


async def test_bad_setting_by_environment_is_one_line_that_names_it(tmp_path: Path) -> None:
    _check_one_line(await ended(tmp_path, env={"BOARDCAST_HEARTBEAT_SECONDS": "0"}), "--heartbeat-seconds", "0")


async def test_unknown_flag_is_one_line_that_names_it(tmp_path: Path) -> None:
    _check_one_line(await ended(tmp_path, "--colour", "red"), "--colour")


async def test_frozen_clock_stands_still_everywhere(tmp_path: Path) -> None:
    instant = "2025-01-02T03:04:05.678Z"
    body = orjson.dumps({"name": "Alpha Board", "repositoryPath": "/r"})
    async with running(tmp_path, env={"BOARDCAST_CLOCK": instant}) as server, deadline(10):
        answers = [
            await exchange(server.address, "GET", "/api/v1/version"),
            await exchange(server.address, "POST", "/api/v1/projects", body),
            await exchange(server.address, "GET", "/api/v1/dashboard"),
        ]
    for answer in answers:
        assert instant.encode() in answer.body, answer
