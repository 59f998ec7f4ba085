"""Envelopes: encoded once for all subscribers; `hello` and others as in docs/protocol.md."""

from __future__ import annotations

import orjson
import pytest

from realtime.kanban.ids import AttemptId, BoardId, CardId
from realtime.kanban.models import AttemptStatus
from realtime.kanban.wire.board_wire import state_json
from realtime.messages import envelopes, payloads
from realtime.messages.channels import board_channel
from realtime.messages.envelopes import Envelope
from realtime.messages.position import Position, channel_tag
from tests.kit.nodes import START
from tests.kit.plain_envelopes import decoded, plain
from tests.unit.realtime.boards import make_board

NOW = Position("e1", channel_tag(board_channel(BoardId("p1"))), 5, 2)


class _Encoder:
    """An exit format that counts its calls."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, envelope: Envelope) -> bytes:
        self.calls += 1
        return envelope.type.encode() + envelope.payload_json()


def test_each_format_is_encoded_once() -> None:
    envelope, one, other = plain("news", {"a": 1}, "c"), _Encoder(), _Encoder()
    encoded = [envelope.cached(encoder) for _ in range(100) for encoder in (one, other)]
    assert (one.calls, other.calls) == (1, 1)
    assert set(encoded) == {b'news{"a":1}'}
    assert len({id(bytes) for bytes in encoded[::2]}) == 1


def test_payload_is_encoded_once_for_all_formats() -> None:
    envelope = plain("news", {"a": 1})
    assert envelope.payload_json() is envelope.payload_json()


def test_twin_for_another_channel_shares_payload_and_bytes_but_no_frame() -> None:
    envelope, encoder = plain("news", {"a": 1}), _Encoder()
    envelope.cached(encoder)
    twin = envelope.stamped("cursor")
    assert (twin.type, twin.cursor, envelope.cursor) == ("news", "cursor", None)
    assert twin.payload is envelope.payload
    assert twin.payload_json() is envelope.payload_json()
    twin.cached(encoder)
    assert encoder.calls == 2


def test_missing_payload_is_an_empty_object() -> None:
    assert Envelope(payloads.GitStatus(), "c").payload_json() == b"{}"


def test_payload_is_compact_and_keeps_non_ascii() -> None:
    assert plain("x", {"b": "ü🚀\n", "a": [1, None]}).payload_json() == '{"b":"ü🚀\\n","a":[1,null]}'.encode()


def test_hello_names_time_cursor_and_heartbeat() -> None:
    hello = envelopes.hello(START, NOW, 30.0)
    assert (hello.type, hello.cursor) == ("hello", None)
    assert decoded(hello) == {
        "serverTime": "2025-01-02T03:04:05.678Z",
        "cursor": NOW.cursor,
        "heartbeatSeconds": 30.0,
    }


def test_state_holds_the_board_as_its_bytes() -> None:
    board = make_board(backlog=("a",))
    envelope = envelopes.state(board.state, NOW.cursor)
    assert (envelope.type, envelope.cursor) == ("state", NOW.cursor)
    assert envelope.payload_json() == state_json(board.state)


@pytest.mark.parametrize(
    ("envelope", "type", "payload"),
    [
        (envelopes.heartbeat(START), "heartbeat", {"ts": "2025-01-02T03:04:05.678Z"}),
        (envelopes.goodbye("draining", 250), "goodbye", {"reason": "draining", "reconnectAfterMs": 250}),
        (
            envelopes.attempt_status(AttemptId("a"), CardId("k"), AttemptStatus.RUNNING, "c"),
            "attempt_status",
            {"attemptId": "a", "cardId": "k", "status": "running"},
        ),
        (
            envelopes.attempt_status(AttemptId("a"), None, AttemptStatus.FAILED, "c"),
            "attempt_status",
            {"attemptId": "a", "status": "failed"},
        ),
        (
            envelopes.gap("invalid_cursor", "rubbish", NOW),
            "gap",
            {"reason": "invalid_cursor", "from": "rubbish", "to": NOW.cursor},
        ),
    ],
)
def test_envelope_has_its_type_and_its_payload_in_order(
    envelope: Envelope, type: str, payload: dict[str, object]
) -> None:
    assert envelope.type == type
    assert envelope.payload_json() == orjson.dumps(payload)


def test_repr_is_short_however_long_the_payload() -> None:
    assert repr(plain("state", {"x": "y" * 10_000}, "c")) == "Envelope(state, c)"
