"""GraphQL over SSE, distinct connections: each test quotes the sentence of graphql-sse's PROTOCOL.md that it proves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import urlencode

import anyio.lowlevel
import orjson
import pytest

from tests.kit.deadline import deadline
from tests.kit.graphql_stream import GraphqlStream, open_graphql_stream
from tests.kit.live_server import LiveServer, live_server
from tests.kit.publishing import Publisher
from tests.kit.raw_http import Address, Answer, Connection, connect, exchange
from tests.kit.sse_reader import StreamEnded
from tests.live.boards import BOARD, make_boards

_EVENTS = """subscription ($id: ID!) { boardEvents(boardId: $id) {
    __typename ... on State { cursor } ... on AgentRegistered { label cursor } ... on Goodbye { reason } } }"""
_BOARD = {"id": BOARD}
_NAME = "{ __typename }"
_DATA = {"data": {"__typename": "Query"}}
_DELETE = 'mutation ($id: ID!) { deleteCard(boardId: "board-1", input: { cardId: $id }) { __typename } }'
_SSE = "text/event-stream"


@pytest.fixture(autouse=True)
def no_fault_is_logged(clean_log: None) -> None:
    """Fail if a fault was logged: no client may cause one."""


async def _opened(stream: GraphqlStream) -> None:
    """Read the first events of `boardEvents`."""
    for name in ("Hello", "State"):
        assert (await stream.result())["data"]["boardEvents"]["__typename"] == name


async def _ask(address: Address, method: str, target: str, body: object = None, **headers: str) -> Answer:
    sent = None if body is None else body if isinstance(body, bytes) else orjson.dumps(body)
    named = [("Accept", _SSE), *((name.replace("_", "-"), value) for name, value in headers.items())]
    async with deadline(10):
        return await exchange(address, method, target, sent, named)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_query_is_one_result_then_complete(method: str, standing: LiveServer) -> None:
    """After all results have been emitted, the `complete` event will follow indicating stream completion."""
    async with open_graphql_stream(standing.address, _NAME, method=method) as stream:
        assert stream.response.status == 200
        assert stream.response.header("Content-Type") == _SSE  # "MUST always be `text/event-stream`"
        assert stream.response.header("Cache-Control") == "no-cache"
        assert stream.response.header("X-Accel-Buffering") == "no"
        assert "Accept" in (stream.response.header("Vary") or "")
        block = await stream.block()
        assert (block.json(), block.id, block.retry) == (_DATA, None, None)
        await stream.completed()


async def test_complete_has_an_empty_field_of_data(standing: LiveServer) -> None:
    """If the field is omitted, the complete event won't trigger the listener."""
    async with open_graphql_stream(standing.address, _NAME) as stream:
        assert await stream.reader.block() == 'event: next\ndata: {"data":{"__typename":"Query"}}\n\n'
        assert await stream.reader.block() == "event: complete\ndata: \n\n"


async def test_mutation_by_post_is_carried_out(boards: LiveServer) -> None:
    async with open_graphql_stream(boards.address, _DELETE, {"id": "free"}) as stream:
        assert set(await stream.result()) == {"data"}
        await stream.completed()
    answer: Any = (await exchange(boards.address, "GET", "/api/v1/projects/board-1/board")).json()
    assert "free" not in answer["state"]["cards"]


async def test_mutation_by_get_is_405_and_changes_nothing(unchanged: LiveServer) -> None:
    async with open_graphql_stream(unchanged.address, _DELETE, {"id": "free"}, "GET") as stream:
        assert (stream.response.status, stream.response.header("Allow")) == (405, "POST")
        assert stream.response.header("Content-Type") == "application/problem+json"


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_subscription_shows_events_with_their_cursors(method: str, boards: LiveServer) -> None:
    async with open_graphql_stream(boards.address, _EVENTS, _BOARD, method) as stream:
        hello, state = await stream.block(), await stream.block()
        assert (hello.json()["data"], hello.id) == ({"boardEvents": {"__typename": "Hello"}}, None)
        assert state.id == state.json()["data"]["boardEvents"]["cursor"]
        for label in ("a", "ü\n\nb"):
            await Publisher(boards.address).mark(label)
            received = await stream.block()
            event = received.json()["data"]["boardEvents"]
            assert (event["label"], event["cursor"], received.retry) == (label, received.id, None)


