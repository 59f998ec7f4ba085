"""graphql-transport-ws: an invalid message closes with 4400 and a reason, always with a close frame.

"Receiving a message of a type or format which is not specified in this document will result in an immediate socket
closure with the event `4400: <error-message>`" (graphql-ws, PROTOCOL.md, "Invalid message").
"""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.endings import MAX_REASON_BYTES
from server.protocol.graphql.transport_ws import GraphqlTransportWs
from server.protocol.graphql.ws_protocol import Admit, Close, Reply
from tests.kit.live_server import LiveServer
from tests.kit.raw_socket import BINARY, TEXT
from tests.live.graphql.client import INIT, connected, subscribe_message

_TYPES = "type: expected one of connection_init, ping, pong, subscribe, complete; got"
_ID = "expected a string that is not empty, got"
_SUBSCRIBE = "subscribe: payload:"

_INVALID: list[tuple[object, str]] = [
    ([], "expected a JSON object, got a list"),
    ([INIT], "expected a JSON object, got a list"),
    ("ping", "expected a JSON object, got 'ping'"),
    (1, "expected a JSON object, got 1"),
    (1.5, "expected a JSON object, got 1.5"),
    (True, "expected a JSON object, got true"),
    (None, "expected a JSON object, got null"),
    ({}, f"{_TYPES} none"),
    ({"type": None}, f"{_TYPES} null"),
    ({"type": 1}, f"{_TYPES} 1"),
    ({"type": []}, f"{_TYPES} a list"),
    ({"type": {}}, f"{_TYPES} an object"),
    ({"type": "start"}, f"{_TYPES} 'start'"),
    ({"type": "Ping"}, f"{_TYPES} 'Ping'"),
    # Messages that only a server sends.
    ({"type": "connection_ack"}, f"{_TYPES} 'connection_ack'"),
    ({"type": "next", "id": "1", "payload": {}}, f"{_TYPES} 'next'"),
    ({"type": "error", "id": "1", "payload": []}, f"{_TYPES} 'error'"),
    ({"type": "ping", "payload": "x"}, "ping: payload: expected an object or null, got 'x'"),
    ({"type": "pong", "payload": [1]}, "pong: payload: expected an object or null, got a list"),
    ({"type": "complete"}, f"complete: id: {_ID} none"),
    ({"type": "complete", "id": 1}, f"complete: id: {_ID} 1"),
    ({"type": "complete", "id": ""}, f"complete: id: {_ID} ''"),
    (subscribe_message(None, "{ __typename }"), f"subscribe: id: {_ID} null"),
    (subscribe_message(1, "{ __typename }"), f"subscribe: id: {_ID} 1"),
    (subscribe_message([], "{ __typename }"), f"subscribe: id: {_ID} a list"),
    (subscribe_message({"a": 1}, "{ __typename }"), f"subscribe: id: {_ID} an object"),
    (subscribe_message("", "{ __typename }"), f"subscribe: id: {_ID} ''"),
    (subscribe_message("x" * 10_001, "{ __typename }"), "subscribe: id: expected at most 10000 characters, got 10001"),
    ({"type": "subscribe"}, f"subscribe: id: {_ID} none"),
    ({"type": "subscribe", "id": "1"}, f"{_SUBSCRIBE} expected an object with a query, got null"),
    (
        {"type": "subscribe", "id": "1", "payload": "{ __typename }"},
        f"{_SUBSCRIBE} expected an object with a query, got ",
    ),
    ({"type": "subscribe", "id": "1", "payload": {}}, f"{_SUBSCRIBE} query: expected a string, got none"),
    (subscribe_message("1", None), f"{_SUBSCRIBE} query: expected a string, got null"),
    (subscribe_message("1", 7), f"{_SUBSCRIBE} query: expected a string, got 7"),
    (subscribe_message("1", "{ a }", variables=[]), f"{_SUBSCRIBE} variables: expected an object or null, got a list"),
    (
        subscribe_message("1", "{ a }", variables="{}"),
        f"{_SUBSCRIBE} variables: expected an object or null, got '{{}}'",
    ),
    (subscribe_message("1", "{ a }", operationName=1), f"{_SUBSCRIBE} operationName: expected a string or null, got 1"),
    (subscribe_message("1", "{ a }", extensions=0), f"{_SUBSCRIBE} extensions: expected an object or null, got 0"),
]


