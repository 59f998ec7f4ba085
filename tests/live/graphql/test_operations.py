"""graphql-transport-ws, operations: each test quotes the sentence of graphql-ws' PROTOCOL.md that it proves."""

from __future__ import annotations

import pytest

from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer, live_server
from tests.kit.publishing import Publisher
from tests.kit.raw_http import connect
from tests.live.boards import BOARD, make_boards
from tests.live.graphql.client import Client, connected, subscribe_message
from tests.live.leftovers import check_settled, holdings

_EVENTS = "subscription ($id: ID!) { boardEvents(boardId: $id) { __typename ... on AgentRegistered { label } } }"
_TYPENAME = "{ __typename }"
#: Unlike the previous operation, it waits for the store.
_PROJECTS = "{ projects { nodes { id } } }"
_DELETE = 'mutation ($id: ID!) { deleteCard(boardId: "board-1", input: { cardId: $id }) { __typename } }'
#: A query with a field that fails: both bounds and a preset.
_FAILING = '{ dashboardOverview(timeRange: { preset: LAST_7D, from: "2025-01-01T00:00:00Z" }) { __typename } }'


@pytest.fixture(autouse=True)
def no_fault_is_logged(clean_log: None) -> None:
    """Fail if a fault was logged: no client may cause one."""


def _next(id: str, data: object) -> dict[str, object]:
    return {"id": id, "type": "next", "payload": {"data": data}}


def _complete(id: str) -> dict[str, object]:
    return {"id": id, "type": "complete"}


async def _subscribe(client: Client, id: str) -> None:
    """Subscribe to the board and read the first events."""
    await client.send(subscribe_message(id, _EVENTS, variables={"id": BOARD}))
    for name in ("Hello", "State"):
        await client.expect(_next(id, {"boardEvents": {"__typename": name}}))


def _marker(id: str, label: str) -> dict[str, object]:
    return _next(id, {"boardEvents": {"__typename": "AgentRegistered", "label": label}})


async def _error(client: Client, id: str) -> tuple[str, str]:
    """Return code and sentence of the message that ends an operation."""
    message = await client.message()
    assert (message["id"], message["type"], set(message)) == (id, "error", {"id", "type", "payload"})
    (error,) = message["payload"]
    return error["extensions"]["code"], error["message"]


async def test_query_gives_one_result_and_completes(standing: LiveServer) -> None:
    """After all results have been emitted, the `Complete` message will follow indicating stream completion."""
    async with connected(standing.address) as client:
        await client.send(subscribe_message("q", _TYPENAME))
        await client.expect(_next("q", {"__typename": "Query"}), _complete("q"))
        await client.expect_nothing()


async def test_null_parameters_are_as_absent_ones(standing: LiveServer) -> None:
    """`operationName?: string | null`, `variables?: Record<string, unknown> | null`, `extensions?: … | null`."""
    async with connected(standing.address) as client:
        await client.send(subscribe_message("q", _TYPENAME, operationName=None, variables=None, extensions=None))
        await client.expect(_next("q", {"__typename": "Query"}), _complete("q"))
        await client.send(subscribe_message("q", _TYPENAME, extensions={"anything": [1]}, unknown=1))
        await client.expect(_next("q", {"__typename": "Query"}), _complete("q"))


async def test_named_operation_is_the_one_that_runs(standing: LiveServer) -> None:
    async with connected(standing.address) as client:
        document = "query A { __typename } query B { a: __typename }"
        await client.send(subscribe_message("q", document, operationName="B"))
        await client.expect(_next("q", {"a": "Query"}), _complete("q"))


async def test_mutation_is_executed_and_seen_by_the_subscription(boards: LiveServer) -> None:
    """Multiple operations identified with separate IDs can be active at any time and their messages interleaved."""
    async with connected(boards.address) as client:
        await _subscribe(client, "s")
        await client.send(subscribe_message("m", _DELETE, variables={"id": "free"}))
        got = {message["id"] + " " + message["type"]: message for message in [await client.message() for _ in range(3)]}
        assert set(got) == {"s next", "m next", "m complete"}
        assert got["m next"]["payload"] == {"data": {"deleteCard": {"__typename": "DeleteCardPayload"}}}


async def test_id_is_an_opaque_string(standing: LiveServer) -> None:
    async with connected(standing.address) as client:
        for id in (" ", "__proto__", "ü😀", "x" * 10_000, "null", "\x00"):
            await client.send(subscribe_message(id, _TYPENAME))
            await client.expect(_next(id, {"__typename": "Query"}), _complete(id))


