"""Limits (docs/protocol.md) on every transport: a refused request changes nothing.

The refusal is 429 with `Retry-After`, `error rate_limited` or `RATE_LIMITED`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import orjson
import pytest

from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer, live_server
from tests.kit.publishing import Publisher, event
from tests.kit.raw_http import Answer, exchange
from tests.kit.raw_socket import open_socket
from tests.live.boards import BOARD, OTHER, TODO, everything, make_boards
from tests.live.graphql.client import open_client

pytestmark = pytest.mark.usefixtures("clean_log")

_CREATE_CARD = (
    "mutation ($id: ID!, $input: CreateCardInput!) { createCard(boardId: $id, input: $input) { __typename } }"
)
_CREATE_PROJECT = "mutation ($input: CreateProjectInput!) { createProject(input: $input) { __typename } }"
_PUBLISH = "mutation ($events: [EventInput!]!) { publishEvents(events: $events) { __typename } }"


@pytest.fixture(scope="module")
async def full() -> AsyncIterator[LiveServer]:
    """Run a server that contains as much as it may."""
    async with live_server(max_boards=2, max_agents=1, max_cards_per_board=3, max_board_bytes=4000) as server:
        await make_boards(server.address)
        await Publisher(server.address).mark("the only agent")
        yield server


async def _rest(live: LiveServer, method: str, target: str, body: object) -> Answer:
    async with deadline(10):
        return await exchange(live.address, method, f"/api/v1{target}", orjson.dumps(body))


async def _graphql(live: LiveServer, query: str, **variables: object) -> dict[str, Any]:
    async with deadline(10):
        body = orjson.dumps({"query": query, "variables": variables})
        answer = await exchange(live.address, "POST", "/graphql", body)
        parsed: dict[str, Any] = orjson.loads(answer.body)
        return parsed


async def _command(live: LiveServer, name: str, **payload: object) -> dict[str, Any]:
    """Send a command on a raw socket, and return its `error`."""
    async with deadline(10), open_socket(live.address, f"/api/v1/ws?boardId={BOARD}") as socket:
        await socket.send_json({"type": name, "payload": payload})
        while True:
            message: dict[str, Any] = orjson.loads(await socket.receive_text())
            if message["type"] == "error":
                return message["payload"]  # type: ignore[no-any-return]


def _check_429(answer: Answer) -> dict[str, Any]:
    assert (answer.status, answer.header("Content-Type")) == (429, "application/problem+json"), answer
    assert int(answer.header("Retry-After") or 0) >= 1
    problem: dict[str, Any] = orjson.loads(answer.body)
    return problem


def _check_limited(result: dict[str, Any]) -> None:
    (error,) = result["errors"]
    assert error["extensions"]["code"] == "RATE_LIMITED", error
    assert error["extensions"]["retryAfterSeconds"] >= 1


_STATE = {
    "columns": {"x": {"id": "x", "title": "X", "cardIds": ["a", "b", "c", "d"]}},
    "columnOrder": ["x"],
    "cards": {id: {"id": id, "title": "t"} for id in "abcd"},
}
_LARGE = {
    "columns": {"x": {"id": "x", "title": "X", "cardIds": ["a"]}},
    "columnOrder": ["x"],
    "cards": {"a": {"id": "a", "title": "t", "description": "d" * 5000}},
}
_CARD = {"columnId": TODO, "title": "one too many"}
_PROJECT = {"name": "One too many", "repositoryPath": "/r"}
_MADE = event("project.created", {"projectId": "p", "name": "n", "repositoryPath": "/r"})
_AGENT = event("agent.registered", {"agent": "ONE TOO MANY"})


async def _of_rest(live: LiveServer) -> None:
    assert "at most 3 cards" in _check_429(await _rest(live, "POST", f"/boards/{BOARD}/cards", _CARD))["detail"]
    assert "at most 3 cards" in _check_429(await _rest(live, "POST", f"/projects/{BOARD}/board/cards", _CARD))["detail"]
    long = {"description": "d" * 5000}
    assert "at most 4000 bytes" in _check_429(await _rest(live, "PATCH", f"/boards/{BOARD}/cards/free", long))["detail"]
    assert "at most 2 boards" in _check_429(await _rest(live, "POST", "/projects", _PROJECT))["detail"]


async def _of_sockets(live: LiveServer) -> None:
    refused = await _command(live, "create_card", **_CARD)
    assert (refused["command"], refused["code"]) == ("create_card", "rate_limited")
    refused = await _command(live, "update_card", cardId="free", description="d" * 5000)
    assert (refused["command"], refused["code"]) == ("update_card", "rate_limited")
    assert "at most 4000 bytes" in refused["message"]


async def _of_graphql(live: LiveServer) -> None:
    _check_limited(await _graphql(live, _CREATE_CARD, id=BOARD, input=_CARD))
    _check_limited(await _graphql(live, _CREATE_PROJECT, input=_PROJECT))
    _check_limited(await _graphql(live, _PUBLISH, events=[_AGENT]))


async def _of_the_ingest(live: LiveServer) -> None:
    known = event("agent.registered", {"agent": "MARKER", "label": "other"})
    for made, said in [
        (_MADE, "at most 2 boards"),
        (_AGENT, "at most 1 agents"),
        (event("board.state.changed", {"boardId": BOARD, "state": _STATE}), "at most 3 cards"),
        (event("board.state.changed", {"boardId": BOARD, "state": _LARGE}), "at most 4000 bytes"),
    ]:
        problem = _check_429(await _rest(live, "POST", "/events", [known, made]))
        assert said in problem["detail"]
        assert [error["field"] for error in problem["errors"]] == ["1.payload"]


@pytest.mark.parametrize(
    "transport", [_of_rest, _of_sockets, _of_graphql, _of_the_ingest], ids=lambda one: one.__name__
)
async def test_full_server_refuses_more_on_every_transport(
    transport: Callable[[LiveServer], Awaitable[None]], full: LiveServer
) -> None:
    before = await everything(full.node)
    await transport(full)
    assert await everything(full.node) == before


async def test_moves_and_smaller_things_go_on(full: LiveServer) -> None:
    move = {"columnId": "col-doing", "index": 0}
    assert (await _rest(full, "PATCH", f"/boards/{BOARD}/cards/free", move)).status == 200
    assert (await _rest(full, "PATCH", f"/boards/{BOARD}/cards/free", {**move, "columnId": TODO})).status == 200
    assert (await _rest(full, "PATCH", f"/projects/{OTHER}", {"name": "Beta"})).status == 200


async def test_client_that_commands_too_often_is_refused_with_a_retry_time() -> None:
    async with live_server(max_commands_per_second=0.01) as live:
        await make_boards(live.address)  # events have their own rate
        move = {"columnId": "col-doing", "index": 0}
        assert (await _rest(live, "PATCH", f"/boards/{BOARD}/cards/free", move)).status == 200
        answer = await _rest(live, "POST", f"/boards/{BOARD}/cards", _CARD)
        assert "commands a second" in _check_429(answer)["detail"]
        assert 1 <= int(answer.header("Retry-After") or 0) <= 100
        assert (await _command(live, "create_card", **_CARD))["code"] == "rate_limited"
        _check_limited(await _graphql(live, _CREATE_CARD, id=BOARD, input=_CARD))
        assert len((await everything(live.node)).boards[BOARD].board.state.cards) == 3  # type: ignore[index]


async def test_client_that_reports_too_much_is_refused_and_another_is_not() -> None:
    tokens = "first-token-0123456789,second-token-0123456789"
    first, second = ([("Authorization", f"Bearer {token}")] for token in tokens.split(","))
    async with live_server(max_events_per_second=1, tokens=tokens) as live:
        batch = orjson.dumps([event("agent.registered", {"agent": f"A{n}"}) for n in range(500)])
        async with deadline(10):
            assert (await exchange(live.address, "POST", "/api/v1/events", batch, first)).status == 202
            for target in ("/api/v1/events", "/api/events"):
                _check_429(await exchange(live.address, "POST", target, batch, first))
            assert (await exchange(live.address, "POST", "/api/v1/events", batch, second)).status == 202


async def test_three_hundred_thousand_wrong_entries_are_a_hundred_and_a_count(full: LiveServer) -> None:
    todos = {"total": 1, "completed": 1, "items": [1] * 300_000}
    wrong = event("attempt.todos.updated", {"attemptId": "a", "boardId": BOARD, "todos": todos})
    answer = await _rest(full, "POST", "/events", wrong)
    assert answer.status == 422
    errors = orjson.loads(answer.body)["errors"]
    assert len(errors) == 101
    assert errors[0]["field"] == "0.payload.todos.items.0"
    assert errors[-1] == {"field": "", "message": "and at least 299,900 more"}
    assert len(answer.body) < 20_000


async def test_many_wrong_dependencies_are_one_mistake(full: LiveServer) -> None:
    answer = await _rest(full, "PATCH", f"/boards/{BOARD}/cards/free", {"dependsOn": [1] * 300_000})
    assert answer.status == 400
    assert [error["field"] for error in orjson.loads(answer.body)["errors"]] == ["dependsOn"]
    refused = await _command(full, "update_card", cardId=["x"] * 100_000, title={str(n): n for n in range(10_000)})
    assert refused["code"] == "invalid_payload"
    assert len(refused["message"]) < 1000


async def test_many_agents_with_long_names_make_no_large_dashboard(boards: LiveServer) -> None:
    async with deadline(60):
        for start in range(0, 1000, 100):
            made = [{"agent": f"A{n}", "label": f"Agent {n:04} " + "x" * 8_000} for n in range(start, start + 100)]
            await Publisher(boards.address).publish(*(event("agent.registered", one) for one in made))
        answer = await exchange(boards.address, "GET", "/api/v1/dashboard")
        overview = orjson.loads(answer.body)
    assert (len(overview["agentStats"]), overview["agentsOmitted"]) == (200, 800)
    assert len(answer.body) < 300_000
    assert {len(one["agentName"]) for one in overview["agentStats"]} == {500}
    result = await _graphql(boards, "{ dashboardOverview { agentStats { agentKey } agentsOmitted } }")
    assert result["data"]["dashboardOverview"]["agentsOmitted"] == 800
    assert len(result["data"]["dashboardOverview"]["agentStats"]) == 200


async def test_wrong_tokens_of_one_address_are_bounded_and_the_right_one_is_let_in() -> None:
    right, wrong = "right-token-0123456789", [("Authorization", "Bearer wrong")]
    async with live_server(max_failed_authentications=1, tokens=right) as live, deadline(20):
        assert (await exchange(live.address, "GET", "/api/v1/projects", headers=wrong)).status == 401
        for payload in ({"token": "wrong"}, {"authorization": "Bearer wrong"}):
            async with open_client(live.address, "graphql-transport-ws") as client:
                await client.send({"type": "connection_init", "payload": payload})
                assert (await client.closed())[0] == 1013
        _check_429(await exchange(live.address, "GET", "/api/v1/projects", headers=wrong))
        _check_429(await exchange(live.address, "GET", "/api/sse?access_token=wrong"))
        _check_429(await exchange(live.address, "POST", "/graphql", b'{"query":"{ __typename }"}', wrong))
        assert (await exchange(live.address, "GET", "/api/v1/projects")).status == 401
        named = [("Authorization", f"Bearer {right}")]
        assert (await exchange(live.address, "GET", "/api/v1/projects", headers=named)).status == 200
