"""graphql-transport-ws, the connection: each test quotes the sentence of graphql-ws' PROTOCOL.md that it proves."""

from __future__ import annotations

import pytest

from tests.kit.live_server import LiveServer, live_server
from tests.live.graphql.client import ACK, INIT, connected, open_client, subscribe_message

_QUERY = subscribe_message("1", "{ __typename }")
_RESULT = {"id": "1", "type": "next", "payload": {"data": {"__typename": "Query"}}}
_COMPLETE = {"id": "1", "type": "complete"}


@pytest.fixture(autouse=True)
def no_fault_is_logged(clean_log: None) -> None:
    """Fail if a fault was logged: no client may cause one."""


@pytest.mark.parametrize("payload", [{}, {"payload": None}, {"payload": {}}, {"payload": {"token": "x"}}])
async def test_init_with_any_allowed_payload_is_acknowledged(payload: dict[str, object], standing: LiveServer) -> None:
    """`payload?: Record<string, unknown> | null`."""
    async with open_client(standing.address) as client:
        await client.send({**INIT, **payload})
        await client.expect(ACK)
        await client.send(_QUERY)
        await client.expect(_RESULT, _COMPLETE)


@pytest.mark.parametrize(
    ("payload", "came"),
    [("x", "'x'"), (1, "1"), (True, "true"), ([], "a list"), (0, "0"), ("", "''"), (False, "false")],
)
async def test_init_with_other_payload_closes_4400(payload: object, came: str, standing: LiveServer) -> None:
    async with open_client(standing.address) as client:
        await client.send({**INIT, "payload": payload})
        reason = f"connection_init: payload: expected an object or null, got {came}"
        assert await client.closed() == (4400, reason)


async def test_second_init_closes_4429(standing: LiveServer) -> None:
    """More than one at any given time: `4429: Too many initialisation requests`."""
    async with connected(standing.address) as client:
        await client.send(INIT)
        assert await client.closed() == (4429, "Too many initialisation requests")


async def test_two_inits_at_once_are_acknowledged_once(standing: LiveServer) -> None:
    async with open_client(standing.address) as client:
        await client.send(INIT, INIT)
        await client.expect(ACK)
        assert await client.closed() == (4429, "Too many initialisation requests")


async def test_no_init_in_time_closes_4408() -> None:
    """If the client does not request a connection: `4408: Connection initialisation timeout`."""
    async with live_server(graphql_init_seconds=0.2) as live, open_client(live.address) as client:
        await client.send({"type": "ping"})  # no other message stops the clock
        await client.expect({"type": "pong"})
        assert await client.closed() == (4408, "Connection initialisation timeout")


async def test_init_in_time_stops_the_clock() -> None:
    async with (
        live_server(graphql_init_seconds=0.2, graphql_ping_seconds=0.3) as live,
        connected(live.address) as client,
    ):
        await client.expect({"type": "ping"})  # the time is over
        await client.send(_QUERY)
        await client.expect(_RESULT, _COMPLETE)


async def test_subscribe_before_init_closes_4401(standing: LiveServer) -> None:
    """If the connection is not acknowledged, the socket will be closed immediately: `4401: Unauthorized`."""
    async with open_client(standing.address) as client:
        await client.send(_QUERY)
        assert await client.closed() == (4401, "Unauthorized")


async def test_complete_before_init_is_ignored(standing: LiveServer) -> None:
    """It is permissable to simply ignore all unknown IDs without closing the connection."""
    async with open_client(standing.address) as client:
        await client.send({"id": "1", "type": "complete"}, INIT)
        await client.expect(ACK)


@pytest.mark.parametrize("payload", [{}, {"payload": None}, {"payload": {}}, {"payload": {"a": [1, "ü"]}}])
async def test_ping_is_answered_with_its_payload(payload: dict[str, object], standing: LiveServer) -> None:
    """A `Pong` must be sent in response; the `Ping` message can be sent at any time within the established socket."""
    pong = {"type": "pong", **{name: value for name, value in payload.items() if value is not None}}
    async with open_client(standing.address) as client:
        await client.send({"type": "ping", **payload})
        await client.expect(pong)
        await client.send(INIT, {"type": "ping", **payload})
        await client.expect(ACK, pong)


@pytest.mark.parametrize("payload", [{}, {"payload": None}, {"payload": {"a": 1}}])
async def test_unsolicited_pong_is_ignored(payload: dict[str, object], standing: LiveServer) -> None:
    """The `Pong` message may even be sent unsolicited as an unidirectional heartbeat."""
    async with open_client(standing.address) as client:
        await client.send({"type": "pong", **payload}, INIT)
        await client.expect(ACK)
        await client.send({"type": "pong", **payload})
        await client.expect_nothing()


async def test_server_pings_and_takes_the_answer() -> None:
    """Ping and pong: `Direction: bidirectional`."""
    async with live_server(graphql_ping_seconds=0.1) as live, connected(live.address) as client:
        for _ in range(3):
            await client.expect({"type": "ping"})
            await client.send({"type": "pong"})


@pytest.mark.parametrize("subprotocol", [None, "graphql-sse", "GRAPHQL-TRANSPORT-WS, soap"])
async def test_other_subprotocol_closes_4406(subprotocol: str | None, standing: LiveServer) -> None:
    async with open_client(standing.address, subprotocol) as client:
        assert client.socket.response.header("Sec-WebSocket-Protocol") is None
        assert await client.closed() == (4406, "Subprotocol not acceptable")


@pytest.mark.parametrize("offered", ["graphql-transport-ws, graphql-ws", "soap, graphql-transport-ws"])
async def test_first_known_subprotocol_is_chosen(offered: str, standing: LiveServer) -> None:
    async with open_client(standing.address, offered) as client:
        assert client.socket.response.header("Sec-WebSocket-Protocol") == "graphql-transport-ws"
        await client.send(INIT)
        await client.expect(ACK)


async def test_normal_closure_is_echoed(standing: LiveServer) -> None:
    """The client closes the socket by dispatching a `1000: Normal Closure` close event."""
    async with connected(standing.address) as client:
        assert await client.socket.close(1000, "bye") == (1000, "bye")


async def test_messages_in_binary_frames_are_read(standing: LiveServer) -> None:
    async with open_client(standing.address) as client:
        await client.send_binary(INIT)
        await client.expect(ACK)
        await client.send_binary(_QUERY)
        await client.expect(_RESULT, _COMPLETE)