async def test_active_id_closes_4409(boards: LiveServer) -> None:
    """Regardless of the operation type: `4409: Subscriber for <unique-operation-id> already exists`."""
    async with connected(boards.address) as client:
        await _subscribe(client, "twice")
        await client.send(subscribe_message("twice", _TYPENAME))
        assert await client.closed() == (4409, "Subscriber for twice already exists")
        assert boards.node.hub.statistics().subscribers == 0


async def test_active_id_of_a_query_closes_4409(standing: LiveServer) -> None:
    async with connected(standing.address) as client:
        await client.send(subscribe_message("q", _PROJECTS), subscribe_message("q", _TYPENAME))
        assert await client.closed() == (4409, "Subscriber for q already exists")


async def test_long_active_id_is_cut_in_the_reason(standing: LiveServer) -> None:
    id = "ü" * 500
    async with connected(standing.address) as client:
        await client.send(subscribe_message(id, _PROJECTS), subscribe_message(id, _TYPENAME))
        code, reason = await client.closed()
        assert (code, reason) == (4409, "Subscriber for " + "ü" * 54)


async def test_completed_id_is_free_at_once(boards: LiveServer) -> None:
    """Once a client completes an operation, it is free to re-use that ID."""
    async with connected(boards.address) as client:
        await _subscribe(client, "s")
        await client.send(_complete("s"), subscribe_message("s", _TYPENAME))
        await client.expect(_next("s", {"__typename": "Query"}), _complete("s"))


async def test_complete_closes_the_generator_before_the_next_message(boards: LiveServer) -> None:
    """The client has stopped listening and wants to complete the subscription."""
    async with connected(boards.address) as client:
        await _subscribe(client, "s")
        assert boards.node.hub.statistics().subscribers == 1
        await client.send(_complete("s"))
        await client.expect_nothing()
        assert boards.node.hub.statistics().subscribers == 0


async def test_nothing_is_sent_of_a_completed_operation(boards: LiveServer) -> None:
    """No further events, relevant to the original subscription, should be sent through."""
    async with connected(boards.address) as client:
        await _subscribe(client, "stopped")
        await _subscribe(client, "other")
        await client.send(_complete("stopped"))
        await client.expect_nothing()
        await Publisher(boards.address).mark("after")
        await client.expect(_marker("other", "after"))
        await client.expect_nothing()


async def test_result_of_a_completed_query_is_not_sent(standing: LiveServer) -> None:
    """Even if the client sent a `Complete` message for a single-result-operation before it resolved."""
    async with connected(standing.address) as client:
        await client.send(subscribe_message("q", _PROJECTS), _complete("q"))
        await client.expect_nothing()


