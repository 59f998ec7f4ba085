"""The server's standard error: a line at start and stop, one line per client error, and no traceback for clients."""

from __future__ import annotations

import re
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
import pytest

from tests.kit.deadline import deadline
from tests.kit.raw_http import Address, Connection, connect, exchange, request_bytes
from tests.live.command import Ended, Process, ended, running

_TOKEN = "right-token-0123456789"


def _lines(end: Ended, event: str) -> list[str]:
    return [line for line in end.err.splitlines() if f'event="{event}' in line or f"event={event}" in line]


async def _stopped(server: Process, number: signal.Signals = signal.SIGTERM) -> Ended:
    server.send_signal(number)
    end = await server.wait()
    assert end.code == 0, end
    assert "Traceback" not in end.err, end.err[:3000]
    return end


async def test_start_and_end_are_one_line_each(tmp_path: Path) -> None:
    async with running(tmp_path) as server, deadline(20):
        address = f"http://{server.address[0]}:{server.address[1]}"
        end = await _stopped(server, signal.SIGHUP)
    (start,), (stop,) = _lines(end, "started"), _lines(end, "stopped")
    for said in (f"address={address}", "version=", "database=sqlite:///./boardcast.db", "broker=memory://"):
        assert said in start
    for said in ("authentication=none", "demo=off", "level=info"):
        assert said in start
    assert "reason=SIGHUP" in stop
    assert re.search(r"uptime_seconds=[0-9.]+", stop)
    assert len(end.err.splitlines()) == 2, end.err


@pytest.mark.parametrize(
    ("tokens", "said"), [(f"{_TOKEN},{_TOKEN}-2", "2 tokens"), (_TOKEN, "1 token")], ids=["two", "one"]
)
async def test_start_logs_no_secret(tmp_path: Path, tokens: str, said: str) -> None:
    async with running(tmp_path, "--demo", env={"BOARDCAST_TOKENS": tokens}) as server, deadline(20):
        end = await _stopped(server)
    (start,) = _lines(end, "started")
    assert f'authentication="{said}"' in start
    assert "demo=on" in start
    assert _TOKEN not in end.err


async def test_server_that_did_not_start_has_no_end(tmp_path: Path) -> None:
    end = await ended(tmp_path, "--port", "0", "--database-url", "sqlite:///./missing/boards.db")
    assert end.err.count("\n") == 1


async def test_info_is_not_written_below_its_level(tmp_path: Path) -> None:
    async with running(tmp_path, "--log-level", "warning") as server, deadline(20):
        await _leave_in_the_body(server.address, "/api/v1/events")
        assert (await _stopped(server)).err == ""


async def _leave_in_the_body(address: Address, target: str, method: str = "POST", length: int = 1000) -> None:
    sent = [("Host", "localhost"), ("Content-Type", "application/json"), ("Content-Length", str(length))]
    async with connect(address) as connection:
        await connection.send(request_bytes(method, target, sent, b'{"name":'))
        await connection.reset()


_LEFT = [
    ("POST", "/api/v1/events"),
    ("POST", "/api/v1/projects"),
    ("PATCH", "/api/v1/boards/none/cards/none"),
    ("POST", "/graphql"),
    ("POST", "/graphql/stream?token=none"),
    ("GET", "/api/v1/sse"),
    ("PUT", "/graphql/stream"),
    ("DELETE", "/api/v1/projects/none"),
]


async def test_leaving_in_the_middle_of_a_body_is_one_line_at_info(tmp_path: Path) -> None:
    async with running(tmp_path) as server, deadline(20):
        for method, target in _LEFT:
            await _leave_in_the_body(server.address, target, method)
        await _leave_in_the_body(server.address, "/api/v1/events\x1b[2J?access_token=" + _TOKEN)
        assert (await exchange(server.address, "GET", "/api/v1/healthz")).status == 200
        end = await _stopped(server)
    levels = {word for line in end.err.splitlines() for word in line.split() if word.startswith("level=")}
    assert levels == {"level=info"}, end.err
    assert 1 <= len(_lines(end, "a client left in the middle of its request")) <= len(_LEFT)
    assert _TOKEN not in end.err
    assert "\x1b" not in end.err


async def test_body_that_ends_early_is_one_line(tmp_path: Path) -> None:
    async with running(tmp_path) as server, deadline(20), connect(server.address) as connection:
        sent = [("Host", "localhost"), ("Content-Type", "application/json"), ("Content-Length", "1000")]
        await connection.send(request_bytes("POST", "/api/v1/events", sent, b'{"name":'))
        await connection.half_close()
        assert b" 400 " in await connection.read_to_end()
        end = await _stopped(server)
    (line,) = [line for line in end.err.splitlines() if "event=started" not in line and "event=stopped" not in line]
    assert "expected more of the body" in line


async def test_leaving_a_thousand_times_is_a_few_lines_and_a_count(tmp_path: Path) -> None:
    async with running(tmp_path) as server, deadline(60):
        for _ in range(300):
            await _leave_in_the_body(server.address, "/api/v1/events")
        assert (await exchange(server.address, "GET", "/api/v1/healthz")).status == 200
        end = await _stopped(server)
    lines = [line for line in end.err.splitlines() if "a client left in the middle" in line]
    assert 2 <= len(lines) <= 12, end.err
    assert sum(int(found[1]) for line in lines if (found := re.search(r"repeated (\d+) more times", line))) > 200


async def _send_nonsense(connection: Connection) -> None:
    await connection.send(b"\x00\xff nonsense\r\n\r\n")


async def _send_much_to_a_stream(connection: Connection) -> None:
    """Send an unexpected body, larger than allowed, to a stream that has begun."""
    head = [("Host", "localhost"), ("Accept", "text/event-stream"), ("Transfer-Encoding", "chunked")]
    await connection.send(request_bytes("GET", "/api/v1/sse", head))
    assert (await connection.read_head()).status == 200
    for _ in range(40):
        await connection.send(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")


async def _send_too_much(connection: Connection) -> None:
    head = [("Host", "localhost"), ("Content-Type", "application/json"), ("Transfer-Encoding", "chunked")]
    await connection.send(request_bytes("POST", "/api/v1/events", head))
    for _ in range(40):
        await connection.send(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")


@pytest.mark.parametrize("act", [_send_nonsense, _send_much_to_a_stream, _send_too_much], ids=lambda one: one.__name__)
async def test_mistake_of_a_client_leaves_no_traceback(
    act: Callable[[Connection], Awaitable[None]], tmp_path: Path
) -> None:
    async with running(tmp_path) as server, deadline(20):
        for _ in range(3):
            async with connect(server.address) as connection:
                try:
                    await act(connection)
                    await connection.half_close()
                    await connection.read_to_end()
                except (OSError, anyio.BrokenResourceError):
                    pass  # the server may cut the connection
        assert (await exchange(server.address, "GET", "/api/v1/healthz")).status == 200
        end = await _stopped(server)
    assert not re.search(r"level=(warning|error|critical)", end.err), end.err
