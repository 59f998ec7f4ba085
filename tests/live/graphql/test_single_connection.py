"""GraphQL over SSE, single connection: graphql-sse's PROTOCOL.md, and the statuses of its reference `handler.ts`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import anyio.lowlevel
import pytest

from server.transports.graphql import reserved as graphql_reserved
from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer, live_server
from tests.kit.publishing import Publisher, event
from tests.kit.raw_http import Connection, connect, exchange
from tests.kit.reserved_stream import ADDRESS, TOKEN, ReservedStream, open_reserved_stream, reserve
from tests.kit.sse_reader import StreamEnded
from tests.live.boards import BOARD, make_boards

_EVENTS = "subscription ($id: ID!) { boardEvents(boardId: $id) { __typename ... on AgentRegistered { label } } }"
_BOARD = {"id": BOARD}
_NAME = "{ __typename }"
_DATA = {"data": {"__typename": "Query"}}
_SSE = "text/event-stream"
_DELETE = 'mutation { deleteCard(boardId: "board-1", input: { cardId: "free" }) { __typename } }'


@pytest.fixture(autouse=True)
def no_fault_is_logged(clean_log: None) -> None:
    """Fail if a fault was logged: no client may cause one."""


def _hello(id: str) -> list[tuple[str, Any]]:
    return [(id, {"data": {"boardEvents": {"__typename": name}}}) for name in ("Hello", "State")]


def _marked(label: str) -> dict[str, Any]:
    return {"data": {"boardEvents": {"__typename": "AgentRegistered", "label": label}}}


async def test_results_of_all_operations_come_on_one_stream(boards: LiveServer) -> None:
    """A single established SSE connection transmits all results from the server."""
    async with open_reserved_stream(boards.address) as reserved:
        head = reserved.stream.response
        assert (head.header("Cache-Control"), head.header("X-Accel-Buffering")) == ("no-cache", "no")
        for id in ("1", "2"):
            answer = await reserved.begin(id, _EVENTS, _BOARD)
            assert (answer.status, answer.body) == (202, b"")
            assert [await reserved.result() for _ in range(2)] == _hello(id)
        assert (await reserved.begin("ü", _NAME)).status == 202
        assert await reserved.result() == ("ü", _DATA)
        await reserved.completed("ü")
        await Publisher(boards.address).mark("both")
        assert sorted([await reserved.result() for _ in range(2)]) == [("1", _marked("both")), ("2", _marked("both"))]


async def test_blocks_carry_id_and_payload(standing: LiveServer) -> None:
    async with open_reserved_stream(standing.address) as reserved:
        await reserved.begin("a", _NAME)
        reader = reserved.stream.reader
        assert await reader.block() == ":\n\n"
        assert await reader.block() == 'event: next\ndata: {"id":"a","payload":{"data":{"__typename":"Query"}}}\n\n'
        assert await reader.block() == 'event: complete\ndata: {"id":"a"}\n\n'


async def test_token_is_taken_from_the_address_too(standing: LiveServer) -> None:
    """Token SHOULD be transmitted through either a header value or a search parameter `token`."""
    reserved = await reserve(standing.address)
    target = f"{ADDRESS}?token={reserved.token}"
    body = b'{"query":"{ __typename }","extensions":{"operationId":"1"}}'
    assert (await exchange(standing.address, "POST", target, body)).status == 202
    async with connect(standing.address) as connection:
        await reserved.open_on(connection)
        assert await reserved.result() == ("1", _DATA)
    assert (await exchange(standing.address, "DELETE", target)).status in {400, 404}


async def test_results_before_the_stream_is_open_wait_for_it(boards: LiveServer) -> None:
    """Streaming to an empty reservation is ok (will be flushed on connect)."""
    reserved = await reserve(boards.address)
    assert (await reserved.begin("1", _EVENTS, _BOARD)).status == 202
    assert (await reserved.begin("2", _DELETE)).status == 202
    await Publisher(boards.address).mark("early")
    async with connect(boards.address) as connection:
        await reserved.open_on(connection)
        received = [await reserved.stream.block() for _ in range(6)]
    results = [block.json() for block in received if block.event == "next"]
    assert [one["payload"] for one in results if one["id"] == "1"][:2] == [payload for _, payload in _hello("1")]
    assert {"id": "1", "payload": _marked("early")} in results
    assert [block.data for block in received if block.event == "complete"] == ['{"id":"2"}']


async def test_only_one_connection_fulfils_a_reservation(standing: LiveServer) -> None:
    """There MUST never be multiple SSE connections behind a single reservation."""
    async with open_reserved_stream(standing.address) as reserved:
        assert (await reserved.ask("GET", Accept=_SSE)).status == 409
        assert (await reserved.ask("PUT")).status == 409
        await reserved.begin("1", _NAME)
        assert await reserved.result() == ("1", _DATA)


@pytest.mark.parametrize("token", [None, "nowhere"])
async def test_unknown_token_is_404(token: str | None, standing: LiveServer) -> None:
    headers = [(TOKEN, token)] if token else []
    for method, accept in (("GET", _SSE), ("GET", "*/*"), ("POST", "*/*"), ("DELETE", "*/*")):
        body = b'{"query":"{ __typename }","extensions":{"operationId":"1"}}' if method == "POST" else None
        answer = await exchange(standing.address, method, ADDRESS, body, [*headers, ("Accept", accept)])
        assert (answer.status, answer.header("Content-Type")) == (404, "application/problem+json")


async def test_unknown_token_of_the_client_is_not_adopted(standing: LiveServer) -> None:
    answer = await exchange(standing.address, "PUT", ADDRESS, headers=[(TOKEN, "mine")])
    assert answer.status == 201
    assert len(answer.body) >= 40


@pytest.mark.parametrize(
    ("method", "accept", "status"),
    [
        ("PUT", "application/json", 406),
        ("PUT", "text/plain", 201),
        ("POST", "text/html", 406),
        ("POST", "application/*", 202),
        ("POST", "application/json", 202),
    ],
)
async def test_accept_is_respected(method: str, accept: str, status: int, standing: LiveServer) -> None:
    reserved = await reserve(standing.address)
    token = reserved.token if method == "POST" else "other"
    body = b'{"query":"{ __typename }","extensions":{"operationId":"1"}}' if method == "POST" else None
    answer = await exchange(standing.address, method, ADDRESS, body, [(TOKEN, token), ("Accept", accept)])
    assert answer.status == status


@pytest.mark.parametrize("method", ["PATCH", "HEAD", "OPTIONS"])
async def test_other_method_is_405(method: str, standing: LiveServer) -> None:
    assert (await exchange(standing.address, method, ADDRESS)).status == 405


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ([], 400),
        ({"query": 1}, 400),
        ({"query": _NAME}, 400),
        ({"query": _NAME, "extensions": {"operationId": ""}}, 400),
        ({"query": _NAME, "extensions": {"operationId": "1"}, "variables": []}, 400),
    ],
    ids=["list", "number", "id", "empty", "variables"],
)
async def test_malformed_operation_is_400(body: object, status: int, standing: LiveServer) -> None:
    async with open_reserved_stream(standing.address) as reserved:
        answer = await reserved.ask("POST", body=body)
        assert (answer.status, answer.header("Content-Type")) == (status, "application/problem+json")
        assert (await reserved.ask("POST", body=body, Content_Type="text/plain")).status == 415


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("", "OPERATION_NOT_AVAILABLE"),
        ("subscription { nowhere }", "GRAPHQL_VALIDATION_FAILED"),
        ("query ($id: ID!) { board(boardId: $id) { cursor } }", "GRAPHQL_VALIDATION_FAILED"),
    ],
    ids=["syntax", "empty", "field", "variable"],
)
async def test_refused_operation_is_400_and_not_on_the_stream(query: str, code: str, standing: LiveServer) -> None:
    """Validation issues and other request problems are handled as documented in the GraphQL over HTTP spec."""
    async with open_reserved_stream(standing.address) as reserved:
        answer = await reserved.begin("1", query)
        body: Any = answer.json()
        assert (answer.status, [error["extensions"]["code"] for error in body["errors"]]) == (400, [code])
        assert (await reserved.begin("1", _NAME)).status == 202  # the id is free again
        assert await reserved.result() == ("1", _DATA)


async def test_mutation_by_get_is_405_and_query_by_get_is_accepted(standing: LiveServer) -> None:
    async with open_reserved_stream(standing.address) as reserved:
        extensions = "extensions=%7B%22operationId%22%3A%221%22%7D"
        assert (await reserved.ask("GET", f"{ADDRESS}?query=mutation%7Ba%7D&{extensions}")).status == 405
        assert (await reserved.ask("GET", f"{ADDRESS}?query=%7B__typename%7D&{extensions}")).status == 202
        assert await reserved.result() == ("1", _DATA)


async def test_fault_of_the_source_goes_through_the_stream(standing: LiveServer) -> None:
    async with open_reserved_stream(standing.address) as reserved:
        assert (await reserved.begin("1", _EVENTS, {"id": "nowhere"})).status == 202
        id, payload = await reserved.result()
        assert (id, payload["errors"][0]["extensions"]["code"]) == ("1", "BOARD_NOT_FOUND")
        await reserved.completed("1")


async def test_id_is_taken_while_its_operation_runs(boards: LiveServer) -> None:
    async with open_reserved_stream(boards.address) as reserved:
        await reserved.begin("1", _EVENTS, _BOARD)
        assert (await reserved.begin("1", _NAME)).status == 409
        assert (await reserved.stop("1")).status == 200
        assert (await reserved.begin("1", _NAME)).status == 202


async def test_operations_on_a_stream_are_bounded() -> None:
    async with live_server(max_operations=2) as live:
        await make_boards(live.address)
        async with open_reserved_stream(live.address) as reserved:
            statuses = [(await reserved.begin(str(id), _EVENTS, _BOARD)).status for id in range(3)]
            assert statuses == [202, 202, 429]


async def test_stopped_operation_is_closed_at_once_and_says_no_more(boards: LiveServer) -> None:
    """A termination/completion mechanism: a `DELETE` encoding the operation ID behind the `operationId` key."""
    hub = boards.node.hub
    async with open_reserved_stream(boards.address) as reserved:
        for id in ("1", "2"):
            await reserved.begin(id, _EVENTS, _BOARD)
            assert [await reserved.result() for _ in range(2)] == _hello(id)
        left = hub.statistics().left
        assert (await reserved.stop("1")).status == 200
        assert (hub.statistics().subscribers, hub.statistics().left) == (1, left + 1)
        await reserved.completed("1")
        await Publisher(boards.address).mark("afterwards")
        assert await reserved.result() == ("2", _marked("afterwards"))


async def test_stop_of_an_unknown_operation_is_200_and_without_id_400(standing: LiveServer) -> None:
    async with open_reserved_stream(standing.address) as reserved:
        assert (await reserved.stop("nowhere")).status == 200
        assert (await reserved.ask("DELETE")).status == 400


async def _close(connection: Connection) -> None:
    await connection.aclose()


async def _reset(connection: Connection) -> None:
    await connection.reset()


_LEAVING: dict[str, Callable[[Connection], Awaitable[None]]] = {"close": _close, "reset": _reset}


@pytest.mark.parametrize("leaving", _LEAVING)
async def test_client_that_leaves_ends_all_its_operations_without_an_event(leaving: str, boards: LiveServer) -> None:
    hub = boards.node.hub
    before = hub.statistics().left
    async with connect(boards.address) as connection:
        reserved = await reserve(boards.address)
        await reserved.open_on(connection)
        for id in ("1", "2"):
            assert (await reserved.begin(id, _EVENTS, _BOARD)).status == 202
        assert hub.statistics().subscribers == 2
        await _LEAVING[leaving](connection)
        async with deadline(10):
            await boards.node.lifetimes.vacated()
    assert (hub.statistics().subscribers, hub.statistics().left) == (0, before + 2)
    assert (await reserved.begin("3", _NAME)).status == 404  # the token is no longer valid


async def test_next_event_after_one_of_two_left_finds_one_subscriber(boards: LiveServer) -> None:
    hub = boards.node.hub
    async with open_reserved_stream(boards.address) as staying:
        await staying.begin("1", _EVENTS, _BOARD)
        async with open_reserved_stream(boards.address) as leaving:
            await leaving.begin("1", _EVENTS, _BOARD)
            assert hub.statistics().subscribers == 2
        await Publisher(boards.address).mark("afterwards")
        assert hub.statistics().subscribers == 1
        assert [await staying.result() for _ in range(3)] == [*_hello("1"), ("1", _marked("afterwards"))]


async def test_reservation_that_nobody_opens_lapses_with_its_operations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphql_reserved, "RESERVATION_SECONDS", 1.5)
    async with live_server() as live:
        await make_boards(live.address)
        async with open_reserved_stream(live.address) as opened:
            await opened.begin("1", _EVENTS, _BOARD)
            left = live.node.hub.statistics().left
            reserved = await reserve(live.address)
            await reserved.begin("1", _EVENTS, _BOARD)
            async with deadline(10):
                while live.node.hub.statistics().left == left:
                    await anyio.lowlevel.checkpoint()
            assert (await reserved.ask("GET", Accept=_SSE)).status == 404
            assert live.node.hub.statistics().subscribers == 1  # an open stream does not expire


async def test_reservations_that_wait_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphql_reserved, "MAX_UNOPENED", 2)
    async with live_server() as live:
        for status in (201, 201, 503):
            assert (await exchange(live.address, "PUT", ADDRESS)).status == status


async def test_reservations_of_one_client_leave_others_theirs() -> None:
    tokens = ("a" * 20, "b" * 20)
    async with live_server(max_reservations=2, tokens=",".join(tokens)) as live:
        for token in tokens:
            headers = [("Authorization", f"Bearer {token}")]
            answers = [await exchange(live.address, "PUT", ADDRESS, headers=headers) for _ in range(5)]
            assert [answer.status for answer in answers] == [201, 201, 429, 429, 429]
            assert answers[-1].header("Retry-After") == "30"
            # A client that opens one may reserve another.
            async with connect(live.address) as connection:
                reserved = ReservedStream(live.address, answers[0].body.decode())
                await reserved.open_on(connection, *headers)
                assert (await exchange(live.address, "PUT", ADDRESS, headers=headers)).status == 201


async def test_results_that_wait_for_streams_of_one_client_are_bounded_together() -> None:
    async with live_server(max_queued_bytes=4096) as live:
        await make_boards(live.address)
        reserved = [await reserve(live.address) for _ in range(12)]
        for one in reserved:
            assert (await one.begin("1", _EVENTS, _BOARD)).status == 202
        for number in range(3):
            await Publisher(live.address).mark("x" * 300 + str(number))
        async with deadline(10):
            while (await reserved[-1].ask("GET", Accept=_SSE)).status != 404:
                pass


async def test_reservation_with_too_much_waiting_is_forgotten() -> None:
    async with live_server(max_queued_envelopes=8) as live:
        await make_boards(live.address)
        reserved = await reserve(live.address)
        assert (await reserved.begin("1", _EVENTS, _BOARD)).status == 202
        for number in range(7):
            await Publisher(live.address).mark(str(number))
        async with deadline(10):
            await live.node.lifetimes.vacated()
        assert (await reserved.ask("GET", Accept=_SSE)).status == 404


async def test_slow_operation_learns_that_it_was() -> None:
    async with live_server(max_queued_envelopes=8, slow_policies="disconnect") as live:
        await make_boards(live.address)
        async with open_reserved_stream(live.address) as reserved:
            await reserved.begin("1", _EVENTS, _BOARD)
            assert [await reserved.result() for _ in range(2)] == _hello("1")
            await Publisher(live.address).publish(*[event("agent.registered", {"agent": "A", "label": "x"})] * 9)
            assert (await reserved.result())[1]["data"]["boardEvents"]["__typename"] == "Goodbye"
            id, payload = await reserved.result()
            assert (id, payload["errors"][0]["extensions"]["code"]) == ("1", "SLOW_CONSUMER")
            await reserved.completed("1")
            await reserved.begin("2", _NAME)
            assert await reserved.result() == ("2", _DATA)


async def test_silence_is_filled_with_comments() -> None:
    async with live_server(heartbeat_seconds=0.1) as live, open_reserved_stream(live.address) as reserved:
        for _ in range(3):
            assert await reserved.stream.reader.block() == ":\n\n"


async def test_server_that_stops_ends_operations_then_streams() -> None:
    async with AsyncExitStack() as stack:
        async with live_server(shutdown_grace_seconds=60) as live:
            await make_boards(live.address)
            reserved, idle, unopened = [await reserve(live.address) for _ in range(3)]
            for opened in (reserved, idle):
                await opened.open_on(await stack.enter_async_context(connect(live.address)))
            for one in (reserved, unopened):
                assert (await one.begin("1", _EVENTS, _BOARD)).status == 202
            assert [await reserved.result() for _ in range(2)] == _hello("1")
        assert (await reserved.result())[1]["data"]["boardEvents"]["__typename"] == "Goodbye"
        hint = await reserved.stream.any_block()
        assert (hint.event, hint.data, int(hint.retry or 0) > 0) == (None, None, True)
        for stream in (reserved.stream, idle.stream):
            with pytest.raises(StreamEnded) as ended:
                await stream.block()
            assert ended.value.args == ("",)


async def test_distinct_connections_are_served_at_the_same_address(standing: LiveServer) -> None:
    """If event stream is not registered, process it directly (`handler.ts`)."""
    for method, target, body in (
        ("GET", f"{ADDRESS}?query=%7B__typename%7D", None),
        ("POST", ADDRESS, b'{"query":"{ __typename }"}'),
    ):
        answer = await exchange(standing.address, method, target, body, [("Accept", _SSE)])
        assert (answer.status, answer.header("Content-Type")) == (200, _SSE)
        assert answer.body == b'event: next\ndata: {"data":{"__typename":"Query"}}\n\nevent: complete\ndata: \n\n'


@pytest.mark.parametrize("method", ["PUT", "DELETE", "POST", "GET"])
async def test_pages_of_welcome_origins_may_use_every_method(method: str, standing: LiveServer) -> None:
    origin = ("Origin", standing.url)
    asked = [("Access-Control-Request-Method", method), ("Access-Control-Request-Headers", TOKEN.lower())]
    answer = await exchange(standing.address, "OPTIONS", ADDRESS, headers=[origin, *asked])
    assert answer.status == 204
    assert method in (answer.header("Access-Control-Allow-Methods") or "").split(",")
    assert answer.header("Access-Control-Allow-Headers") == TOKEN.lower()
    answer = await exchange(standing.address, method, ADDRESS, headers=[origin])
    assert answer.header("Access-Control-Allow-Origin") == standing.url
