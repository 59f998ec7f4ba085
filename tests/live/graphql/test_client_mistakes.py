"""A client error is answered as such over every transport of GraphQL, and affects nothing else."""

from __future__ import annotations

import gzip
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest

from tests.kit.deadline import deadline
from tests.kit.graphql_stream import GraphqlStream
from tests.kit.live_server import LiveServer
from tests.kit.multipart_reader import ACCEPT as MULTIPART
from tests.kit.raw_http import Answer, connect, exchange, request_bytes
from tests.kit.raw_socket import TEXT
from tests.kit.recordings import Json
from tests.kit.sse_reader import SseReader
from tests.live.boards import BOARD
from tests.live.graphql.client import INIT, OLDER, connected, open_client, subscribe_message
from tests.live.graphql.refusing import SSE, TRANSPORTS, WITHOUT_STREAM, Transport, refused


@pytest.fixture(autouse=True)
def no_fault_is_logged(clean_log: None) -> None:
    """Fail if a fault was logged: no client may cause one."""


@pytest.fixture(params=list(TRANSPORTS.values()), ids=list(TRANSPORTS))
def transport(request: pytest.FixtureRequest) -> Transport:
    """A transport for one operation that is refused; it returns the response."""
    found: Transport = request.param
    return found


@pytest.mark.parametrize(
    "query", ["{ projects { ...Z } }", "{}", "{ projects {} }", "{...F} fragment F on Query {}", "{ ... { } }"]
)
async def test_document_that_is_none_is_refused(query: str, transport: Transport, standing: LiveServer) -> None:
    code, _ = await refused(transport, standing, {"query": query})
    assert code == "GRAPHQL_VALIDATION_FAILED"


_NESTED = """
subscription ($b: Boolean = true) {
  boardEvents(boardId: "board-1") { ... on AttemptStarted { attempt { id @include(if: $b) } } }
}
"""


@pytest.mark.parametrize(
    ("query", "variables", "argument"),
    [
        ("query ($n: [ID!] = []) { nodes(ids: $n) { id } }", {"n": None}, "ids"),
        ('query ($b: ID = "board-1") { board(boardId: $b) { cursor } }', {"b": None}, "boardId"),
        ("query ($b: Boolean = true) { projects @include(if: $b) { nodes { id } } }", {"b": None}, "if"),
        ('subscription ($b: ID = "board-1") { boardState(boardId: $b) { cursor } }', {"b": None}, "boardId"),
        (_NESTED, {"b": None}, "if"),
    ],
    ids=["list", "board", "include", "stream", "event"],
)
async def test_null_where_none_can_be_names_the_argument(
    query: str, variables: Json, argument: str, transport: Transport, standing: LiveServer
) -> None:
    if transport in WITHOUT_STREAM and query.lstrip().startswith("subscription"):
        return  # it has no single answer
    code, message = await refused(transport, standing, {"query": query, "variables": variables})
    assert code == "GRAPHQL_VALIDATION_FAILED"
    assert message.startswith(f"Argument '{argument}' has invalid value")


@pytest.mark.parametrize(
    "asked",
    [
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}},
        {"query": "", "extensions": {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}},
        {"documentId": "sha256:abc"},
    ],
    ids=["apollo", "empty query", "trusted document"],
)
async def test_persisted_query_is_refused_as_apollo_expects(
    asked: Json, transport: Transport, standing: LiveServer
) -> None:
    found = await refused(transport, standing, asked)
    assert found == ("PERSISTED_QUERY_NOT_SUPPORTED", "PersistedQueryNotSupported")


async def test_long_name_of_an_operation_is_not_repeated(transport: Transport, standing: LiveServer) -> None:
    asked = {"query": "{ __typename }", "operationName": "x" * 30_000}
    fault = "operationName: expected at most 1000 characters, got 30000"
    assert await refused(transport, standing, asked) == ("OPERATION_NOT_AVAILABLE", fault)


async def test_query_with_a_persisted_hash_is_executed(standing: LiveServer) -> None:
    sent = {"query": "{ __typename }", "extensions": {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}}
    answer = await exchange(standing.address, "POST", "/graphql", orjson.dumps(sent))
    assert answer.json() == {"data": {"__typename": "Query"}}


async def test_operation_that_costs_too_much_is_refused(transport: Transport, standing: LiveServer) -> None:
    lines = "logs(first: 500) { nodes { message } }"
    query = f"query ($id: ID!) {{ board(boardId: $id) {{ cards {{ attempts {{ nodes {{ {lines} }} }} }} }} }}"
    code, message = await refused(transport, standing, {"query": query, "variables": {"id": BOARD}})
    assert code == "COST_EXCEEDED"
    assert message.startswith("expected an operation that costs at most 50000, got one of 2008402")


_BAD_TEXTS = {
    "high half": '"\\ud800"',
    "low half": '"x\\udc00y"',
    "inside": '{"a":[{"b\\ud800":1}]}',
    "number": "1e999",
    "deep": "[" * 2000 + "]" * 2000,
}


