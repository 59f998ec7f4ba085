"""The warning that a token expires soon, on every exit: once, 60 s before the end, and to nobody else."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import orjson
import pytest
from pydantic import SecretStr

from realtime.lifetimes.credentials import WARNING_SECONDS
from tests.kit.access_tokens import ADMIN, Admin
from tests.kit.deadline import deadline, seconds
from tests.kit.json_web_tokens import SECRET, claims_of, signed
from tests.kit.live_server import LiveServer, live_server
from tests.kit.publishing import event
from tests.kit.raw_http import connect, exchange
from tests.kit.raw_socket import PING, RawSocket, open_socket
from tests.kit.token_relay import relay_with_token
from tests.live.boards import BOARD, make_boards
from tests.live.exits import EXITS, ExitSubscriber, open_exit
from tests.live.graphql.client import ACK, open_client, subscribe_message

_WAIT_UNITS = 20
_BOTH = ["read", "dashboard"]
#: No plan covers `project`: graphql-core executes the events of all equal subscribers at once.
_EXECUTED = """subscription ($id: ID!) { boardEvents(boardId: $id) {
    __typename ... on State { state { project { name } } } ... on Access { expiresAt }
    ... on AgentRegistered { label } } }"""

pytestmark = pytest.mark.usefixtures("clean_log")


@pytest.fixture
async def guarded() -> AsyncIterator[LiveServer]:
    """A server with two boards that takes static secrets, access tokens and JSON Web Tokens."""
    async with live_server(jwt_key=SecretStr(SECRET), tokens=SecretStr(ADMIN)) as live:
        async with relay_with_token(live.address, ADMIN) as address:
            await make_boards(address)
        yield live


def _token(end: int | None = None) -> str:
    return signed(claims_of(can=_BOTH) if end is None else claims_of(can=_BOTH, exp=end))


def _warned_soon() -> int:
    """Return the end of a token that has a little more than a minute left."""
    return int(time.time() + WARNING_SECONDS) + 2


def _shown(at: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(at))


@asynccontextmanager
async def _opened(live: LiveServer, name: str, token: str) -> AsyncIterator[ExitSubscriber]:
    """Open an exit with a token, and read its opening."""
    async with AsyncExitStack() as stack:
        address = await stack.enter_async_context(relay_with_token(live.address, token))
        yield await open_exit(name, await stack.enter_async_context(connect(address)))


async def _mark(live: LiveServer, label: str) -> None:
    """Send an event that every exit shows."""
    body = orjson.dumps([event("agent.registered", {"agent": "CODEX", "label": label})])
    headers = [("Authorization", f"Bearer {ADMIN}")]
    answer = await exchange(live.address, "POST", "/api/v1/events", body, headers)
    assert answer.status == 202, answer


async def _next(subscriber: ExitSubscriber) -> tuple[str, Any]:
    """Return the next event but overviews of the dashboard."""
    while (came := await subscriber.event())[0] == "dashboard_overview":
        pass
    return came


@pytest.mark.parametrize("exit", EXITS)
async def test_warning_comes_once_and_no_other_client_gets_it(exit: str, guarded: LiveServer) -> None:
    end = _warned_soon()
    async with (
        deadline(_WAIT_UNITS),
        _opened(guarded, exit, _token()) as other,
        _opened(guarded, exit, _token(end)) as subscriber,
    ):
        type_, payload = await _next(subscriber)
        assert (type_, payload["expiresAt"]) == ("access", _shown(end))
        assert time.time() >= end - WARNING_SECONDS
        await _mark(guarded, "marker")
        for one in (subscriber, other):
            type_, payload = await _next(one)
            assert (type_, payload["label"]) == ("agent_registered", "marker")


@pytest.mark.parametrize("exit", EXITS)
async def test_short_token_is_warned_behind_the_opening(exit: str, guarded: LiveServer) -> None:
    end = int(time.time() + seconds(1)) + 1
    async with deadline(_WAIT_UNITS), _opened(guarded, exit, _token(end)) as subscriber:
        type_, payload = await _next(subscriber)
        assert (type_, payload["expiresAt"]) == ("access", _shown(end))
        type_, payload = await _next(subscriber)
        assert (type_, payload["reason"].lower()) == ("goodbye", "token_expired")
        assert time.time() >= end


async def test_access_token_gives_the_warning_too(guarded: LiveServer) -> None:
    end = _warned_soon()
    token = await Admin(guarded.address).make("Ada", expiresAt=_shown(end))
    async with deadline(_WAIT_UNITS), _opened(guarded, "board-sse", token.secret) as subscriber:
        assert await _next(subscriber) == ("access", {"expiresAt": _shown(end)})
        assert time.time() >= end - WARNING_SECONDS


async def _message(socket: RawSocket) -> Any:
    while (frame := await socket.receive()).opcode == PING:
        pass
    return orjson.loads(frame.text)


@asynccontextmanager
async def _raw(live: LiveServer, token: str) -> AsyncIterator[RawSocket]:
    target = f"/api/v1/ws?boardId={BOARD}&access_token={token}"
    async with deadline(_WAIT_UNITS), open_socket(live.address, target) as socket:
        while (await _message(socket))["type"] != "state":
            pass
        yield socket


async def test_warning_is_about_the_token_in_place(guarded: LiveServer) -> None:
    first = _warned_soon()
    second = first + 1
    async with _raw(guarded, _token(first)) as socket:
        warning = {"type": "access", "payload": {"expiresAt": _shown(second)}}
        await socket.send_json({"type": "authenticate", "payload": {"token": _token(second)}})
        assert await _message(socket) == warning  # the answer
        assert await _message(socket) == warning
        assert time.time() >= second - WARNING_SECONDS


async def test_answer_to_a_short_new_token_is_its_warning(guarded: LiveServer) -> None:
    end = int(time.time() + WARNING_SECONDS / 2)
    async with _raw(guarded, _token()) as socket:
        await socket.send_json({"type": "authenticate", "payload": {"token": _token(end)}})
        await _mark(guarded, "marker")
        seen = [await _message(socket), await _message(socket)]
        assert sorted(one["type"] for one in seen) == ["access", "agent_registered"]
        await _mark(guarded, "second marker")
        assert (await _message(socket))["payload"]["label"] == "second marker"


async def test_each_subscription_of_a_socket_is_warned_once(guarded: LiveServer) -> None:
    """Also one that begins after the warning, and one that graphql-core executes."""
    end = int(time.time() + WARNING_SECONDS / 2)
    async with deadline(_WAIT_UNITS), open_client(guarded.address) as client:
        await client.send({"type": "connection_init", "payload": {"token": _token(end)}})
        await client.expect(ACK)
        for id in ("1", "2"):
            await client.send(subscribe_message(id, _EXECUTED, variables={"id": BOARD}))
            opening = [await client.message() for _ in range(3)]
            assert {message["id"] for message in opening} == {id}
            hello, state, warning = [message["payload"]["data"]["boardEvents"] for message in opening]
            assert (hello["__typename"], state["__typename"]) == ("Hello", "State")
            assert warning == {"__typename": "Access", "expiresAt": _shown(end)}
        await _mark(guarded, "marker")
        for _ in range(2):
            assert (await client.message())["payload"]["data"]["boardEvents"]["label"] == "marker"