async def test_subscriber_that_comes_back_with_its_last_id_misses_nothing(boards: LiveServer) -> None:
    """An EventSource repeats the last `id` in a header, and the stream continues after that event."""
    async with open_graphql_stream(boards.address, _EVENTS, _BOARD) as stream:
        await _opened(stream)
        await Publisher(boards.address).mark("seen")
        seen = await stream.block()
    await Publisher(boards.address).mark("missed")
    last = [("Last-Event-ID", seen.id or "")]
    async with open_graphql_stream(boards.address, _EVENTS, _BOARD, "GET", last) as stream:
        await Publisher(boards.address).mark("live")
        assert (await stream.result())["data"]["boardEvents"]["__typename"] == "Hello"
        received = [(await stream.block()).json()["data"]["boardEvents"] for _ in range(2)]
    assert [one.get("label", one["__typename"]) for one in received] == ["missed", "live"]


async def test_foreign_id_is_answered_with_the_current_state(boards: LiveServer) -> None:
    async with open_graphql_stream(boards.address, _EVENTS, _BOARD, "GET", [("Last-Event-ID", "nowhere")]) as stream:
        received = [(await stream.result())["data"]["boardEvents"]["__typename"] for _ in range(3)]
    assert received == ["Hello", "Gap", "State"]


async def test_board_that_is_deleted_completes_the_stream(boards: LiveServer) -> None:
    async with open_graphql_stream(boards.address, _EVENTS, _BOARD) as stream:
        await _opened(stream)
        assert (await exchange(boards.address, "DELETE", f"/api/v1/projects/{BOARD}")).status in {200, 204}
        assert (await stream.result())["data"]["boardEvents"]["__typename"] == "Goodbye"
        await stream.completed()


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("", "OPERATION_NOT_AVAILABLE"),
        ("{ nowhere }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { nowhere }", "GRAPHQL_VALIDATION_FAILED"),
        ("fragment F on Query { __typename }", "OPERATION_NOT_AVAILABLE"),
        ("query ($id: ID!) { board(boardId: $id) { cursor } }", "GRAPHQL_VALIDATION_FAILED"),
        ('subscription { boardEvents(boardId: "nowhere") { __typename } }', "BOARD_NOT_FOUND"),
    ],
    ids=["syntax", "empty", "field", "subscription", "fragment", "variable", "board"],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_graphql_error_goes_through_the_stream(method: str, query: str, code: str, standing: LiveServer) -> None:
    """MUST report errors through an accepted SSE connection by emitting `next` events that contain the errors."""
    async with open_graphql_stream(standing.address, query, method=method) as stream:
        assert stream.response.status == 200
        result = await stream.result()
        assert [error["extensions"]["code"] for error in result.pop("errors")] == [code]
        assert result == {}
        await stream.completed()


@pytest.mark.parametrize("query", ["{ a }" * 6000, "{ a " * 2000], ids=["long", "deep"])
async def test_monstrous_document_goes_through_the_stream(query: str, standing: LiveServer) -> None:
    async with open_graphql_stream(standing.address, query) as stream:
        result = await stream.result()
        assert [error["extensions"]["code"] for error in result["errors"]] == ["GRAPHQL_PARSE_FAILED"]
        await stream.completed()


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        ([], "application/json", 400),
        ({}, "application/json", 400),
        ({"query": 1}, "application/json", 400),
        ({"query": _NAME, "variables": []}, "application/json", 400),
        ({"query": _NAME}, "text/plain", 415),
        ({"query": _NAME}, "application/json; charset=latin-1", 415),
        ({"query": "x" * 1024 * 1024}, "application/json", 413),
    ],
    ids=["json", "list", "nothing", "number", "variables", "text", "encoding", "large"],
)
async def test_malformed_post_is_refused_before_the_stream(
    body: object, content_type: str, status: int, standing: LiveServer
) -> None:
    """Operation requests need to conform to the GraphQL over HTTP spec."""
    answer = await _ask(standing.address, "POST", "/graphql", body, Content_Type=content_type)
    assert (answer.status, answer.header("Content-Type")) == (status, "application/problem+json")


async def test_malformed_get_is_refused_before_the_stream(standing: LiveServer) -> None:
    for parameters in ({}, {"query": _NAME, "variables": "["}):
        answer = await _ask(standing.address, "GET", f"/graphql?{urlencode(parameters)}")
        assert (answer.status, answer.header("Content-Type")) == (400, "application/problem+json")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "HEAD"])
async def test_other_method_is_405(method: str, standing: LiveServer) -> None:
    assert (await _ask(standing.address, method, "/graphql")).status == 405


