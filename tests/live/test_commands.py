"""`boardcast tail`, `publish`, `backup`, `check` as an operator runs them: processes of their own beside a server."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import orjson
import pytest
from anyio.abc import SocketAttribute, SocketStream
from pydantic import SecretStr

from tests.kit.access_tokens import ADMIN
from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer, live_server
from tests.kit.raw_http import exchange
from tests.live.command import ended, running

_ROOT = Path(__file__).parents[2]
_WAIT_UNITS = 60
_BOARD = {"name": "Alpha Board", "repositoryPath": "/r"}


class _Running:
    """A command that runs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def line(self) -> dict[str, Any]:
        """Return the next line of the output, as JSON."""
        assert self.process.stdout is not None
        found: dict[str, Any] = orjson.loads(await self.process.stdout.readline())
        return found

    async def end(self) -> tuple[int | None, str]:
        """Wait for the end; return the exit code, and what stands on standard error."""
        assert self.process.stderr is not None
        said = (await self.process.stderr.read()).decode()
        return await self.process.wait(), said


@asynccontextmanager
async def _command(*words: str, token: str = "") -> AsyncIterator[_Running]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BOARDCAST_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "server", *words),
        env={**kept, "PYTHONPATH": str(_ROOT), "BOARDCAST_TOKEN": token},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=2**20,
    )
    try:
        yield _Running(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
        process._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001 - or its pipes warn when collected


async def _ask(server: LiveServer, method: str, path: str, body: object = None) -> Any:
    content = None if body is None else orjson.dumps(body)
    answer = await exchange(server.address, method, f"/api/v1{path}", content)
    assert answer.status < 300, answer
    return orjson.loads(answer.body) if answer.body else None


async def _board(server: LiveServer) -> tuple[str, str]:
    """Make a board; return its id and that of its first column."""
    board = (await _ask(server, "POST", "/projects", _BOARD))["id"]
    state = (await _ask(server, "GET", f"/boards/{board}"))["state"]
    return board, state["columnOrder"][0]


async def _add(server: LiveServer, place: tuple[str, str], title: str) -> None:
    board, column = place
    await _ask(server, "POST", f"/boards/{board}/cards", {"columnId": column, "title": title})


async def test_tail_resumes_by_its_cursor_after_a_lost_connection() -> None:
    async with live_server() as live, deadline(_WAIT_UNITS):
        place = await _board(live)
        async with _command("tail", place[0], "--url", live.url, "--limit", "5") as tail:
            assert [(await tail.line())["type"] for _ in range(2)] == ["hello", "state"]
            await _add(live, place, "first")
            assert (await tail.line())["payload"]["card"]["title"] == "first"
            for connection in list(live.server.server_state.connections):
                connection.transport.abort()
            await _add(live, place, "missed")
            assert (await tail.line())["payload"]["card"]["title"] == "missed"
            await _add(live, place, "later")
            assert (await tail.line())["payload"]["card"]["title"] == "later"
            code, said = await tail.end()
    assert code == 0
    assert "trying again in" in said
    assert "Traceback" not in said


async def test_tail_ends_with_its_board_and_at_an_interrupt() -> None:
    async with live_server() as live, deadline(_WAIT_UNITS):
        board, _ = await _board(live)
        async with (
            _command("tail", board, "--url", live.url) as one,
            _command("tail", board, "--url", live.url) as other,
        ):
            for tail in (one, other):
                assert [(await tail.line())["type"] for _ in range(2)] == ["hello", "state"]
            one.process.send_signal(signal.SIGINT)
            assert await one.end() == (130, "")
            await _ask(live, "DELETE", f"/projects/{board}")
            assert (await other.line())["type"] == "goodbye"
            assert await other.end() == (0, "boardcast: the stream has ended: board_deleted\n")


async def test_tail_ends_quietly_when_its_reader_leaves() -> None:
    async with live_server() as live, deadline(_WAIT_UNITS):
        place = await _board(live)
        reading, writing = os.pipe()
        async with _command("tail", place[0], "--url", live.url) as watching:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "server", "tail", place[0], "--url", live.url, "--pretty"),
                env={**os.environ, "PYTHONPATH": str(_ROOT)},
                stdout=writing,
                stderr=asyncio.subprocess.PIPE,
            )
            os.close(writing)
            with os.fdopen(reading) as output:
                assert "hello" in await anyio.to_thread.run_sync(output.readline)
            while process.returncode is None:
                await _add(live, place, "unread")
                assert (await watching.line())["type"]
                with anyio.move_on_after(0.2):
                    await process.wait()
            _, said = await process.communicate()
            process._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001 - or its pipes warn
    assert (process.returncode, said) == (1, b"")


async def test_server_that_refuses_a_stream_is_one_line_and_code_1(tmp_path: Path) -> None:
    async with live_server(tokens=SecretStr(ADMIN)) as live, deadline(_WAIT_UNITS):
        url = ("--url", live.url)
        ends = [
            await ended(tmp_path, "tail", "none", *url),
            await ended(tmp_path, "tail", "none", *url, env={"BOARDCAST_TOKEN": ADMIN}),
            await ended(tmp_path, "tail", "none", *url, "--after", "x", env={"BOARDCAST_TOKEN": ADMIN}),
            await ended(tmp_path, "tail", "none", "--url", "http://127.0.0.1:1"),
            await ended(tmp_path, "tail", "none", "--url", "ftp://127.0.0.1"),
            await ended(tmp_path, "doctor", live.url),
        ]
    assert [(one.code, one.out, one.err.count("\n")) for one in ends] == [(1, "", 1)] * len(ends), ends
    for end, said in zip(
        ends,
        (
            "answered 401: expected a token",
            "Board not found",
            "answered 400: ",
            "cannot reach",
            "--url: ",
            "401: expected",
        ),
        strict=True,
    ):
        assert said in end.err


