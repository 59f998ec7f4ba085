"""Connections count for the client of their requests: its token, else its address, also behind a proxy."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from pydantic import SecretStr

from tests.kit.access_tokens import ADMIN, Admin
from tests.kit.deadline import deadline
from tests.kit.json_web_tokens import SECRET, claims_of, signed
from tests.kit.live_server import LiveServer, live_server
from tests.kit.raw_http import Address, Answer, connect, exchange, request_bytes
from tests.kit.sessions import SESSION, sign_in
from tests.kit.token_relay import proxy_of, relay_with_cookie, relay_with_token
from tests.live.boards import make_boards
from tests.live.exits import EXITS, ExitSubscriber, exit_request, open_exit
from tests.live.graphql.client import ACK, OLDER, connected, open_client, subscribe_message

pytestmark = pytest.mark.usefixtures("clean_log")

_WAIT_UNITS = 20
_HEALTH = "/api/v1/healthz"
_DASHBOARD = "subscription { dashboardEvents { __typename } }"
_PROXIED = {"trusted_proxies": "127.0.0.1", "max_connections_per_client": 2}
#: Of a reserved stream, the reservation is the first request.
_REQUESTS = {name: exit_request(name) for name in EXITS if name != "graphql-sse-single"}


@pytest.fixture
async def proxied() -> AsyncIterator[LiveServer]:
    """A server without tokens, whose clients come by a proxy; each may have two connections."""
    async with live_server(**_PROXIED) as live, proxy_of(live.address, "192.0.2.99") as maker:
        await make_boards(maker)
        yield live


@pytest.fixture
async def guarded() -> AsyncIterator[LiveServer]:
    """A server with tokens; each client may have two connections."""
    async with live_server(tokens=SecretStr(ADMIN), jwt_key=SecretStr(SECRET), max_connections_per_client=2) as live:
        async with relay_with_token(live.address, ADMIN) as maker:
            await make_boards(maker)
        yield live


@asynccontextmanager
async def _opened(address: Address, *names: str) -> AsyncIterator[list[ExitSubscriber]]:
    async with AsyncExitStack() as stack, deadline(_WAIT_UNITS):
        yield [await open_exit(name, await stack.enter_async_context(connect(address))) for name in names]


async def _first_answer(address: Address, request: bytes) -> Answer:
    async with deadline(_WAIT_UNITS), connect(address) as connection:
        await connection.send(request)
        return await connection.read_head()


def _check_busy(answer: Answer) -> None:
    assert (answer.status, answer.header("Content-Type")) == (503, "application/problem+json"), answer
    assert int(answer.header("Retry-After") or 0) >= 1


async def _until_served(address: Address, target: str = _HEALTH) -> None:
    """Ask until a connection has ended, which the server notices in time."""
    async with deadline(_WAIT_UNITS):
        while (await exchange(address, "GET", target)).status == 503:
            pass


@pytest.mark.parametrize(("first", "second"), [("board-ws", "board-sse"), ("graphql-ws", "graphql-multipart")])
async def test_client_behind_a_proxy_has_its_share_and_another_has_its_own(
    first: str, second: str, proxied: LiveServer
) -> None:
    async with proxy_of(proxied.address, "192.0.2.1") as one, proxy_of(proxied.address, "192.0.2.2") as other:
        async with _opened(one, first, second) as (subscriber, _):
            for request in _REQUESTS.values():
                _check_busy(await _first_answer(one, request))
            _check_busy(await exchange(one, "GET", _HEALTH))
            async with _opened(other, first, second):
                _check_busy(await exchange(other, "GET", _HEALTH))
            await _until_served(other)
            await subscriber.say_goodbye()
            await _until_served(one)
        await _until_served(one)


@pytest.mark.parametrize("first", sorted(EXITS))
async def test_every_stream_counts_for_its_client(first: str) -> None:
    async with live_server(trusted_proxies="127.0.0.1", max_connections_per_client=2) as live:
        async with proxy_of(live.address, "192.0.2.99") as maker:
            await make_boards(maker)
        # Two at a time: the stream, and the requests that open and feed it.
        async with (
            proxy_of(live.address, "192.0.2.1") as address,
            _opened(address, first),
            deadline(_WAIT_UNITS),
            connect(address) as second,
        ):
            await _until_served(address)
            await second.send(_REQUESTS["board-sse"])
            assert (await second.read_head()).status == 200
            _check_busy(await exchange(address, "GET", _HEALTH))


async def test_clients_of_one_ipv6_network_share_and_a_mapped_address_is_ipv4(proxied: LiveServer) -> None:
    for first, second in [("2001:db8::1", "[2001:db8::ffff:2]:99"), ("::ffff:192.0.2.1", "192.0.2.1:5678")]:
        async with proxy_of(proxied.address, first) as one, proxy_of(proxied.address, second) as other:
            async with _opened(one, "board-sse"), _opened(other, "board-ws"):
                _check_busy(await exchange(one, "GET", _HEALTH))
                _check_busy(await exchange(other, "GET", _HEALTH))
            await _until_served(one)


async def test_idle_connections_of_a_proxy_are_no_client_of_theirs(proxied: LiveServer) -> None:
    request = request_bytes("GET", _HEALTH, [("Host", "localhost"), ("X-Forwarded-For", "192.0.2.1")])
    async with AsyncExitStack() as stack, deadline(_WAIT_UNITS):
        pool = [await stack.enter_async_context(connect(proxied.address)) for _ in range(5)]
        for connection in [*pool, *pool]:
            await connection.send(request)
            head = await connection.read_head()
            assert (head.status, await connection.read_body(head)) == (200, b'{"ok":true}')


async def test_tokens_of_one_address_are_clients_of_their_own(guarded: LiveServer) -> None:
    tokens = [(await Admin(guarded.address).make(name)).secret for name in ("Ada", "Bob")]
    tokens.append(signed(claims_of(can=["read"], sub="eve")))
    async with AsyncExitStack() as stack:
        for token in tokens:
            address = await stack.enter_async_context(relay_with_token(guarded.address, token))
            await stack.enter_async_context(_opened(address, "board-ws", "board-sse"))
            for request in _REQUESTS.values():
                _check_busy(await _first_answer(address, request))
            await _until_served(guarded.address)  # the refused connections have ended


async def test_connections_without_a_token_leave_room_for_a_token(guarded: LiveServer) -> None:
    async with relay_with_token(guarded.address, ADMIN) as address, _opened(address, "board-ws", "board-sse"):
        async with connect(guarded.address), connect(guarded.address) as second, deadline(_WAIT_UNITS):
            await second.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert (await second.read_head()).status == 200
            _check_busy(await exchange(guarded.address, "GET", _HEALTH))
        await _until_served(guarded.address)


async def test_session_counts_for_its_token(guarded: LiveServer) -> None:
    token = (await Admin(guarded.address).make("Ada")).secret
    cookie = await sign_in(guarded.address, token)
    async with (
        relay_with_token(guarded.address, token) as one,
        relay_with_cookie(guarded.address, cookie) as other,
        _opened(one, "board-ws"),
        _opened(other, "board-sse"),
    ):
        _check_busy(await exchange(one, "GET", SESSION))
        _check_busy(await exchange(other, "GET", SESSION))


@pytest.mark.parametrize("subprotocol", ["graphql-transport-ws", OLDER])
async def test_token_of_connection_init_over_its_connections_closes_1013(subprotocol: str, guarded: LiveServer) -> None:
    token = (await Admin(guarded.address).make("Ada")).secret
    init = {"type": "connection_init", "payload": {"token": token}}
    sentence = "expected at most 2 connections of a client, got one more"
    async with (
        relay_with_token(guarded.address, token) as address,
        deadline(_WAIT_UNITS),
        _opened(address, "board-ws"),
        open_client(guarded.address, subprotocol) as kept,
    ):
        await kept.send(init)
        await kept.expect(ACK)
        async with open_client(guarded.address, subprotocol) as refused:
            await refused.send(init)
            if subprotocol == OLDER:
                await refused.expect({"type": "connection_error", "payload": {"message": sentence}})
            assert await refused.closed() == (1013, sentence)
        _check_busy(await exchange(address, "GET", _HEALTH))
        await _until_served(guarded.address)
        # Both places of the address are free: the sockets count for the token.
        async with open_client(guarded.address, subprotocol), open_client(guarded.address, subprotocol):
            pass


@pytest.mark.parametrize("subprotocol", ["graphql-transport-ws", OLDER])
async def test_wrong_token_of_connection_init_over_the_limit_closes_1013(subprotocol: str) -> None:
    init = {"type": "connection_init", "payload": {"token": "wrong-token-0123456789"}}
    async with live_server(tokens=SecretStr(ADMIN), max_failed_authentications=1) as live, deadline(_WAIT_UNITS):
        for expected in [
            (4403, "Forbidden"),
            (1013, "expected at most 1 wrong tokens a minute from an address, got more"),
        ]:
            async with open_client(live.address, subprotocol) as client:
                await client.send(init)
                if subprotocol == OLDER:
                    await client.expect({"type": "connection_error", "payload": {"message": expected[1]}})
                assert await client.closed() == expected


async def test_refusals_have_an_access_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="access")
    limits = {
        "trusted_proxies": "127.0.0.1",
        "max_connections_per_client": 2,
        "max_reservations": 1,
        "max_operations": 1,
    }
    async with live_server(**limits) as live, proxy_of(live.address, "192.0.2.1") as address, deadline(_WAIT_UNITS):
        assert (await exchange(address, "PUT", "/graphql/stream")).status == 201
        assert (await exchange(address, "PUT", "/graphql/stream")).status == 429
        async with connected(address) as client:
            await client.send(*(subscribe_message(id, _DASHBOARD) for id in "12"))
            while (message := await client.message())["type"] != "error":
                pass
            assert message["payload"][0]["extensions"]["code"] == "RATE_LIMITED"
        async with _opened(address, "dashboard-ws", "dashboard-sse"):
            _check_busy(await exchange(address, "GET", _HEALTH))
    lines = [
        (record.getMessage(), vars(record)["why"].partition(",")[0], vars(record)["address"])
        for record in caplog.records
        if record.name == "access"
    ]
    assert lines == [
        ("refused: rate_limited", f"expected at most {expected}", "192.0.2.1")
        for expected in (
            "1 reservations of one client that wait for their stream",
            "1 operations at a time on one connection",
            "2 connections of a client",
        )
    ]
