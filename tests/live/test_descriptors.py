"""A process without free descriptors: connections use them up, and the database still has those that it needs."""

from __future__ import annotations

import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import anyio
import orjson

from tests.kit.deadline import deadline
from tests.kit.raw_http import Address, Connection, connect, exchange, request_bytes
from tests.live.command import Process, running

_SPARE = 40
_REQUESTS = 200


@contextmanager
def _no_descriptors_left(server: Process) -> Iterator[None]:
    """Let the server open `_SPARE` more files, and open twice as many connections to it."""
    now = len(list(Path(f"/proc/{server.pid}/fd").iterdir()))
    before = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (now + _SPARE, before[1]))
    with ExitStack() as stack:
        for _ in range(_SPARE * 2):
            idle = stack.enter_context(socket.socket())
            idle.setblocking(False)
            idle.connect_ex(server.address)
        yield
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, before)


async def _ask(connection: Connection, method: str, target: str, body: object = None) -> tuple[int, Any]:
    """Send a request on an open connection."""
    sent = b"" if body is None else orjson.dumps(body)
    headers = [("Host", "localhost"), ("Content-Type", "application/json"), ("Content-Length", str(len(sent)))]
    await connection.send(request_bytes(method, target, headers) + sent)
    head = await connection.read_head()
    return head.status, orjson.loads(await connection.read_body(head))


async def _is_full(address: Address) -> bool:
    """Return whether a new connection gets no answer."""
    try:
        async with connect(address) as connection:
            await connection.send(request_bytes("GET", "/api/v1/healthz", [("Host", "localhost")]))
            return (await connection.read_head()).status == 503
    except (OSError, anyio.BrokenResourceError, anyio.EndOfStream, anyio.IncompleteRead):
        return True


async def test_commands_are_carried_out_while_no_descriptor_is_left(tmp_path: Path) -> None:
    async with running(tmp_path) as server, deadline(40), connect(server.address) as connection:
        body = {"name": "n", "repositoryPath": "/p"}
        _, project = await _ask(connection, "POST", "/api/v1/projects", body)
        board = f"/api/v1/boards/{project['id']}"
        _, state = await _ask(connection, "GET", board)
        column = state["state"]["columnOrder"][0]
        with _no_descriptors_left(server):
            assert await _is_full(server.address)
            for number in range(_REQUESTS):
                made = await _ask(connection, "POST", f"{board}/cards", {"title": str(number), "columnId": column})
                assert made[0] == 201
            assert (await _ask(connection, "GET", "/api/v1/readyz"))[0] == 200
            assert (await _ask(connection, "GET", "/api/v1/dashboard"))[0] == 200
            _, state = await _ask(connection, "GET", board)
            assert len(state["state"]["cards"]) == _REQUESTS
        while await _is_full(server.address):
            pass
        after: Any = (await exchange(server.address, "GET", board)).json()
        assert after == state


async def test_soft_limit_is_raised_to_the_hard_one(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    soft = min(200, before[1] - 1)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, before[1]))
    try:
        async with running(tmp_path) as server:
            assert resource.prlimit(server.pid, resource.RLIMIT_NOFILE) == (before[1], before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