async def test_complete_of_unknown_or_ended_operation_is_ignored(standing: LiveServer) -> None:
    """Both must be prepared to receive (and ignore) messages for operations that they consider already completed."""
    async with connected(standing.address) as client:
        await client.send(subscribe_message("q", _TYPENAME))
        await client.expect(_next("q", {"__typename": "Query"}), _complete("q"))
        await client.send(_complete("q"), _complete("never"), _complete("q"))
        await client.expect_nothing()


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"query": "{"}, "GRAPHQL_PARSE_FAILED"),
        ({"query": "nonsense"}, "GRAPHQL_PARSE_FAILED"),
        ({"query": ""}, "OPERATION_NOT_AVAILABLE"),
        ({"query": "{ nowhere }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "query A { __typename } query B { __typename }"}, "OPERATION_NOT_AVAILABLE"),
        ({"query": "fragment F on Query { __typename }"}, "OPERATION_NOT_AVAILABLE"),
        ({"query": "query A { __typename }", "operationName": "B"}, "OPERATION_NOT_AVAILABLE"),
        ({"query": "query A { __typename }", "operationName": ""}, "OPERATION_NOT_AVAILABLE"),
        ({"query": "query ($id: ID!) { board(boardId: $id) { cursor } }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": _EVENTS, "variables": {"id": {"a": 1}}}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": _EVENTS, "variables": {"id": "no-such-board"}}, "BOARD_NOT_FOUND"),
    ],
    ids=["syntax", "word", "empty", "field", "several", "fragment", "name", "no-name", "variable", "type", "board"],
)
async def test_error_ends_its_operation_alone_and_frees_the_id(
    payload: dict[str, object], code: str, boards: LiveServer
) -> None:
    """This message terminates the operation and no further messages will be sent.

    Execution errors can occur before execution starts, usually due to validation errors, or during it.
    """
    async with connected(boards.address) as client:
        await _subscribe(client, "bystander")
        for _ in range(2):
            await client.send({"id": "bad", "type": "subscribe", "payload": payload})
            assert (await _error(client, "bad"))[0] == code
        await client.send(subscribe_message("bad", _TYPENAME))
        await client.expect(_next("bad", {"__typename": "Query"}), _complete("bad"))
        await Publisher(boards.address).mark("still there")
        await client.expect(_marker("bystander", "still there"))


async def test_unknown_operation_name_is_reported(standing: LiveServer) -> None:
    async with connected(standing.address) as client:
        await client.send(subscribe_message("q", "query A { __typename }", operationName="B"))
        assert await _error(client, "q") == ("OPERATION_NOT_AVAILABLE", 'Unknown operation named "B".')


async def test_error_of_a_field_comes_with_the_result(standing: LiveServer) -> None:
    async with connected(standing.address) as client:
        await client.send(subscribe_message("m", _FAILING))
        message = await client.message()
        assert (message["type"], message["payload"]["data"]) == ("next", None)
        assert message["payload"]["errors"][0]["path"] == ["dashboardOverview"]
        await client.expect(_complete("m"))


async def test_one_operation_too_many_is_refused_until_one_ends() -> None:
    async with live_server(max_operations=2) as live, connected(live.address) as client:
        await make_boards(live.address)
        await _subscribe(client, "1")
        await _subscribe(client, "2")
        await client.send(subscribe_message("3", _TYPENAME))
        code, sentence = await _error(client, "3")
        assert code == "RATE_LIMITED"
        assert sentence == "expected at most 2 operations at a time on one connection, got one more; complete one first"
        await client.send(_complete("1"), subscribe_message("3", _TYPENAME))
        await client.expect(_next("3", {"__typename": "Query"}), _complete("3"))
        await Publisher(live.address).mark("still there")
        await client.expect(_marker("2", "still there"))


async def test_hundred_operations_run_on_one_connection(boards: LiveServer) -> None:
    ids = [str(number) for number in range(100)]
    async with connected(boards.address) as client:
        await client.send(*(subscribe_message(id, _EVENTS, variables={"id": BOARD}) for id in ids))
        begun = [await client.message() for _ in range(2 * len(ids))]
        assert sorted(message["id"] for message in begun) == sorted(ids * 2)
        await Publisher(boards.address).mark("all")
        received = [await client.message() for _ in ids]
        assert sorted(message["id"] for message in received) == sorted(ids)
        await client.send(subscribe_message("one more", _TYPENAME))
        assert (await _error(client, "one more"))[0] == "RATE_LIMITED"


@pytest.mark.parametrize("way", ["close", "vanish", "fault"])
async def test_lost_connection_closes_its_generators(way: str, boards: LiveServer) -> None:
    before = holdings(boards.node)
    async with deadline(10), connect(boards.address), connected(boards.address) as client:
        for id in ("1", "2", "3"):
            await _subscribe(client, id)
        assert (boards.node.hub.statistics().subscribers, boards.node.hub.statistics().left) == (3, 0)
        if way == "close":
            assert await client.socket.close(1000) == (1000, "")
        elif way == "fault":
            await client.socket.send_frame(0x3, b"")  # a reserved opcode: the connection fails
    await check_settled(boards.node, before)  # without a further event
    assert boards.node.hub.statistics().left == 3


async def test_deleted_board_completes_its_subscription(boards: LiveServer) -> None:
    async with connected(boards.address) as client:
        await _subscribe(client, "s")
        query = 'subscription { boardState(boardId: "board-1") { cursor } }'
        await client.send(subscribe_message("state", query))
        assert (await client.message())["type"] == "next"
        publisher = Publisher(boards.address)
        await publisher.publish({"name": "project.deleted", "payload": {"projectId": BOARD}})
        received = [await client.message() for _ in range(3)]
        by_id = {id: [message["type"] for message in received if message["id"] == id] for id in ("s", "state")}
        assert by_id == {"s": ["next", "complete"], "state": ["error"]}
        await client.expect_nothing()