@pytest.mark.parametrize(
    ("accept", "is_stream"),
    [
        (_SSE, True),
        ("text/*", True),
        ("text/event-stream, multipart/mixed", True),
        ("application/json;q=0.5, text/event-stream", True),
        ("text/event-stream, application/json", True),
        ("application/json, text/event-stream", False),
        ("*/*, text/event-stream;q=0.9", False),
        ("text/html, text/event-stream;q=0.1", True),
    ],
)
async def test_stream_is_for_who_wants_it_most(accept: str, is_stream: bool, standing: LiveServer) -> None:
    """The server should agree with the client's `Accept` header when deciding about the response's `Content-Type`."""
    async with deadline(10):
        answer = await exchange(
            standing.address, "POST", "/graphql", orjson.dumps({"query": _NAME}), [("Accept", accept)]
        )
    assert (answer.header("Content-Type") == _SSE) is is_stream


async def test_silence_is_filled_with_comments() -> None:
    async with live_server(heartbeat_seconds=0.1) as live:
        await make_boards(live.address)
        async with open_graphql_stream(live.address, _EVENTS, _BOARD) as stream:
            await _opened(stream)
            for _ in range(3):
                assert await stream.reader.block() == ":\n\n"


async def test_server_that_stops_says_when_to_come_back_and_completes_nothing() -> None:
    async with AsyncExitStack() as stack:
        async with live_server() as live:
            await make_boards(live.address)
            stream = await stack.enter_async_context(open_graphql_stream(live.address, _EVENTS, _BOARD))
            await _opened(stream)
        assert (await stream.result())["data"]["boardEvents"]["__typename"] == "Goodbye"
        hint = await stream.any_block()
        assert (hint.event, hint.data, int(hint.retry or 0) > 0) == (None, None, True)
        with pytest.raises(StreamEnded):
            await stream.any_block()


async def _close(connection: Connection) -> None:
    await connection.aclose()


async def _reset(connection: Connection) -> None:
    await connection.reset()


_LEAVING: dict[str, Callable[[Connection], Awaitable[None]]] = {"close": _close, "reset": _reset}


@pytest.mark.parametrize("leaving", _LEAVING)
async def test_client_that_leaves_ends_its_operation_without_an_event(leaving: str, boards: LiveServer) -> None:
    """Streaming operations are terminated/completed by having the client simply close the SSE connection."""
    hub = boards.node.hub
    before = hub.statistics().left
    async with open_graphql_stream(boards.address, _EVENTS, _BOARD) as stream:
        await _opened(stream)
        assert hub.statistics().subscribers == 1
        await _LEAVING[leaving](stream.reader.connection)
        async with deadline(10):
            await boards.node.lifetimes.vacated()
    assert (hub.statistics().subscribers, hub.statistics().left) == (0, before + 1)


async def test_next_event_after_one_of_two_left_finds_one_subscriber(boards: LiveServer) -> None:
    hub = boards.node.hub
    async with open_graphql_stream(boards.address, _EVENTS, _BOARD) as staying:
        await _opened(staying)
        async with open_graphql_stream(boards.address, _EVENTS, _BOARD) as leaving:
            await _opened(leaving)
        await Publisher(boards.address).mark("afterwards")
        # A closed connection looks as if the client could still read, until the server sends something.
        async with deadline(10):
            while hub.statistics().subscribers > 1:
                await anyio.lowlevel.checkpoint()
        assert (await staying.result())["data"]["boardEvents"]["label"] == "afterwards"


async def test_slow_subscriber_learns_that_it_was(clean_log: None) -> None:
    async with live_server(max_queued_envelopes=8, slow_policies="disconnect") as live:
        await make_boards(live.address)
        async with open_graphql_stream(live.address, _EVENTS, _BOARD) as stream:
            await _opened(stream)
            agents = [{"name": "agent.registered", "payload": {"agent": "A", "label": "x"}}] * 9
            await Publisher(live.address).publish(*agents)
            assert (await stream.result())["data"]["boardEvents"]["__typename"] == "Goodbye"
            end = await stream.result()
            assert [error["extensions"]["code"] for error in end["errors"]] == ["SLOW_CONSUMER"]
            await stream.completed()


async def test_connection_serves_more_after_a_stream_has_ended(standing: LiveServer) -> None:
    request = (
        b"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: %b\r\nContent-Type: application/json\r\n" % _SSE.encode()
    )
    body = orjson.dumps({"query": _NAME})
    async with connect(standing.address) as connection, deadline(10):
        for _ in range(2):
            await connection.send(request + b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
            head = await connection.read_head()
            assert b"event: complete" in await connection.read_body(head)
