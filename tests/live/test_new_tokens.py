"""New tokens on open WebSockets: a client puts a token in place of an earlier one, and loses nothing."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from pydantic import SecretStr

from realtime.service import Action
from tests.kit.access_tokens import ADMIN, Admin
from tests.kit.deadline import deadline, seconds
from tests.kit.json_web_tokens import SECRET, claims_of, signed
from tests.kit.live_server import LiveServer, live_server
from tests.kit.raw_http import exchange
from tests.kit.raw_socket import CLOSE, PING, RawSocket, open_socket
from tests.kit.token_relay import relay_with_token
from tests.live.boards import BOARD, TODO, make_boards
from tests.live.graphql.client import ACK, OLDER, Client, open_client, subscribe_message

_WAIT_UNITS = 20
_LIFE_UNITS = 1
_SOCKETS = {"board": f"/api/v1/ws?boardId={BOARD}", "dashboard": "/api/v1/ws/dashboard"}
_BOTH = ["read", "dashboard"]
_EVENTS = """subscription ($id: ID!) { boardEvents(boardId: $id) {
    __typename ... on State { state { cards { title } } } ... on Goodbye { reason } } }"""
#: No plan covers `project`: graphql-core executes the events, and reads it for the caller.
_OF_PROJECT = "subscription ($id: ID!) { boardState(boardId: $id) { cards { title } project { name } } }"
_AUTHENTICATE = "mutation ($token: String!) { authenticate(token: $token) { expiresAt } }"
_CREATE = """mutation ($id: ID!, $column: ID!) {
    createCard(boardId: $id, input: {columnId: $column, title: "by GraphQL"}) { __typename } }"""

pytestmark = pytest.mark.usefixtures("clean_log")


@pytest.fixture
async def guarded() -> AsyncIterator[LiveServer]:
    """A server with two boards that takes static secrets, access tokens and JSON Web Tokens."""
    async with live_server(jwt_key=SecretStr(SECRET), tokens=SecretStr(ADMIN), max_failed_authentications=3) as live:
        async with relay_with_token(live.address, ADMIN) as address:
            await make_boards(address)
        yield live


def _token(can: list[str] = _BOTH, **claims: Any) -> str:
    return signed(claims_of(can=can, **claims))


def _soon() -> int:
    """Return the end of a short token, in whole seconds."""
    return int(time.time() + seconds(_LIFE_UNITS) + 1)


def _shown(at: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(at))


class _Raw:
    """A client of a raw WebSocket, which has read the opening."""

    def __init__(self, socket: RawSocket) -> None:
        self.socket = socket

    async def message(self) -> dict[str, Any]:
        while (frame := await self.socket.receive()).opcode == PING:
            pass
        assert frame.opcode != CLOSE, frame.close
        parsed: dict[str, Any] = orjson.loads(frame.text)
        return parsed

    async def until(self, type_: str) -> dict[str, Any]:
        while (message := await self.message())["type"] != type_:
            pass
        return message

    async def ask(self, token: object) -> dict[str, Any]:
        """Send `authenticate` and return its answer; no other message may come before."""
        await self.socket.send_json({"type": "authenticate", "payload": {"token": token}})
        return await self.message()

    async def closed(self) -> tuple[int, str]:
        return (await self.socket.receive()).close


@asynccontextmanager
async def _raw(live: LiveServer, kind: str, token: str, *, is_short: bool = False) -> AsyncIterator[_Raw]:
    """Open a socket and read its opening; a short token has its warning there."""
    target = _SOCKETS[kind] + ("&" if "?" in _SOCKETS[kind] else "?") + f"access_token={token}"
    async with deadline(_WAIT_UNITS), open_socket(live.address, target) as socket:
        client = _Raw(socket)
        await client.until("state" if kind == "board" else "dashboard_overview")
        if is_short:
            await client.until("access")
        yield client


async def _make_card(live: LiveServer, title: str) -> None:
    body = orjson.dumps({"columnId": TODO, "title": title})
    headers = [("Authorization", f"Bearer {ADMIN}")]
    assert (await exchange(live.address, "POST", f"/api/v1/boards/{BOARD}/cards", body, headers)).status == 201


@pytest.mark.parametrize("kind", _SOCKETS)
async def test_raw_socket_lives_as_long_as_its_new_token(kind: str, guarded: LiveServer) -> None:
    first = _soon()
    second = first + 1
    async with _raw(guarded, kind, _token(exp=first), is_short=True) as client:
        answer = await client.ask(_token(exp=second))
        assert answer == {"type": "access", "payload": {"expiresAt": _shown(second)}}
        goodbye = await client.until("goodbye")
        assert goodbye["payload"]["reason"] == "token_expired"
        assert time.time() >= second
        assert await client.closed() == (4401, "Token expired")


async def test_stream_goes_on_without_gap_or_repeat(guarded: LiveServer) -> None:
    async with _raw(guarded, "board", _token()) as client:
        for number in range(5):
            await client.socket.send_json({"type": "authenticate", "payload": {"token": _token()}})
            await _make_card(guarded, f"card {number}")
        seen = 0
        while seen < 5:
            message = await client.message()
            if message["type"] == "state":
                titles = {card["title"] for card in message["payload"]["cards"].values()}
                assert f"card {seen}" in titles
                assert f"card {seen + 1}" not in titles
                seen += 1
            else:
                assert message["type"] == "access"


async def test_commands_act_for_the_new_token(guarded: LiveServer) -> None:
    command = {"type": "create_card", "payload": {"columnId": TODO, "title": "t"}}
    async with _raw(guarded, "board", _token()) as client:
        await client.socket.send_json(command)
        assert (await client.message())["payload"]["code"] == "forbidden"
        assert (await client.ask(_token(["read", "write"])))["type"] == "access"
        await client.socket.send_json(command)
        assert (await client.message())["type"] == "state"
        assert (await client.ask(_token()))["type"] == "access"
        await client.socket.send_json(command)
        assert (await client.message())["payload"]["code"] == "forbidden"


@pytest.mark.parametrize("kind", _SOCKETS)
@pytest.mark.parametrize(
    ("token", "code"),
    [
        ("wrong", "unauthenticated"),
        (_token(exp=1), "unauthenticated"),
        (_token(sub="bo"), "forbidden"),
        (ADMIN, "forbidden"),
        (7, "invalid_payload"),
    ],
    ids=["wrong", "expired", "other-subject", "secret", "number"],
)
async def test_token_that_is_refused_changes_nothing(kind: str, token: object, code: str, guarded: LiveServer) -> None:
    async with _raw(guarded, kind, _token()) as client:
        answer = await client.ask(token)
        assert (answer["type"], answer["payload"]["command"], answer["payload"]["code"]) == (
            "error",
            "authenticate",
            code,
        )
        assert str(token) not in answer["payload"]["message"]
        assert (await client.ask(_token()))["type"] == "access"


@pytest.mark.parametrize("kind", _SOCKETS)
async def test_grants_that_shrink_end_the_raw_stream(kind: str, guarded: LiveServer) -> None:
    async with _raw(guarded, kind, _token()) as client:
        await client.socket.send_json({"type": "authenticate", "payload": {"token": _token(["publish"])}})
        goodbye = await client.until("goodbye")
        assert goodbye["payload"] == {"reason": "forbidden", "reconnectAfterMs": 0}
        assert await client.closed() == (4403, "Forbidden")


async def test_wrong_tokens_and_all_tokens_have_a_limit(guarded: LiveServer) -> None:
    async with _raw(guarded, "board", _token()) as client:
        codes = [(await client.ask("wrong"))["payload"]["code"] for _ in range(5)]
        assert codes == [*["unauthenticated"] * 3, *["rate_limited"] * 2]
        assert [(await client.ask(_token()))["type"] for _ in range(5)] == ["access"] * 5
        refused = await client.ask(_token())
        assert refused["payload"]["code"] == "rate_limited"
        assert "10 tokens a minute" in refused["payload"]["message"]


async def test_wrong_tokens_count_for_the_address_whatever_the_client(guarded: LiveServer) -> None:
    wrong = [("Authorization", "Bearer wrong")]
    async with _raw(guarded, "board", _token()) as ada, _raw(guarded, "board", _token(sub="bo")) as bo:
        for client in (ada, bo):
            assert (await client.ask("wrong"))["payload"]["code"] == "unauthenticated"
        statuses = [(await exchange(guarded.address, "GET", "/api/v1/boards", headers=wrong)).status for _ in range(2)]
        assert statuses == [401, 429]
        assert (await bo.ask("wrong"))["payload"]["code"] == "rate_limited"


async def test_earlier_access_token_may_be_revoked_and_the_new_one_ends_the_stream(guarded: LiveServer) -> None:
    admin = Admin(guarded.address)
    first, second = await admin.make("Ada"), await admin.make("Ada")
    async with _raw(guarded, "board", first.secret) as client:
        assert await client.ask(second.secret) == {"type": "access", "payload": {"expiresAt": None}}
        await admin.revoke(first)
        await _make_card(guarded, "marker")
        assert (await client.message())["type"] == "state"
        await admin.revoke(second)
        assert (await client.until("goodbye"))["payload"]["reason"] == "token_revoked"


async def test_server_without_tokens_takes_every_token() -> None:
    async with live_server() as live:
        await make_boards(live.address)
        async with _raw(live, "board", "x") as client:
            assert await client.ask("y") == {"type": "access", "payload": {"expiresAt": None}}


@asynccontextmanager
async def _graphql(live: LiveServer, token: str, subprotocol: str = "graphql-transport-ws") -> AsyncIterator[Client]:
    async with deadline(_WAIT_UNITS), open_client(live.address, subprotocol) as client:
        await client.send({"type": "connection_init", "payload": {"token": token}})
        await client.expect(ACK)
        yield client


def _start(id: str, query: str, **variables: object) -> dict[str, Any]:
    return subscribe_message(id, query, variables={"id": BOARD, **variables})


async def _opened(client: Client, id: str = "1") -> None:
    await client.send(_start(id, _EVENTS))
    while (await client.message())["payload"]["data"]["boardEvents"]["__typename"] != "State":
        pass


async def _pinged(client: Client, token: str) -> Any:
    await client.send({"type": "ping", "payload": {"token": token}})
    answer = await client.message()
    assert answer["type"] == "pong"
    return answer["payload"]


async def test_ping_with_a_token_keeps_a_graphql_socket_open(guarded: LiveServer) -> None:
    first = _soon()
    async with _graphql(guarded, _token(exp=first)) as client:
        await _opened(client)
        assert (await client.message())["payload"]["data"]["boardEvents"] == {"__typename": "Access"}
        assert await _pinged(client, _token(exp=first + 1)) == {"expiresAt": _shown(first + 1)}
        event = (await client.message())["payload"]["data"]["boardEvents"]
        assert event == {"__typename": "Goodbye", "reason": "TOKEN_EXPIRED"}
        assert time.time() >= first + 1
        assert await client.closed() == (4403, "Token expired")


@pytest.mark.parametrize(
    ("token", "code"),
    [("wrong", "UNAUTHENTICATED"), (_token(exp=1), "UNAUTHENTICATED"), (_token(sub="bo"), "FORBIDDEN")],
    ids=["wrong", "expired", "other-subject"],
)
async def test_ping_with_a_token_that_is_refused(token: str, code: str, guarded: LiveServer) -> None:
    async with _graphql(guarded, _token()) as client:
        refused = await _pinged(client, token)
        assert (refused["code"], refused.keys()) == (code, {"code", "message"})
        await _opened(client)


async def test_ping_before_init_admits_nobody(guarded: LiveServer) -> None:
    async with deadline(_WAIT_UNITS), open_client(guarded.address) as client:
        assert (await _pinged(client, _token()))["code"] == "FORBIDDEN"
        await client.send(_start("1", _EVENTS))
        assert await client.closed() == (4401, "Unauthorized")


@pytest.mark.parametrize("subprotocol", ["graphql-transport-ws", OLDER])
async def test_mutation_puts_a_token_in_place(subprotocol: str, guarded: LiveServer) -> None:
    end = int(time.time()) + 600
    is_older = subprotocol == OLDER
    start, result = ("start", "data") if is_older else ("subscribe", "next")
    async with _graphql(guarded, _token(), subprotocol) as client:
        if is_older:
            await client.expect({"type": "ka"})

        async def ask(id: str, query: str, **variables: object) -> Any:
            await client.send({**_start(id, query, **variables), "type": start})
            answer = await client.message()
            assert answer["type"] == result
            await client.expect({"id": id, "type": "complete"})
            return answer["payload"]

        refused = await ask("1", _CREATE, column=TODO)
        assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"
        wrong = await ask("2", _AUTHENTICATE, token="wrong")
        assert wrong["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}
        taken = await ask("3", _AUTHENTICATE, token=_token(["read", "write"], exp=end))
        assert taken["data"] == {"authenticate": {"expiresAt": _shown(end)}}
        made = await ask("4", _CREATE, column=TODO)
        assert made["data"] == {"createCard": {"__typename": "CreateCardPayload"}}


async def test_second_init_of_the_older_subprotocol_puts_a_token_in_place(guarded: LiveServer) -> None:
    async with _graphql(guarded, _token(), OLDER) as client:
        await client.expect({"type": "ka"})
        for payload in ({}, {"token": _token(["read", "write"])}):
            await client.send({"type": "connection_init", "payload": payload})
            await client.expect(ACK, {"type": "ka"})
        await client.send({**_start("1", _CREATE, column=TODO), "type": "start"})
        assert (await client.message())["payload"] == {"data": {"createCard": {"__typename": "CreateCardPayload"}}}
        await client.expect({"id": "1", "type": "complete"})
        await client.send({"type": "connection_init", "payload": {"token": _token(sub="bo")}})
        await client.expect({"type": "connection_error", "payload": {"message": "Forbidden"}})
        assert await client.closed() == (4403, "Forbidden")


async def test_second_inits_have_the_limit_of_new_tokens(guarded: LiveServer) -> None:
    init = {"type": "connection_init", "payload": {"token": _token()}}
    async with _graphql(guarded, _token(), OLDER) as client:
        await client.expect({"type": "ka"})
        for _ in range(10):
            await client.send(init)
            await client.expect(ACK, {"type": "ka"})
        await client.send(init)
        refused = await client.message()
        assert refused["type"] == "connection_error"
        assert "10 tokens a minute" in refused["payload"]["message"]
        assert (await client.closed())[0] == 1013


async def test_mutation_over_http_is_not_available(guarded: LiveServer) -> None:
    body = orjson.dumps({"query": _AUTHENTICATE, "variables": {"token": _token()}})
    headers = [("Authorization", f"Bearer {_token()}"), ("Content-Type", "application/json")]
    answer = orjson.loads((await exchange(guarded.address, "POST", "/graphql", body, headers)).body)
    assert answer["errors"][0]["extensions"]["code"] == "OPERATION_NOT_AVAILABLE"


@pytest.mark.parametrize("literal", ["eySecret", '["eySecret"]', '{is: "eySecret"}'])
async def test_error_does_not_repeat_a_token_of_a_wrong_type(literal: str, guarded: LiveServer) -> None:
    wrong = f"mutation {{ authenticate(token: {literal}) {{ expiresAt }} }}"
    variables = [["eySecret"], {"is": "eySecret"}]
    async with _graphql(guarded, _token()) as client:
        for query, given in ((wrong, {}), *((_AUTHENTICATE, {"token": value}) for value in variables)):
            await client.send(_start("1", query, **given))
            answer = await client.message()
            assert answer["type"] == "error"
            assert "String cannot represent a non string value" in orjson.dumps(answer).decode()
            assert "eySecret" not in orjson.dumps(answer).decode()


async def test_grants_that_shrink_end_only_their_subscription(guarded: LiveServer) -> None:
    async with _graphql(guarded, _token(list(Action))) as client:
        await client.send(subscribe_message("2", "subscription { dashboardOverview { generatedAt } }"))
        assert (await client.message())["id"] == "2"
        await _opened(client)
        assert "expiresAt" in await _pinged(client, _token(["read"]))
        failed = await client.message()
        assert (failed["id"], failed["type"]) == ("2", "error")
        assert failed["payload"][0]["extensions"] == {"code": "FORBIDDEN"}
        await _make_card(guarded, "marker")
        assert (await client.message())["payload"]["data"]["boardEvents"]["__typename"] == "State"


async def test_subscription_that_is_executed_goes_on_with_other_grants(guarded: LiveServer) -> None:
    async with _graphql(guarded, _token()) as client:
        await client.send(_start("1", _OF_PROJECT))
        before = (await client.message())["payload"]["data"]["boardState"]
        for number, can in enumerate((["read"], _BOTH, ["read", "write"])):
            assert "expiresAt" in await _pinged(client, _token(can))
            await _make_card(guarded, f"card {number}")
            after = (await client.message())["payload"]["data"]["boardState"]
            assert after["project"] == before["project"] is not None
            assert f"card {number}" in {card["title"] for card in after["cards"]}
