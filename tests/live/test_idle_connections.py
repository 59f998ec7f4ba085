"""The memory and tasks of an idle connection, whose timers must continue all the same."""

from __future__ import annotations

import asyncio
import gc
from contextlib import AsyncExitStack

import anyio
import orjson
import pytest

from server.connection.websocket_connection import OPEN_SCOPE, WebSocketConnection
from tests.kit.deadline import deadline
from tests.kit.graphql_socket import HANDSHAKE
from tests.kit.live_server import LiveServer
from tests.kit.raw_http import connect
from tests.kit.raw_socket import open_socket
from tests.live.exits import open_exit
from tests.live.ways import WAYS, served

_WAIT_UNITS = 20
_SOCKETS = ("board-ws", "graphql-ws", "older-graphql-ws")
_SUBSCRIBERS = 5
#: The task of the connection, and the task that reads its stream.
_TASKS = 2
_SUBPROTOCOLS = {"graphql-transport-ws": "ping", "graphql-ws": "ka"}


@pytest.mark.parametrize("name", _SOCKETS)
async def test_open_socket_has_two_tasks_and_nothing_of_its_handshake(name: str, boards: LiveServer) -> None:
    async with deadline(_WAIT_UNITS), AsyncExitStack() as stack:
        await anyio.wait_all_tasks_blocked()
        before = len(asyncio.all_tasks())
        for _ in range(_SUBSCRIBERS):
            await open_exit(name, await stack.enter_async_context(connect(boards.address)))
        await anyio.wait_all_tasks_blocked()
        assert len(asyncio.all_tasks()) - before == _SUBSCRIBERS * _TASKS
        # Not `isinstance`: it fails for a weak proxy whose object is gone, and libraries may hold one.
        sockets = [one for one in gc.get_objects() if type(one) is WebSocketConnection]
        opened = [one for one in sockets if not one.disconnected]
        assert len(opened) == _SUBSCRIBERS
        for connection in opened:
            assert set(connection.scope) == set(OPEN_SCOPE)
            assert not hasattr(connection, "request")
            # A dictionary would be three times as large as its content.
            assert vars(connection) == {}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("subprotocol", _SUBPROTOCOLS)
async def test_signs_of_life_come_again_and_again_on_every_way(subprotocol: str, way: str, boards: LiveServer) -> None:
    settings = boards.settings.model_copy(update={"direct_writes": True, "graphql_ping_seconds": 0.05})
    headers = [*HANDSHAKE, ("Sec-WebSocket-Protocol", subprotocol)]
    async with (
        deadline(_WAIT_UNITS),
        served(boards, way, settings=settings) as address,
        open_socket(address, "/graphql", headers) as socket,
    ):
        await socket.send_json({"type": "connection_init"})
        kinds = [orjson.loads(await socket.receive_text()) for _ in range(5)]
        assert kinds.count({"type": "connection_ack"}) == 1
        assert kinds.count({"type": _SUBPROTOCOLS[subprotocol]}) == 4
