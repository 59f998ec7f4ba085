"""Requests leave no cycles of references: boards and documents are freed when an answer is sent, not minutes later.

A refusal that is kept as a result is the usual cause: its traceback refers to the frames that it came from, and one of
them refers to the refusal.
"""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress

import orjson
import pytest
from graphql import ASTValidationRule

from tests.kit.blocked_tasks import other_tasks_blocked
from tests.kit.deadline import deadline
from tests.kit.graphql_socket import open_subscription
from tests.kit.live_server import live_server
from tests.kit.publishing import event
from tests.kit.raw_http import Address, connect, exchange
from tests.kit.raw_socket import Closed, RawSocket, open_socket
from tests.live.boards import BOARD, make_boards
from tests.live.raw_board import open_board

_WAIT_UNITS = 20
_OURS = ("realtime.", "schema.", "server.", "graphql.execution", "graphql.language.ast")


@pytest.fixture(scope="module")
async def address() -> AsyncIterator[Address]:
    """Run one server with two boards."""
    async with live_server() as live:
        await make_boards(live.address)
        yield live.address


async def _query(address: Address, text: str) -> None:
    answer = await exchange(address, "POST", "/graphql", orjson.dumps({"query": text}))
    assert answer.status == 200, answer


async def _refused_command(address: Address) -> None:
    body = orjson.dumps({"columnId": "nope", "title": "a"})
    assert (await exchange(address, "POST", f"/api/v1/boards/{BOARD}/cards", body)).status == 404


async def _command_of_unknown_board(address: Address) -> None:
    assert (await exchange(address, "PATCH", "/api/v1/boards/none/cards/free", b'{"title":"a"}')).status == 404


async def _refused_event(address: Address) -> None:
    body = orjson.dumps([event("attempt.log", {"boardId": "none", "attemptId": "a", "message": "a"})])
    answer = await exchange(address, "POST", "/api/v1/events", body)
    assert answer.status in (400, 422), answer


async def _refused_commands_of_a_socket(address: Address) -> None:
    async with open_socket(address, f"/api/v1/ws?boardId={BOARD}") as socket:
        for _ in range(3):
            await socket.send_json({"type": "delete_card", "payload": {"cardId": "nope"}})
        while orjson.loads(await socket.receive_text())["type"] != "error":
            pass


async def _socket_of_an_unknown_board(address: Address) -> None:
    async with open_socket(address, "/api/v1/ws?boardId=none") as socket:
        await socket.receive()


async def _lost_cursor(address: Address) -> None:
    async with open_board(address, "board-ws", after="abc-01234567-5-0") as board:
        while (await board.envelope()).type != "state":
            pass


async def _broken_frame(address: Address) -> None:
    async with connect(address) as connection:
        socket = await RawSocket.handshake(connection, f"/api/v1/ws?boardId={BOARD}")
        await socket.send_frame(0x3, b"a reserved opcode")
        with suppress(Closed):
            while True:
                await socket.receive()


async def _new_query(address: Address) -> None:
    _new_query.count += 1  # type: ignore[attr-defined]
    await _query(address, f"{{ a{_new_query.count}: projects {{ nodes {{ name }} }} }}")  # type: ignore[attr-defined]


async def _syntax_error(address: Address) -> None:
    answer = await exchange(address, "POST", "/graphql", b'{"query":"{ projects { nodes { name } } } }"}')
    assert b"GRAPHQL_PARSE_FAILED" in answer.body, answer


async def _refused_subscription(address: Address) -> None:
    async with open_subscription(address, 'subscription { boardEvents(boardId: "none") { __typename } }') as one:
        assert (await one.message())["type"] == "error"


async def _known_query(address: Address) -> None:
    await _query(address, f'{{ board(boardId: "{BOARD}") {{ cards {{ title }} }} }}')


async def _refused_mutation(address: Address) -> None:
    await _query(address, f'mutation {{ deleteCard(boardId: "{BOARD}", cardId: "nope") {{ __typename }} }}')


async def _subscription(address: Address) -> None:
    async with open_subscription(
        address, f'subscription {{ boardEvents(boardId: "{BOARD}") {{ __typename }} }}'
    ) as one:
        await one.data()


_new_query.count = 0  # type: ignore[attr-defined]
_KINDS: list[Callable[[Address], Awaitable[None]]] = [
    _refused_command,
    _command_of_unknown_board,
    _refused_event,
    _refused_commands_of_a_socket,
    _socket_of_an_unknown_board,
    _lost_cursor,
    _broken_frame,
    _new_query,
    _syntax_error,
    _refused_subscription,
    _known_query,
    _refused_mutation,
    _subscription,
]


@contextmanager
def _garbage() -> Iterator[Counter[str]]:
    """Count the objects of our packages, by type, that only the collector can free after the block."""
    found: Counter[str] = Counter()
    gc.collect()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        yield found
        gc.collect()
    finally:
        gc.set_debug(0)
    ours = [one for one in gc.garbage if type(one).__module__.startswith(_OURS)]
    # `validate` of graphql-core makes a cycle that holds its rules; we have no way to it.
    found.update(type(one).__name__ for one in ours if not isinstance(one, ASTValidationRule))
    gc.garbage.clear()


@pytest.mark.parametrize("kind", _KINDS, ids=lambda kind: kind.__name__.strip("_"))
async def test_nothing_waits_for_the_collector(kind: Callable[[Address], Awaitable[None]], address: Address) -> None:
    async with deadline(_WAIT_UNITS):
        await kind(address)  # fills caches
        await other_tasks_blocked()
        with _garbage() as found:
            await kind(address)
            await other_tasks_blocked()
    assert found == {}
