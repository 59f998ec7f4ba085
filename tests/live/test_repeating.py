"""Repeating a request (docs/protocol.md, "Repeating") at every entry of a real server, and after a restart."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pytest

from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer, live_server
from tests.kit.publishing import Publisher, event
from tests.kit.raw_http import Address, Answer, exchange
from tests.kit.raw_socket import RawSocket, open_socket
from tests.live.boards import BOARD, DOING, TODO, everything, make_boards
from tests.live.command import running
from tests.live.graphql.client import open_client, subscribe_message

_WAIT_UNITS = 20
_CARDS = f"/api/v1/boards/{BOARD}/cards"
_CARD: dict[str, Any] = {"columnId": TODO, "title": "New"}
_ATTEMPT = {"attemptId": "a1", "boardId": BOARD, "cardId": "free", "agent": "CODEX"}
_CREATE = """mutation ($input: CreateCardInput!) {
  createCard(boardId: "board-1", input: $input) {
    __typename
    ... on CreateCardPayload { cursor card { title } state { cursor } }
    ... on Refusal { code message }
  }
}"""


class Call(NamedTuple):
    """A writing call of REST, and the body of another request to the same address."""

    method: str
    target: str
    body: dict[str, Any] | None
    other: dict[str, Any] | None = None


_CALLS = {
    "create-card": Call("POST", _CARDS, _CARD, {**_CARD, "title": "Other"}),
    "update-card": Call("PATCH", f"{_CARDS}/free", {"title": "New"}, {"title": "Other"}),
    "move-card": Call("PATCH", f"{_CARDS}/free", {"columnId": DOING, "index": 0}, {"columnId": DOING, "index": 1}),
    "change-nothing": Call("PATCH", f"{_CARDS}/free", {"title": "Title of free"}, {"title": "Other"}),
    "delete-card": Call("DELETE", f"{_CARDS}/waiting", None),
    "create-project": Call(
        "POST",
        "/api/v1/projects",
        {"name": "P", "repositoryPath": "/r"},
        {"name": "Q", "repositoryPath": "/r"},
    ),
    "update-project": Call("PATCH", f"/api/v1/projects/{BOARD}", {"name": "New"}, {"name": "Other"}),
    "delete-project": Call("DELETE", f"/api/v1/projects/{BOARD}", None),
    "queue": Call("POST", f"{_CARDS}/free/attempts", {"agent": "CODEX"}, {"agent": "DROID"}),
    "stop": Call("PATCH", f"/api/v1/attempts/a1?boardId={BOARD}", {"status": "stopped"}),
}


async def _call(
    address: Address, method: str, target: str, body: dict[str, Any] | None, key: str = "key-1", token: str = ""
) -> Answer:
    headers = [("Idempotency-Key", key), *([("Authorization", f"Bearer {token}")] if token else [])]
    return await exchange(address, method, target, None if body is None else orjson.dumps(body), headers)


async def _mutate(address: Address, key: str, **more: object) -> Any:
    variables = {"input": {**_CARD, "idempotencyKey": key, **more}}
    body = orjson.dumps({"query": _CREATE, "variables": variables})
    answer: Any = (await exchange(address, "POST", "/graphql", body)).json()
    assert "errors" not in answer, answer
    return answer["data"]["createCard"]


@asynccontextmanager
async def _socket(address: Address) -> AsyncIterator[RawSocket]:
    async with open_socket(address, f"/api/v1/ws?boardId={BOARD}") as socket:
        for _ in range(2):
            await socket.receive_text()
        yield socket


async def _send(socket: RawSocket, key: object, **payload: object) -> None:
    await socket.send_text(orjson.dumps({"type": "create_card", "payload": {**_CARD, **payload}, "key": key}).decode())


async def _next(socket: RawSocket) -> Any:
    return orjson.loads(await socket.receive_text())


@pytest.mark.parametrize("name", _CALLS)
async def test_repeated_call_has_the_first_answer_and_changes_nothing(name: str, boards: LiveServer) -> None:
    method, target, body, _ = _CALLS[name]
    async with deadline(_WAIT_UNITS):
        if name == "stop":
            await Publisher(boards.address).publish(event("attempt.started", _ATTEMPT))
        first = await _call(boards.address, method, target, body)
        assert first.status in {200, 201, 204}, first
        before = await everything(boards.node)
        again = await _call(boards.address, method, target, body)
        assert (again.status, again.body) == (first.status, first.body)
        assert await everything(boards.node) == before


@pytest.mark.parametrize("name", [name for name, call in _CALLS.items() if call.other is not None])
async def test_another_request_under_the_key_is_422(name: str, boards: LiveServer) -> None:
    method, target, body, other = _CALLS[name]
    async with deadline(_WAIT_UNITS):
        await _call(boards.address, method, target, body)
        before = await everything(boards.node)
        refused = await _call(boards.address, method, target, other)
        assert (refused.status, refused.header("content-type")) == (422, "application/problem+json")
        problem: Any = refused.json()
        said = "expected a new idempotency key, or the request that used 'key-1' first; another came"
        assert (problem["detail"], problem["errors"]) == (said, [{"field": "", "message": said}])
        assert await everything(boards.node) == before


@pytest.mark.parametrize(("key", "message"), [("", "got 0"), ("x" * 201, "got 201")])
async def test_bad_key_is_400_and_names_the_header(key: str, message: str, unchanged: LiveServer) -> None:
    async with deadline(_WAIT_UNITS):
        refused = await _call(unchanged.address, "POST", _CARDS, _CARD, key)
    problem: Any = refused.json()
    assert refused.status == 400
    assert problem["errors"][0]["field"] == "Idempotency-Key"
    assert message in problem["errors"][0]["message"]


async def test_refused_request_leaves_its_key_free(boards: LiveServer) -> None:
    async with deadline(_WAIT_UNITS):
        refused = await _call(boards.address, "POST", _CARDS, {**_CARD, "columnId": "unknown"})
        made = await _call(boards.address, "POST", _CARDS, _CARD)
    assert (refused.status, made.status) == (404, 201)


async def test_repeated_command_of_a_socket_makes_no_state(boards: LiveServer) -> None:
    async with _socket(boards.address) as socket, deadline(_WAIT_UNITS):
        await _send(socket, "k")
        assert (await _next(socket))["type"] == "state"
        await _send(socket, "k")
        await _send(socket, "k", title="Other")
        refused = await _next(socket)
        assert (refused["type"], refused["payload"]["command"]) == ("error", "create_card")
        assert refused["payload"]["code"] == "idempotency_key_reused"


@pytest.mark.parametrize("key", ["", "x" * 201, 7, ["k"]])
async def test_bad_key_of_a_socket_is_an_invalid_payload(key: object, unchanged: LiveServer) -> None:
    async with _socket(unchanged.address) as socket, deadline(_WAIT_UNITS):
        await _send(socket, key)
        refused = (await _next(socket))["payload"]
    assert refused["code"] == "invalid_payload"
    assert refused["message"].startswith("key: expected ")


async def test_entries_share_their_keys(boards: LiveServer) -> None:
    async with deadline(_WAIT_UNITS):
        made = await _mutate(boards.address, "ключ")
        assert made["__typename"] == "CreateCardPayload"
        before = await everything(boards.node)
        assert await _mutate(boards.address, "ключ") == made
        posted = await _call(boards.address, "POST", _CARDS, _CARD, "ключ")
        assert posted.status == 201
        async with _socket(boards.address) as socket:
            await _send(socket, "ключ")
            await socket.send_text('{"type":"ping"}')
            assert (await _next(socket))["type"] == "pong"
        assert await everything(boards.node) == before
        refused = await _mutate(boards.address, "ключ", title="Other")
    assert (refused["__typename"], refused["code"]) == ("IdempotencyKeyReused", "IDEMPOTENCY_KEY_REUSED")


async def test_card_gets_the_id_of_its_client_once(boards: LiveServer) -> None:
    async with deadline(_WAIT_UNITS):
        made = [await _mutate(boards.address, key, id="mine") for key in ("k1", "k1", "k2")]
        assert [one["__typename"] for one in made] == ["CreateCardPayload", "CreateCardPayload", "InvalidInput"]
        assert "expected an id that no card of this board has, got 'mine'" in made[2]["message"]
        assert [one["__typename"] for one in [await _mutate(boards.address, "k3", id="x" * 201)]] == ["InvalidInput"]


async def test_event_with_the_id_of_another_one_is_422(boards: LiveServer) -> None:
    line = {"attemptId": "a", "boardId": BOARD, "level": "info", "message": "m"}
    first = {**event("attempt.log.appended", line), "id": "line-1"}
    async with deadline(_WAIT_UNITS):
        await Publisher(boards.address).publish(first)
        before = await everything(boards.node)
        other = {**first, "payload": {**line, "message": "other"}}
        refused = await Publisher(boards.address).try_publish([event("attempt.log.appended", line), other])
        problem: Any = refused.json()
        assert (refused.status, problem["errors"][0]["field"]) == (422, "1.id")
        assert await everything(boards.node) == before


async def test_key_belongs_to_the_token_at_every_entry() -> None:
    one, two = "token-one-0123456789", "token-two-0123456789"
    async with live_server(tokens=f"{one}, {two}") as server, deadline(_WAIT_UNITS):
        project = {"name": "P", "repositoryPath": "/r"}
        made = [await _call(server.address, "POST", "/api/v1/projects", project, token=t) for t in (one, two, one)]
        ids = [answer.json()["id"] for answer in made]  # type: ignore[index]
        assert ids[0] == ids[2] != ids[1]
        mutation = (
            'mutation { createProject(input: {name: "P", repositoryPath: "/r", idempotencyKey: "key-1"})'
            " { ... on CreateProjectPayload { project { name repositoryPath } cursor } } }"
        )
        async with open_client(server.address) as client:
            await client.send({"type": "connection_init", "payload": {"token": one}})
            await client.message()
            await client.send(subscribe_message("1", mutation))
            answer: Any = await client.message()
            assert "errors" not in answer["payload"]
        listed: Any = (await exchange(server.address, "GET", "/api/v1/projects", headers=_bearer(one))).json()
        assert len(listed) == 2


def _bearer(token: str) -> list[tuple[str, str]]:
    return [("Authorization", f"Bearer {token}")]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["stop", "kill-9"])
async def test_key_is_known_after_a_restart(number: signal.Signals, tmp_path: Path) -> None:
    async with running(tmp_path) as server, deadline(_WAIT_UNITS):
        await make_boards(server.address)
        first = await _call(server.address, "POST", _CARDS, _CARD)
        made = await _mutate(server.address, "graphql")
        server.send_signal(number)
        await server.wait()
    async with running(tmp_path) as server, deadline(_WAIT_UNITS):
        again = await _call(server.address, "POST", _CARDS, _CARD)
        assert (again.status, again.body) == (201, first.body)
        assert await _mutate(server.address, "graphql") == made
        other = await _call(server.address, "POST", _CARDS, {**_CARD, "title": "Other"})
        assert other.status == 422
