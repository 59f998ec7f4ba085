"""graphql-ws, the older subprotocol: tests quote the sentence of subscriptions-transport-ws' PROTOCOL.md they prove."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.protocol.graphql.ws import GraphqlWs
from server.protocol.graphql.ws_protocol import Admit, Close, Reply
from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer, live_server
from tests.kit.publishing import Publisher
from tests.kit.raw_http import Address
from tests.kit.raw_socket import BINARY, TEXT
from tests.kit.recordings import Json
from tests.live.boards import BOARD, make_boards
from tests.live.graphql.client import ACK, INIT, OLDER, Client, open_client
from tests.live.leftovers import check_settled, holdings

_EVENTS = "subscription ($id: ID!) { boardEvents(boardId: $id) { __typename ... on AgentRegistered { label } } }"
_TYPENAME = "{ __typename }"
#: Unlike the previous operation, it waits for the store.
_PROJECTS = "{ projects { nodes { id } } }"
_DELETE = 'mutation { deleteCard(boardId: "board-1", input: { cardId: "free" }) { __typename } }'
_KA = {"type": "ka"}
_MARKER = {"id": "marker", "type": "marker"}


@pytest.fixture(autouse=True)
def no_fault_is_logged(clean_log: None) -> None:
    """Fail if a fault was logged: no client may cause one."""


@asynccontextmanager
async def _connected(address: Address) -> AsyncIterator[Client]:
    async with open_client(address, OLDER) as client:
        await client.send(INIT)
        await client.expect(ACK, _KA)
        yield client


def _start(id: object, query: object, **payload: object) -> Json:
    return {"id": id, "type": "start", "payload": {"query": query, **payload}}


def _data(id: str, data: object) -> Json:
    return {"id": id, "type": "data", "payload": {"data": data}}


def _complete(id: str) -> Json:
    return {"id": id, "type": "complete"}


def _stop(id: str) -> Json:
    return {"id": id, "type": "stop"}


def _event(id: str, label: str) -> Json:
    return _data(id, {"boardEvents": {"__typename": "AgentRegistered", "label": label}})


def _connection_error(sentence: str) -> Json:
    return {"type": "connection_error", "payload": {"message": sentence}}


async def _subscribe(client: Client, id: str) -> None:
    await client.send(_start(id, _EVENTS, variables={"id": BOARD}))
    for name in ("Hello", "State"):
        await client.expect(_data(id, {"boardEvents": {"__typename": name}}))


async def _expect_nothing(client: Client) -> None:
    """Require that no message is on its way: the answer to an unknown message must come next."""
    await client.send(_MARKER)
    message = await client.message()
    assert (message["id"], message["type"]) == ("marker", "error")


async def test_subscription_starts_and_stops(boards: LiveServer) -> None:
    """When client unsubscribe, the server triggers `onOperationDone` and sends `GQL_COMPLETE` message to the client."""
    async with _connected(boards.address) as client:
        assert client.socket.response.header("Sec-WebSocket-Protocol") == "graphql-ws"
        await _subscribe(client, "1")
        await Publisher(boards.address).mark("live")
        await client.expect(_event("1", "live"))
        await client.send(_stop("1"))
        await client.expect(_complete("1"))
        assert boards.node.hub.statistics().subscribers == 0
        await Publisher(boards.address).mark("after")
        await _expect_nothing(client)


async def test_query_gives_data_and_completes(standing: LiveServer) -> None:
    async with _connected(standing.address) as client:
        await client.send(_start("q", "query A { __typename } query B { b: __typename }", operationName="B"))
        await client.expect(_data("q", {"b": "Query"}), _complete("q"))
        await _expect_nothing(client)


async def test_mutation_is_executed_and_seen_by_the_subscription(boards: LiveServer) -> None:
    async with _connected(boards.address) as client:
        await _subscribe(client, "s")
        await client.send(_start("m", _DELETE))
        got = {f"{one['id']} {one['type']}" for one in [await client.message() for _ in range(3)]}
        assert got == {"s data", "m data", "m complete"}


@pytest.mark.parametrize("payload", [{}, {"payload": None}, {"payload": {"a": 1}}, {"payload": "x"}, {"payload": []}])
async def test_init_with_any_payload_is_acknowledged(payload: Json, standing: LiveServer) -> None:
    """`payload: Object`: optional parameters that the client specifies in `connectionParams`."""
    async with open_client(standing.address, OLDER) as client:
        await client.send({**INIT, **payload})
        await client.expect(ACK, _KA)


async def test_repeated_init_is_acknowledged_again(boards: LiveServer) -> None:
    async with _connected(boards.address) as client:
        await _subscribe(client, "s")
        await client.send(INIT)
        await client.expect(ACK, _KA)
        await Publisher(boards.address).mark("still there")
        await client.expect(_event("s", "still there"))


async def test_keep_alive_comes_periodically_after_the_acknowledgement() -> None:
    """Right after each `GQL_CONNECTION_ACK` processed and then periodically to keep the client connection alive."""
    async with live_server(graphql_ping_seconds=0.1, graphql_init_seconds=0.35) as live:
        async with _connected(live.address) as client:
            for _ in range(3):
                await client.expect(_KA)
        async with open_client(live.address, OLDER) as client:
            # Until the time is over nothing else may come: no keep-alive before the acknowledgement.
            await client.expect(_connection_error("Connection initialisation timeout"))
            assert await client.closed() == (4408, "Connection initialisation timeout")


async def test_start_before_init_is_refused_and_closes(standing: LiveServer) -> None:
    async with open_client(standing.address, OLDER) as client:
        await client.send(_start("1", _TYPENAME))
        await client.expect(_connection_error("Unauthorized"))
        assert await client.closed() == (4401, "Unauthorized")


async def test_terminate_closes_and_ends_the_operations(boards: LiveServer) -> None:
    """It should close the connection and terminate the session using `GQL_CONNECTION_TERMINATE` message."""
    before = holdings(boards.node)
    async with _connected(boards.address) as client:
        await _subscribe(client, "1")
        await client.send({"type": "connection_terminate"})
        assert await client.closed() == (1000, "Terminated")
        assert boards.node.hub.statistics().subscribers == 0
    await check_settled(boards.node, before)


async def test_second_start_takes_the_place_of_the_first(boards: LiveServer) -> None:
    async with _connected(boards.address) as client:
        await _subscribe(client, "s")
        await _subscribe(client, "s")
        assert boards.node.hub.statistics().subscribers == 1
        await Publisher(boards.address).mark("once")
        await client.expect(_event("s", "once"))
        await client.send(_stop("s"))
        await client.expect(_complete("s"))
        await _expect_nothing(client)


async def test_stopped_id_is_free_at_once(boards: LiveServer) -> None:
    async with _connected(boards.address) as client:
        await _subscribe(client, "s")
        await client.send(_stop("s"), _start("s", _TYPENAME))
        await client.expect(_complete("s"), _data("s", {"__typename": "Query"}), _complete("s"))


async def test_stopped_query_completes_without_data(standing: LiveServer) -> None:
    async with _connected(standing.address) as client:
        await client.send(_start("q", _PROJECTS), _stop("q"))
        await client.expect(_complete("q"))
        await _expect_nothing(client)


async def test_stop_of_unknown_or_ended_operation_is_ignored(standing: LiveServer) -> None:
    async with _connected(standing.address) as client:
        await client.send(_start("q", _TYPENAME))
        await client.expect(_data("q", {"__typename": "Query"}), _complete("q"))
        await client.send(_stop("q"), _stop("never"))
        await _expect_nothing(client)


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"query": "{"}, "GRAPHQL_PARSE_FAILED"),
        ({"query": "{ nowhere }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "query A { __typename }", "operationName": "B"}, "OPERATION_NOT_AVAILABLE"),
        ({"query": _EVENTS, "variables": {"id": "no-such-board"}}, "BOARD_NOT_FOUND"),
        ({"query": 7}, None),
        ({}, None),
        (None, None),
        ("{ __typename }", None),
    ],
    ids=["syntax", "field", "name", "board", "number", "no-query", "null", "string"],
)
async def test_error_ends_its_operation_alone_and_frees_the_id(
    payload: object, code: str | None, boards: LiveServer
) -> None:
    """Upon a failing operation, before the GraphQL execution; `payload: Error`."""
    async with _connected(boards.address) as client:
        await _subscribe(client, "bystander")
        for _ in range(2):
            await client.send({"id": "bad", "type": "start", "payload": payload})
            message = await client.message()
            assert (message["id"], message["type"]) == ("bad", "error")
            assert isinstance(message["payload"]["message"], str)
            assert message["payload"].get("extensions", {}).get("code") == code
        await client.send(_start("bad", _TYPENAME))
        await client.expect(_data("bad", {"__typename": "Query"}), _complete("bad"))
        await Publisher(boards.address).mark("still there")
        await client.expect(_event("bystander", "still there"))


async def test_several_errors_come_in_one_message(standing: LiveServer) -> None:
    async with _connected(standing.address) as client:
        await client.send(_start("q", "{ nowhere neither }"))
        payload = (await client.message())["payload"]
        assert payload["message"] == payload["errors"][0]["message"]
        assert [error["message"].split("'")[1] for error in payload["errors"]] == ["nowhere", "neither"]


async def test_one_operation_too_many_is_refused_until_one_stops() -> None:
    async with live_server(max_operations=1) as live, _connected(live.address) as client:
        await make_boards(live.address)
        await _subscribe(client, "1")
        await client.send(_start("2", _TYPENAME))
        message = await client.message()
        assert (message["id"], message["type"]) == ("2", "error")
        assert message["payload"]["extensions"] == {"code": "RATE_LIMITED", "retryAfterSeconds": 1}
        await client.send(_stop("1"), _start("2", _TYPENAME))
        await client.expect(_complete("1"), _data("2", {"__typename": "Query"}), _complete("2"))


_TYPES = "type: expected one of connection_init, start, stop, connection_terminate; got"


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        ([], "expected a JSON object, got a list"),
        (None, "expected a JSON object, got null"),
        ("x", "expected a JSON object, got 'x'"),
        ({}, f"{_TYPES} none"),
        ({"type": {}}, f"{_TYPES} an object"),
        ({"type": "subscribe", "id": 1}, f"{_TYPES} 'subscribe'"),
        (_start(1, _TYPENAME), "start: id: expected a string, got 1"),
        (_start([], _TYPENAME), "start: id: expected a string, got a list"),
        (_start("x" * 10_001, _TYPENAME), "start: id: expected at most 10000 characters, got 10001"),
        ({"type": "start", "payload": {"query": _TYPENAME}}, "start: id: expected a string, got none"),
        ({"type": "stop", "id": None}, "stop: id: expected a string, got null"),
    ],
    ids=repr,
)
async def test_unreadable_message_is_reported_and_ignored(message: object, sentence: str, standing: LiveServer) -> None:
    """In case of a parsing errors of the message (which does not disconnect the client, just ignore the message)."""
    async with _connected(standing.address) as client:
        await client.send(message)
        await client.expect(_connection_error(sentence))
        await _expect_nothing(client)


@pytest.mark.parametrize("data", [b"", b"{", b"NaN", b"[" * 1000, b"\xff"], ids=repr)
async def test_invalid_json_is_reported_and_ignored(data: bytes, standing: LiveServer) -> None:
    async with _connected(standing.address) as client:
        await client.socket.send_frame(TEXT if data.isascii() else BINARY, data)
        message = await client.message()
        assert message["type"] == "connection_error"
        assert message["payload"]["message"].startswith("expected JSON, got something else: ")
        await _expect_nothing(client)


async def test_unknown_type_with_an_id_is_an_error_of_that_id(standing: LiveServer) -> None:
    async with _connected(standing.address) as client:
        await client.send({"type": "subscribe", "id": "1"})
        await client.expect({"id": "1", "type": "error", "payload": {"message": f"{_TYPES} 'subscribe'"}})


@pytest.mark.parametrize("offered", ["graphql-ws, graphql-transport-ws", "soap, graphql-ws"])
async def test_first_known_subprotocol_is_chosen(offered: str, standing: LiveServer) -> None:
    async with open_client(standing.address, offered) as client:
        assert client.socket.response.header("Sec-WebSocket-Protocol") == "graphql-ws"
        await client.send(INIT)
        await client.expect(ACK, _KA)


async def test_turned_off_it_is_no_subprotocol() -> None:
    async with live_server(legacy_graphql_ws=False) as live:
        async with open_client(live.address, OLDER) as client:
            assert client.socket.response.header("Sec-WebSocket-Protocol") is None
            assert await client.closed() == (4406, "Subprotocol not acceptable")
        async with open_client(live.address, "graphql-ws, graphql-transport-ws") as client:
            assert client.socket.response.header("Sec-WebSocket-Protocol") == "graphql-transport-ws"


async def test_deleted_board_completes_its_subscription(boards: LiveServer) -> None:
    async with _connected(boards.address) as client:
        await _subscribe(client, "s")
        await Publisher(boards.address).publish({"name": "project.deleted", "payload": {"projectId": BOARD}})
        await client.expect(_data("s", {"boardEvents": {"__typename": "Goodbye"}}), _complete("s"))
        await _expect_nothing(client)


@pytest.mark.parametrize("way", ["close", "vanish", "fault"])
async def test_lost_connection_closes_its_generators(way: str, boards: LiveServer) -> None:
    before = holdings(boards.node)
    async with deadline(10), _connected(boards.address) as client:
        for id in ("1", "2", "3"):
            await _subscribe(client, id)
        assert (boards.node.hub.statistics().subscribers, boards.node.hub.statistics().left) == (3, 0)
        if way == "close":
            assert await client.socket.close(1000) == (1000, "")
        elif way == "fault":
            await client.socket.send_frame(0x3, b"")  # a reserved opcode: the connection fails
    await check_settled(boards.node, before)  # without a further event
    assert boards.node.hub.statistics().left == 3


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-10, 10) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_KINDS = st.sampled_from(["connection_init", "start", "stop"]) | _JSON
_MESSAGES = _JSON | st.fixed_dictionaries({}, optional={"type": _KINDS, "id": _JSON, "payload": _JSON})


@given(st.lists(_MESSAGES | st.binary(max_size=20), max_size=4))
def test_any_message_gets_steps_of_the_protocol(messages: list[object]) -> None:
    conversation = GraphqlWs(2)
    for message in messages:
        steps = conversation.receive(message if isinstance(message, bytes) else orjson.dumps(message))
        if steps and isinstance(steps[0], Admit):
            steps = conversation.admit()
        for step in steps:
            if isinstance(step, Close):
                assert step.frame.code in {1000, 4401}
                return
            if isinstance(step, Reply):
                assert step.message["type"] in {"connection_ack", "connection_error", "ka", "error", "complete"}
