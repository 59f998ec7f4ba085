"""GraphQL over multipart, as Apollo's clients need it: subscriptions in parts, everything else as one answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import anyio.lowlevel
import pytest

from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer, live_server
from tests.kit.multipart_reader import ACCEPT, MultipartReader, open_multipart
from tests.kit.publishing import Publisher, event
from tests.kit.raw_http import Connection, exchange
from tests.live.boards import BOARD, make_boards

_EVENTS = "subscription ($id: ID!) { boardEvents(boardId: $id) { __typename ... on AgentRegistered { label } } }"
_STATE = "subscription ($id: ID!) { boardState(boardId: $id) { cursor } }"
_BOARD = {"id": BOARD}
_JSON = "application/json; charset=utf-8"


@pytest.fixture(autouse=True)
def no_fault_is_logged(clean_log: None) -> None:
    """Fail if a fault was logged: no client may cause one."""


async def _opened(reader: MultipartReader) -> None:
    """Read the first events of `boardEvents`."""
    for name in ("Hello", "State"):
        assert await reader.part() == {"payload": {"data": {"boardEvents": {"__typename": name}}}}


async def test_subscription_comes_in_parts(boards: LiveServer) -> None:
    async with open_multipart(boards.address, _EVENTS, _BOARD) as reader:
        head = reader.response
        assert head.status == 200
        assert head.header("Content-Type") == "multipart/mixed;boundary=graphql;subscriptionSpec=1.0"
        assert (head.header("Cache-Control"), head.header("X-Accel-Buffering")) == ("no-cache", "no")
        assert "Accept" in (head.header("Vary") or "")
        await _opened(reader)
        for label in ("a", "ü\r\n--graphql--"):
            await Publisher(boards.address).mark(label)
            received = {"__typename": "AgentRegistered", "label": label}
            assert await reader.part() == {"payload": {"data": {"boardEvents": received}}}


@pytest.mark.parametrize("query", ["{ __typename }", "query ($id: ID!) { __typename }", "{", "{ a }", "mutation { a }"])
async def test_all_but_subscriptions_has_one_answer(query: str, standing: LiveServer) -> None:
    async with open_multipart(standing.address, query) as reader:
        assert (reader.response.status, reader.response.header("Content-Type")) == (200, _JSON)
        assert set(reader.response.json()) <= {"data", "errors"}  # type: ignore[call-overload]


async def test_malformed_request_is_refused(standing: LiveServer) -> None:
    answer = await exchange(standing.address, "POST", "/graphql", b"[]", [("Accept", ACCEPT)])
    assert (answer.status, answer.header("Content-Type")) == (400, "application/problem+json")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("subscription { nowhere }", "GRAPHQL_VALIDATION_FAILED"),
        ('subscription { boardEvents(boardId: "nowhere") { __typename } }', "BOARD_NOT_FOUND"),
    ],
)
async def test_subscription_that_cannot_begin_is_one_result(query: str, code: str, standing: LiveServer) -> None:
    async with open_multipart(standing.address, query) as reader:
        part = await reader.part()
        assert [error["extensions"]["code"] for error in part["payload"]["errors"]] == [code]
        await reader.completed()


async def test_subscription_over_plain_json_names_the_ways_to_subscribe(standing: LiveServer) -> None:
    async with open_multipart(standing.address, _EVENTS, _BOARD, [("Accept", "application/json")]) as reader:
        body: Any = reader.response.json()
        message = body["errors"][0]["message"]
        for way in ("WebSocket", "text/event-stream", 'multipart/mixed;subscriptionSpec="1.0"'):
            assert way in message


async def test_board_that_is_deleted_ends_with_the_closing_boundary(boards: LiveServer) -> None:
    async with open_multipart(boards.address, _EVENTS, _BOARD) as reader:
        await _opened(reader)
        await exchange(boards.address, "DELETE", f"/api/v1/projects/{BOARD}")
        assert (await reader.part())["payload"]["data"]["boardEvents"]["__typename"] == "Goodbye"
        await reader.completed()


async def test_subscription_that_breaks_off_has_the_reason_in_errors(boards: LiveServer) -> None:
    async with open_multipart(boards.address, _STATE, _BOARD) as reader:
        assert set(await reader.part()) == {"payload"}
        await exchange(boards.address, "DELETE", f"/api/v1/projects/{BOARD}")
        part = await reader.part()
        assert (part["payload"], part["errors"][0]["extensions"]["code"]) == (None, "BOARD_DELETED")
        await reader.completed()


async def test_silence_is_filled_with_heartbeats() -> None:
    async with live_server(heartbeat_seconds=0.1) as live:
        await make_boards(live.address)
        async with open_multipart(live.address, _EVENTS, _BOARD) as reader:
            await _opened(reader)
            for _ in range(3):
                assert await reader.any_part() == {}
            await Publisher(live.address).mark("afterwards")
            assert (await reader.part())["payload"]["data"]["boardEvents"]["label"] == "afterwards"


async def test_server_that_stops_says_so_and_closes() -> None:
    async with AsyncExitStack() as stack:
        async with live_server() as live:
            await make_boards(live.address)
            reader = await stack.enter_async_context(open_multipart(live.address, _EVENTS, _BOARD))
            await _opened(reader)
        assert (await reader.part())["payload"]["data"]["boardEvents"]["__typename"] == "Goodbye"
        part = await reader.part()
        assert (part["payload"], part["errors"][0]["extensions"]["code"]) == (None, "SERVER_SHUTDOWN")
        await reader.completed()


async def test_slow_subscriber_learns_that_it_was() -> None:
    async with live_server(max_queued_envelopes=8, slow_policies="disconnect") as live:
        await make_boards(live.address)
        async with open_multipart(live.address, _EVENTS, _BOARD) as reader:
            await _opened(reader)
            await Publisher(live.address).publish(*[event("agent.registered", {"agent": "A", "label": "x"})] * 9)
            assert (await reader.part())["payload"]["data"]["boardEvents"]["__typename"] == "Goodbye"
            part = await reader.part()
            assert (part["payload"], part["errors"][0]["extensions"]["code"]) == (None, "SLOW_CONSUMER")
            await reader.completed()


async def _close(connection: Connection) -> None:
    await connection.aclose()


async def _reset(connection: Connection) -> None:
    await connection.reset()


_LEAVING: dict[str, Callable[[Connection], Awaitable[None]]] = {"close": _close, "reset": _reset}


@pytest.mark.parametrize("leaving", _LEAVING)
async def test_client_that_leaves_ends_its_operation_without_an_event(leaving: str, boards: LiveServer) -> None:
    hub = boards.node.hub
    before = hub.statistics().left
    async with open_multipart(boards.address, _EVENTS, _BOARD) as reader:
        await _opened(reader)
        assert hub.statistics().subscribers == 1
        await _LEAVING[leaving](reader.connection)
        async with deadline(10):
            await boards.node.lifetimes.vacated()
    assert (hub.statistics().subscribers, hub.statistics().left) == (0, before + 1)


async def test_next_event_after_one_of_two_left_finds_one_subscriber(boards: LiveServer) -> None:
    hub = boards.node.hub
    async with open_multipart(boards.address, _EVENTS, _BOARD) as staying:
        await _opened(staying)
        async with open_multipart(boards.address, _EVENTS, _BOARD) as leaving:
            await _opened(leaving)
        await Publisher(boards.address).mark("afterwards")
        # A closed connection looks as if the client could still read, until the server sends something.
        async with deadline(10):
            while hub.statistics().subscribers > 1:
                await anyio.lowlevel.checkpoint()
        assert (await staying.part())["payload"]["data"]["boardEvents"]["label"] == "afterwards"