@pytest.mark.parametrize(("message", "reason"), _INVALID, ids=[repr(one) for one, _ in _INVALID])
async def test_invalid_message_closes_4400_with_reason(
    message: object, reason: str, standing: LiveServer, clean_log: None
) -> None:
    async with connected(standing.address) as client:
        await client.send(message)
        code, received = await client.closed()
        assert code == 4400
        assert received.startswith(reason)


@pytest.mark.parametrize(
    "data", [b"", b"{", b"hello", b"{'type':'ping'}", b"NaN", b'{"type":"ping"} x', b"\xef\xbb\xbf{}"]
)
@pytest.mark.parametrize("opcode", [TEXT, BINARY], ids=["text", "binary"])
async def test_invalid_json_closes_4400_with_reason(
    data: bytes, opcode: int, standing: LiveServer, clean_log: None
) -> None:
    async with connected(standing.address) as client:
        await client.socket.send_frame(opcode, data)
        code, reason = await client.closed()
        assert code == 4400
        assert reason.startswith("expected JSON, got something else: ")


@pytest.mark.parametrize("data", [b"\xff\xfe", b'{"type":"\xff"}', b"[" * 1000 + b"]" * 1000, b"[" * 100_000])
async def test_unreadable_binary_frame_closes_4400(data: bytes, standing: LiveServer, clean_log: None) -> None:
    async with connected(standing.address) as client:
        await client.socket.send_frame(BINARY, data)
        assert (await client.closed())[0] == 4400


async def test_invalid_message_ends_the_operations_too(boards: LiveServer) -> None:
    async with connected(boards.address) as client:
        await client.send(subscribe_message("1", 'subscription { boardState(boardId: "board-1") { cursor } }'))
        assert (await client.message())["type"] == "next"
        await client.send("nonsense")
        assert (await client.closed())[0] == 4400
        assert boards.node.hub.statistics().subscribers == 0


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-10, 10) | st.floats(allow_nan=False) | st.text(max_size=200),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_KINDS = st.sampled_from(["connection_init", "ping", "pong", "subscribe", "complete"]) | _JSON
_MESSAGES = _JSON | st.fixed_dictionaries({}, optional={"type": _KINDS, "id": _JSON, "payload": _JSON})


@given(st.lists(_MESSAGES | st.binary(max_size=20), max_size=4))
def test_any_message_gets_a_step_of_the_protocol(messages: list[object]) -> None:
    conversation = GraphqlTransportWs(2)
    for message in messages:
        steps = conversation.receive(message if isinstance(message, bytes) else orjson.dumps(message))
        if steps and isinstance(steps[0], Admit):
            steps = conversation.admit()
        for step in steps:
            if isinstance(step, Close):
                assert step.frame.code in {4400, 4401, 4409, 4429}
                assert 0 < len(step.frame.reason.encode()) <= MAX_REASON_BYTES
                return
            if isinstance(step, Reply):
                assert step.message["type"] in {"connection_ack", "pong", "error"}


def test_id_that_is_nested_a_thousand_deep_is_refused_as_a_list() -> None:
    """The server must not make a text of it, for which Python has too few levels."""
    id = "[" * 990 + '"\\ud800"' + "]" * 990
    (step,) = GraphqlTransportWs(2).receive(f'{{"type":"complete","id":{id}}}')
    assert isinstance(step, Close)
    assert step.frame == (4400, f"complete: id: {_ID} a list")
