"""`--workers`: one port, a worker that ends is replaced, SIGHUP replaces all, and every end of the whole is clean."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import anyio.lowlevel
import pytest

from tests.kit.deadline import deadline
from tests.kit.publishing import Publisher
from tests.kit.raw_http import Address, connect, exchange
from tests.kit.sse_reader import StreamEnded
from tests.live.boards import make_boards
from tests.live.command import Ended, Process, ended, running
from tests.live.exits import open_exit
from tests.live.nodes.readers import Reader, reading, write_lines
from tests.live.raw_board import open_board

_NEW = "a new worker accepts connections"


@asynccontextmanager
async def _workers(folder: Path, url: str, *flags: str) -> AsyncIterator[Process]:
    async with running(folder, "--workers", "2", "--database-url", url, *flags) as server, deadline(60):
        await make_boards(server.address)
        yield server


def _pids(server: Process) -> list[int]:
    """Return the ids of the workers. The other child is the resource tracker of `multiprocessing`."""
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text(encoding="ascii").split()
    return [int(pid) for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


async def _logged(server: Process, text: str, times: int = 1) -> None:
    while server.errors.read_text().count(text) < times:
        await anyio.lowlevel.checkpoint()


async def _goodbye(address: Address) -> asyncio.Task[None]:
    """Return a task that ends with the goodbye of a stream; the stream is open now."""
    opened = asyncio.Event()

    async def read() -> None:
        async with open_board(address, "board-sse") as stream:
            while (await stream.envelope()).type != "goodbye":
                opened.set()

    task = asyncio.create_task(read())
    await opened.wait()
    return task


async def _follow(address: Address, reader: Reader, last: str) -> None:
    """Read until the last line, and come back with the cursor after each goodbye."""
    while not any(message == last for _, message in reader.lines):
        query = {"after": reader.cursor} if reader.cursor else {}
        async with open_board(address, "board-sse", delivery="changes", **query) as stream:
            try:
                while not any(message == last for _, message in reader.lines):
                    received = await stream.envelope()
                    if received.type == "hello":
                        reader.ready.set()
                    reader.take(*received)
            except StreamEnded:
                continue


async def test_workers_share_a_port_and_one_that_is_killed_is_replaced(tmp_path: Path, postgres_url: str) -> None:
    async with _workers(tmp_path, postgres_url) as server:
        async with reading(*[server.address] * 2) as readers:
            lines = await write_lines(server.address, "x", 5)
            for reader in readers:
                await reader.has(lines)
            assert len({tuple(reader.lines) for reader in readers}) == 1
        refused = await exchange(server.address, "PUT", "/graphql/stream")
        assert (refused.status, b"distinct connections" in refused.body) == (501, True)
        log = server.errors.read_text()
        assert log.count("event=started") == 1
        assert "workers=2" in log
        victim, other = _pids(server)
        os.kill(victim, signal.SIGKILL)
        await _logged(server, _NEW)
        (new,) = set(_pids(server)) - {other}
        assert new != victim
        await write_lines(server.address, "after", 2)
        os.kill(new, signal.SIGKILL)
        await _logged(server, 'reason="ended by SIGKILL"', 2)
        assert float(server.errors.read_text().rpartition("pause_seconds=")[2].split()[0]) >= 1
        await write_lines(server.address, "meanwhile", 2)
        place = tmp_path / "other"
        place.mkdir()
        flags = ("--workers", "2", "--port", str(server.address[1]), "--database-url", postgres_url)
        _assert_one_line(await ended(place, *flags), "in use")


@pytest.fixture
def hanging(tmp_path: Path) -> dict[str, str]:
    """Variables with which SIGUSR2 hangs the event loop of a worker."""
    place = tmp_path / "site"
    place.mkdir()
    (place / "sitecustomize.py").write_text(
        "import signal, threading\nsignal.signal(signal.SIGUSR2, lambda *_: threading.Event().wait())\n"
    )
    return {"PYTHONPATH": f"{place}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}


@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGUSR2], ids=["stopped", "hung"])
async def test_worker_without_a_sign_of_life_is_replaced(
    number: signal.Signals, tmp_path: Path, postgres_url: str, hanging: dict[str, str]
) -> None:
    flags = ("--workers", "2", "--worker-timeout-seconds", "5", "--database-url", postgres_url)
    async with running(tmp_path, *flags, env=hanging) as server, deadline(60):
        victim, other = _pids(server)
        os.kill(victim, number)
        await _logged(server, "a worker gives no sign of life")
        await _logged(server, _NEW)
        assert not _lives(victim)
        assert (await exchange(server.address, "GET", "/api/v1/projects")).status == 200
        (new,) = set(_pids(server)) - {other}
        assert new != victim


async def test_supervisor_that_was_paused_blames_no_worker(tmp_path: Path, postgres_url: str) -> None:
    flags = ("--worker-timeout-seconds", "5", "--heartbeat-seconds", "1")
    async with _workers(tmp_path, postgres_url, *flags) as server:
        before = _pids(server)
        async with open_board(server.address, "board-sse") as stream:
            server.send_signal(signal.SIGSTOP)
            for _ in range(7):  # one each second, so this is longer than the time that a worker may be silent
                while (await stream.envelope()).type != "heartbeat":
                    pass
            server.send_signal(signal.SIGCONT)
            for _ in range(3):
                while (await stream.envelope()).type != "heartbeat":
                    pass
        assert _pids(server) == before
        assert "no sign of life" not in server.errors.read_text()


async def test_supervisor_outlives_signals_without_a_name_and_a_lack_of_descriptors(
    tmp_path: Path, postgres_url: str
) -> None:
    async with _workers(tmp_path, postgres_url) as server:
        victim, other = _pids(server)
        enough = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (4, enough[1]))
        server.send_signal(signal.SIGHUP)
        await _logged(server, "a new worker cannot start")
        os.kill(victim, signal.SIGRTMIN + 6)
        await _logged(server, f'reason="ended by signal {signal.SIGRTMIN + 6}"')
        await _logged(server, "a worker cannot be started")
        assert _pids(server) == [other]
        await write_lines(server.address, "meanwhile", 1)
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, enough)
        await _logged(server, _NEW)
        assert len(_pids(server)) == 2
        assert "Traceback" not in server.errors.read_text()


async def test_sighup_replaces_all_workers_and_readers_that_resume_have_every_event(
    tmp_path: Path, postgres_url: str
) -> None:
    async with _workers(tmp_path, postgres_url) as server:
        before = set(_pids(server))
        readers = [Reader() for _ in range(6)]
        following = [asyncio.create_task(_follow(server.address, reader, "last 0")) for reader in readers]
        for reader in readers:
            await reader.ready.wait()
        server.send_signal(signal.SIGHUP)
        written = 0
        while "all workers were replaced" not in server.errors.read_text():
            # Each on a connection of its own: none is refused, and none is lost in the queue of an old worker.
            await write_lines(server.address, f"line {written}", 1)
            written += 1
        assert not before & set(_pids(server))
        await write_lines(server.address, "last", 1)
        await asyncio.gather(*following)
        for reader in readers:
            assert [message for _, message in reader.lines] == [*(f"line {n} 0" for n in range(written)), "last 0"]
            assert reader.gaps == []


async def test_worker_that_cannot_start_in_a_roll_leaves_the_others(tmp_path: Path, postgres_url: str) -> None:
    secrets = tmp_path / "secrets"
    secrets.write_text("a-secret-of-16-characters\n")
    flags = ("--workers", "2", "--database-url", postgres_url, "--tokens-file", str(secrets))
    async with running(tmp_path, *flags) as server, deadline(60):
        before = _pids(server)
        secrets.write_text("short\n")
        server.send_signal(signal.SIGHUP)
        await _logged(server, "a new worker cannot start")
        assert _pids(server) == before
        secrets.write_text("another-secret-of-16-characters\n")
        server.send_signal(signal.SIGHUP)
        await _logged(server, "all workers were replaced")
        headers = [("Authorization", "Bearer another-secret-of-16-characters")]
        assert (await exchange(server.address, "GET", "/api/v1/projects", headers=headers)).status == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda one: one.name)
async def test_signal_ends_every_stream_with_goodbye_and_the_whole_with_0(
    number: signal.Signals, tmp_path: Path, postgres_url: str
) -> None:
    async with _workers(tmp_path, postgres_url, "--shutdown-grace-seconds", "20") as server:
        streams = [await _goodbye(server.address) for _ in range(4)]
        # As a service manager and a terminal do, which send it to every process at once.
        for pid in (*_pids(server), server.pid):
            os.kill(pid, number)
        await asyncio.gather(*streams)
        end = await server.wait()
        assert (end.code, end.out) == (0, ""), end
        assert "Traceback" not in end.err, end.err
        assert f"reason={number.name}" in end.err


async def test_second_signal_ends_all_workers_at_once(tmp_path: Path, postgres_url: str) -> None:
    flags = ("--shutdown-grace-seconds", "300")
    async with _workers(tmp_path, postgres_url, *flags) as server, AsyncExitStack() as stack:
        for _ in range(4):  # they read nothing, so that their workers wait
            await open_exit("board-ws", await stack.enter_async_context(connect(server.address, 4096)))
        for _ in range(60):
            await Publisher(server.address).mark("x" * 50_000)
        witness = await _goodbye(server.address)
        server.send_signal(signal.SIGTERM)
        await witness
        server.send_signal(signal.SIGTERM)
        end = await server.wait()
        assert end.code == 0, end
        assert "Traceback" not in end.err, end.err


async def test_workers_end_with_their_supervisor_however_it_ends(tmp_path: Path, postgres_url: str) -> None:
    async with _workers(tmp_path, postgres_url) as server:
        pids = _pids(server)
        streams = [await _goodbye(server.address) for _ in range(2)]
        server.send_signal(signal.SIGKILL)
        await asyncio.gather(*streams)
        while any(map(_lives, pids)):
            await anyio.lowlevel.checkpoint()
        assert "Traceback" not in server.errors.read_text()


def _assert_one_line(end: Ended, *words: str) -> None:
    assert (end.code, end.out) == (2, ""), end
    assert end.err.startswith("boardcast: ")
    assert end.err.count("\n") == 1, end.err
    for word in words:
        assert word in end.err


async def test_database_that_cannot_be_opened_ends_the_whole_with_one_line(tmp_path: Path, postgres_url: str) -> None:
    missing = f"{postgres_url}_missing"
    end = await ended(tmp_path, "--workers", "2", "--port", "0", "--database-url", missing)
    _assert_one_line(end, "cannot open the database", "does not exist")


async def test_sqlite_file_has_one_worker(tmp_path: Path) -> None:
    _assert_one_line(await ended(tmp_path, "--workers", "2", "--port", "0"), "--workers", "SQLite", "PostgreSQL", "2")