@pytest.mark.parametrize("text", _BAD_TEXTS.values(), ids=_BAD_TEXTS.keys())
@pytest.mark.parametrize("place", ["variables", "query", "operationName", "extensions"])
async def test_text_that_cannot_be_taken_ends_its_operation_alone(text: str, place: str, standing: LiveServer) -> None:
    if place in ("query", "operationName") and not text.startswith('"'):
        return
    parts = {"query": '"{ __typename }"', place: f'{{"v":{text}}}' if place in ("variables", "extensions") else text}
    payload = ",".join(f'"{name}":{value}' for name, value in parts.items())
    events = "subscription ($id: ID!) { boardEvents(boardId: $id) { __typename } }"
    async with connected(standing.address) as client:
        await client.send(subscribe_message("lives", events, variables={"id": BOARD}))
        assert [(await client.message())["id"] for _ in range(2)] == ["lives", "lives"]
        await client.socket.send_frame(TEXT, f'{{"id":"bad","type":"subscribe","payload":{{{payload}}}}}'.encode())
        answer = await client.message()
        assert (answer["id"], answer["type"]) == ("bad", "error")
        assert answer["payload"][0]["extensions"] == {"code": "BAD_USER_INPUT"}
        assert "expected" in answer["payload"][0]["message"]
        await client.expect_nothing()
        # The id is free again.
        await client.send(subscribe_message("bad", "{ __typename }"))
        await client.expect(
            {"id": "bad", "type": "next", "payload": {"data": {"__typename": "Query"}}},
            {"id": "bad", "type": "complete"},
        )


async def test_text_that_cannot_be_taken_ends_an_operation_of_the_older_protocol(standing: LiveServer) -> None:
    async with open_client(standing.address, OLDER) as client:
        await client.send(INIT)
        sent = '{"id":"1","type":"start","payload":{"query":"{ __typename }","variables":{"v":"\\ud800"}}}'
        await client.socket.send_frame(TEXT, sent.encode())
        while (answer := await client.message())["type"] in ("connection_ack", "ka"):
            pass
        assert (answer["id"], answer["type"]) == ("1", "error")
        assert answer["payload"]["extensions"] == {"code": "BAD_USER_INPUT"}


async def test_text_that_cannot_be_taken_in_other_messages_closes_nothing(standing: LiveServer) -> None:
    async with open_client(standing.address) as client:
        await client.socket.send_frame(TEXT, b'{"type":"connection_init","payload":{"x":"\\ud800"}}')
        await client.expect({"type": "connection_ack"})
        await client.socket.send_frame(TEXT, b'{"type":"ping","payload":{"x":"\\ud800"}}')
        assert (await client.message())["type"] == "pong"
        await client.socket.send_frame(TEXT, b'{"type":"complete","id":"\\ud800"}')
        assert (await client.closed())[0] == 4400


@pytest.mark.parametrize("text", _BAD_TEXTS.values(), ids=_BAD_TEXTS.keys())
async def test_text_that_cannot_be_taken_is_400_over_http(text: str, standing: LiveServer) -> None:
    body = f'{{"query":"{{ __typename }}","variables":{{"v":{text}}}}}'.encode()
    for accept in ("application/json", SSE, MULTIPART):
        async with deadline(10):
            answer = await exchange(standing.address, "POST", "/graphql", body, [("Accept", accept)])
        assert (answer.status, answer.header("Content-Type")) == (400, "application/problem+json")
    if len(text) < 100:
        parameters = urlencode({"query": "{ __typename }", "variables": f'{{"v":{text}}}'})
        assert (await exchange(standing.address, "GET", f"/graphql?{parameters}")).status == 400


_LEFT_OUT = """
mutation ($u: String, $g: String) {
  publishEvents(events: [
    {
      name: "git.push.completed"
      payload: {
        projectId: "board-1", remote: "origin", branch: "b", ts: "2026-01-02T03:04:05Z"
        o: $u, l: [$u, $g]
      }
    }
  ]) { ... on PublishEventsPayload { accepted { name } } ... on Refusal { message } }
}
"""


async def test_variable_left_out_of_json_is_no_key_and_null_in_a_list(boards: LiveServer) -> None:
    sent = {"query": _LEFT_OUT, "variables": {"g": "given"}}
    answer: Any = (await exchange(boards.address, "POST", "/graphql", orjson.dumps(sent))).json()
    assert answer == {"data": {"publishEvents": {"accepted": [{"name": "git.push.completed"}]}}}
    query = '{ events(boardId: "board-1", first: 1000) { nodes { name payload } } }'
    log: Any = (await exchange(boards.address, "POST", "/graphql", orjson.dumps({"query": query}))).json()
    payload = log["data"]["events"]["nodes"][-1]["payload"]
    assert payload["l"] == [None, "given"]
    assert "o" not in payload


