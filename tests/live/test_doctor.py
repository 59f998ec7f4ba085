"""`boardcast doctor` on a server that is well, and on one behind a proxy that holds answers back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import orjson
from anyio.abc import SocketAttribute, SocketStream

from tests.kit.deadline import deadline
from tests.kit.live_server import live_server
from tests.kit.raw_http import Address, exchange
from tests.live.command import ended

_WAIT_UNITS = 60
_BOARDS = {
    *("board-ws", "board-sse", "graphql-ws", "older-graphql-ws"),
    *("graphql-sse", "graphql-sse-single", "graphql-multipart"),
}
_QUICK = ("--json", "--changes", "3")


def _found(out: str) -> dict[str, dict[str, Any]]:
    return {one["exit"]: one for one in orjson.loads(out)["exits"]}


async def _boards(address: Address) -> Any:
    return orjson.loads((await exchange(address, "GET", "/api/v1/projects")).body)


async def test_doctor_finds_every_exit_well_and_leaves_nothing(tmp_path: Path) -> None:
    async with live_server(heartbeat_seconds=0.5) as live, deadline(_WAIT_UNITS):
        end = await ended(tmp_path, "doctor", live.url, *_QUICK, "--timeout", "20")
        table = await ended(tmp_path, "doctor", live.url, "--changes", "2", "--heartbeat", "0", "--timeout", "20")
        assert await _boards(live.address) == []
    assert (end.code, end.err) == (0, "")
    found = _found(end.out)
    assert set(found) == {*_BOARDS, "dashboard-ws", "dashboard-sse"}
    for name, one in found.items():
        assert one["ok"], one
        assert one["maxMs"] >= one["medianMs"] > 0
        wanted = True if name in _BOARDS else None
        assert (one["order"], one["resume"], one["hash"]) == (wanted, wanted, wanted), one
    assert (table.code, table.err) == (0, "")
    (row,) = [line for line in table.out.splitlines() if line.startswith("board-ws ")]
    assert row.split()[-3:] == ["ok", "ok", "-"]


@asynccontextmanager
async def _collecting_proxy(server: Address) -> AsyncIterator[str]:
    """Pass connections on, but hold back what the raw event stream of a board gets after its first bytes."""

    async def pump(source: SocketStream, target: SocketStream, *, holds: bool) -> None:
        try:
            async for data in source:
                if not holds or data.startswith(b"HTTP/1.1"):
                    await target.send(data)
            await target.send_eof()
        except (anyio.BrokenResourceError, anyio.ClosedResourceError, OSError):
            return

    async def serve(client: SocketStream) -> None:
        async with client, await anyio.connect_tcp(*server) as upstream, anyio.create_task_group() as group:
            head = await client.receive()
            await upstream.send(head)
            group.start_soon(lambda: pump(client, upstream, holds=False))
            await pump(upstream, client, holds=head.startswith(b"GET /api/v1/sse?boardId"))
            group.cancel_scope.cancel()

    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, serve)
        yield f"http://127.0.0.1:{listener.extra(SocketAttribute.raw_socket).getsockname()[1]}"
        group.cancel_scope.cancel()


async def test_doctor_names_the_exit_that_a_proxy_holds_back(tmp_path: Path) -> None:
    async with live_server() as live, deadline(_WAIT_UNITS), _collecting_proxy(live.address) as url:
        end = await ended(tmp_path, "doctor", url, *_QUICK, "--heartbeat", "0", "--timeout", "5")
        assert await _boards(live.address) == []
    assert (end.code, end.err) == (1, "boardcast: something is wrong: board-sse\n"), end
    found = _found(end.out)
    assert [name for name, one in found.items() if not one["ok"]] == ["board-sse"]
    (fault,) = found["board-sse"]["faults"]
    assert "within 5 s" in fault