async def test_published_lines_are_stored_and_a_wrong_one_is_named(tmp_path: Path) -> None:
    lines = tmp_path / "events.jsonl"
    agents = [{"name": "agent.registered", "payload": {"agent": f"a{n}", "label": "A"}} for n in range(5)]
    lines.write_bytes(b"\n".join(map(orjson.dumps, agents)) + b"\n\n")
    async with live_server() as live, deadline(_WAIT_UNITS):
        done = await ended(tmp_path, "publish", str(lines), "--url", live.url, "--batch", "2")
        assert (done.code, done.err) == (0, "")
        assert [orjson.loads(line)["name"] for line in done.out.splitlines()] == ["agent.registered"] * 5
        listed = (await _ask(live, "GET", "/agents"))["agents"]
        assert [one["key"] for one in listed] == [f"a{n}" for n in range(5)]
        lines.write_bytes(orjson.dumps(agents[0]) + b"\n" + orjson.dumps({"name": "none", "payload": {}}) + b"\n[]\n")
        for batch, said in (("1", "line 2: "), ("2", "lines 1 to 2: ")):
            wrong = await ended(tmp_path, "publish", str(lines), "--url", live.url, "--batch", batch)
            assert wrong.code == 1
            assert said in wrong.err
            assert "answered 422: " in wrong.err


async def test_batch_without_an_answer_is_sent_again_with_the_same_ids(tmp_path: Path) -> None:
    bodies: list[bytes] = []
    busy = b"HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"
    done = b'HTTP/1.1 202 Accepted\r\nContent-Length: 15\r\n\r\n{"accepted":[]}'

    async def serve(stream: SocketStream) -> None:
        async with stream:
            come = b""
            while b"}]" not in come:
                come += await stream.receive()
            bodies.append(come.partition(b"\r\n\r\n")[2])
            await stream.send(busy if len(bodies) == 1 else done)

    async with (
        deadline(_WAIT_UNITS),
        await anyio.create_tcp_listener(local_host="127.0.0.1") as listener,
        anyio.create_task_group() as group,
    ):
        group.start_soon(listener.serve, serve)
        port = listener.extra(SocketAttribute.raw_socket).getsockname()[1]
        words = ("--name", "agent.registered", "--payload", '{"agent":"a"}', "--url", f"http://127.0.0.1:{port}")
        end = await ended(tmp_path, "publish", *words)
        group.cancel_scope.cancel()
    assert end.code == 0, end
    first, second = bodies
    assert first == second
    assert len(orjson.loads(first)[0]["id"]) == 36


async def test_backup_of_a_running_server_is_a_database_of_its_own(tmp_path: Path) -> None:
    async with running(tmp_path) as server, deadline(_WAIT_UNITS):
        made = await exchange(server.address, "POST", "/api/v1/projects", orjson.dumps(_BOARD))
        assert made.status == 201
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        words = ("--database-url", f"sqlite:///{tmp_path}/boardcast.db")
        saved = await ended(elsewhere, "backup", "copy.db", *words)
        again = await ended(elsewhere, "backup", "copy.db", *words)
        beside = await ended(elsewhere, "check", *words)
    assert (saved.code, saved.err) == (0, "")
    assert (again.code, again.err) == (2, "boardcast: cannot make copy.db: File exists\n")
    assert beside.code == 0, beside
    assert "1 boards, 1 events; in use by process" in beside.out
    assert (elsewhere / "copy.db").stat().st_mode & 0o777 == 0o600
    assert sorted(os.listdir(elsewhere)) == ["copy.db", "errors.txt"]  # noqa: PTH208
    async with running(elsewhere, "--database-url", "sqlite:///./copy.db") as copy, deadline(_WAIT_UNITS):
        boards = orjson.loads((await exchange(copy.address, "GET", "/api/v1/projects")).body)
    assert [one["name"] for one in boards] == ["Alpha Board"]


@pytest.mark.parametrize(
    ("flags", "said", "names"),
    [
        ((), ("is not there; the server makes it", "no token is needed"), ""),
        (("--database-url", "sqlite:///./none/x.db"), ("fail  database", "there is no folder"), "database"),
        (("--database-url", "postgresql://127.0.0.1:1/x"), ("fail  database", "fail  broker"), "database, broker"),
        (("--jwt-key", "/no/such/key.pem"), ("fail  keys", "--jwt-key: "), "keys"),
        (("--broker-url", "pigeon://x"), ("fail  broker", "expected memory://"), "broker"),
    ],
    ids=["all-well", "no-folder", "no-answer", "no-key", "no-broker"],
)
async def test_check_says_each_thing(flags: tuple[str, ...], said: tuple[str, ...], names: str, tmp_path: Path) -> None:
    async with deadline(_WAIT_UNITS):
        end = await ended(tmp_path, "check", *flags)
    assert end.code == (1 if names else 0), end
    assert [line.split()[1] for line in end.out.splitlines()] == ["settings", "database", "broker", "keys", "documents"]
    for one in said:
        assert one in end.out
    assert end.err == (f"boardcast: a server would not start or not work: {names}\n" if names else "")
    assert os.listdir(tmp_path) == ["errors.txt"]  # noqa: PTH208