_SUBSCRIPTION = 'subscription { boardEvents(boardId: "board-1") { __typename } }'


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("application/json, text/event-stream", SSE),
        ("application/graphql-response+json, application/json, text/event-stream;q=0.1", SSE),
        ("*/*;q=0.1, text/event-stream;q=0.5", SSE),
        ("application/json;q=0.9, text/*;q=0.1", SSE),
        ("*/*", SSE),
        (
            "application/json, multipart/mixed;subscriptionSpec=1.0",
            "multipart/mixed;boundary=graphql;subscriptionSpec=1.0",
        ),
        (
            "application/json, text/event-stream;q=0.5, multipart/mixed;subscriptionSpec=1.0;q=0.6",
            "multipart/mixed;boundary=graphql;subscriptionSpec=1.0",
        ),
    ],
)
async def test_subscription_streams_to_all_that_take_a_stream(
    accept: str, media_type: str, standing: LiveServer
) -> None:
    async with connect(standing.address) as connection, deadline(10):
        headers = [("Host", "127.0.0.1"), ("Accept", accept), ("Content-Type", "application/json")]
        body = orjson.dumps({"query": _SUBSCRIPTION})
        headers.append(("Content-Length", str(len(body))))
        await connection.send(request_bytes("POST", "/graphql", headers, body))
        head = await connection.read_head()
    assert (head.status, head.header("Content-Type")) == (200, media_type)


@pytest.mark.parametrize("accept", ["application/json", "application/json, text/event-stream;q=0, multipart/mixed"])
async def test_subscription_is_refused_where_no_stream_is_taken(accept: str, standing: LiveServer) -> None:
    body = orjson.dumps({"query": _SUBSCRIPTION})
    answer: Any = (await exchange(standing.address, "POST", "/graphql", body, [("Accept", accept)])).json()
    assert answer["errors"][0]["extensions"]["code"] == "OPERATION_NOT_AVAILABLE"


@pytest.mark.parametrize(
    "target",
    ["/graphql", "/graphql/stream", "/api/v1/events", "/api/v1/projects", f"/api/v1/boards/{BOARD}/cards"],
)
async def test_compressed_body_is_415(target: str, standing: LiveServer) -> None:
    headers = [("Content-Encoding", "gzip")]
    if target.endswith("stream"):
        reserved = await exchange(standing.address, "PUT", target)
        headers.append(("X-GraphQL-Event-Stream-Token", reserved.body.decode()))
    answer = await exchange(standing.address, "POST", target, gzip.compress(b"{}"), headers)
    assert (answer.status, answer.header("Content-Type")) == (415, "application/problem+json")
    assert answer.header("Accept-Encoding") == "identity"


async def test_body_that_is_not_compressed_may_say_so(standing: LiveServer) -> None:
    body = orjson.dumps({"query": "{ __typename }"})
    answer = await exchange(standing.address, "POST", "/graphql", body, [("Content-Encoding", "Identity")])
    assert answer.status == 200


async def _answered(live: LiveServer, method: str, target: str) -> Answer:
    async with deadline(10):
        return await exchange(live.address, method, target)


@pytest.mark.parametrize(
    "target", ["/graphql", "/graphql/stream", "/api/v1/events", "/api/v1/projects", "/metrics", "/"]
)
async def test_allow_names_what_is_answered(target: str, standing: LiveServer) -> None:
    allow = (await _answered(standing, "PROPFIND", target)).header("Allow")
    assert allow is not None
    named = {method.strip() for method in allow.split(",")}
    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        answer = await _answered(standing, method, target)
        assert (answer.status != 405) is (method in named), (method, allow)
        if answer.status == 405:
            assert answer.header("Allow") == allow


async def test_empty_last_event_id_is_none(standing: LiveServer) -> None:
    async with connect(standing.address) as connection, deadline(10):
        headers = [("Host", "127.0.0.1"), ("Accept", SSE), ("Content-Type", "application/json"), ("Last-Event-ID", "")]
        body = orjson.dumps({"query": _SUBSCRIPTION})
        headers.append(("Content-Length", str(len(body))))
        await connection.send(request_bytes("POST", "/graphql", headers, body))
        stream = GraphqlStream(SseReader(connection, await connection.read_head()))
        names = [(await stream.result())["data"]["boardEvents"]["__typename"] for _ in range(2)]
    assert names == ["Hello", "State"]


async def test_empty_last_event_id_of_a_raw_stream_is_none(standing: LiveServer) -> None:
    async with connect(standing.address) as connection, deadline(10):
        headers = [("Host", "127.0.0.1"), ("Last-Event-ID", "")]
        await connection.send(request_bytes("GET", f"/api/v1/sse?boardId={BOARD}", headers))
        reader = SseReader(connection, await connection.read_head())
        assert [(await reader.event())[0] for _ in range(2)] == ["hello", "state"]
