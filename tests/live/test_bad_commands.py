"""Bad input on a board's raw WebSocket: only that socket gets an `error`, it stays open, and nothing changes."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer
from tests.kit.raw_http import exchange
from tests.kit.raw_socket import BINARY, PONG, TEXT, RawSocket, frame_bytes, open_socket
from tests.kit.recordings import Json
from tests.live.boards import BOARD, DOING, DONE, TODO

_TARGET = f"/api/v1/ws?boardId={BOARD}"
_MIB = 1024 * 1024


def _create(**payload: object) -> bytes:
    return _command("create_card", columnId=TODO, **payload)


def _move(card: str, column: str, index: object) -> bytes:
    return _command("move_card", cardId=card, toColumnId=column, toIndex=index)


def _command(name: str, **payload: object) -> bytes:
    return orjson.dumps({"type": name, "payload": payload})


_MOVE_HUGE = b'{"type":"move_card","payload":{"cardId":"free","toColumnId":"col-doing","toIndex":-%b}}' % (b"9" * 300)

#: Name → message, the command that the answer names, and the code.
_CASES: dict[str, tuple[bytes, str | None, str]] = {
    "empty": (b"", None, "invalid_json"),
    "half": (b'{"type":"ping"', None, "invalid_json"),
    "two-values": (b'{"type":"ping"}{"type":"ping"}', None, "invalid_json"),
    "byte-order-mark": (b'\xef\xbb\xbf{"type":"ping"}', None, "invalid_json"),
    "nan": (b"NaN", None, "invalid_json"),
    "deep": (b"[" * 100_000 + b"]" * 100_000, None, "invalid_json"),
    "surrogate": (b'{"type":"\\ud800"}', None, "invalid_json"),
    "null": (b"null", None, "invalid_payload"),
    "list": (b'[{"type":"ping"}]', None, "invalid_payload"),
    "string": (b'"ping"', None, "invalid_payload"),
    "no-type": (b"{}", None, "invalid_payload"),
    "type-number": (b'{"type":1}', None, "invalid_payload"),
    "type-null": (b'{"type":null}', None, "invalid_payload"),
    "unknown": (b'{"type":"subscribe"}', "subscribe", "unknown_command"),
    "type-empty": (b'{"type":""}', "", "unknown_command"),
    "upper-case": (b'{"type":"PING"}', "PING", "unknown_command"),
    "type-long": (orjson.dumps({"type": "x" * 65}), "x" * 64, "unknown_command"),
    "create-without-payload": (b'{"type":"create_card"}', "create_card", "invalid_payload"),
    "create-payload-list": (b'{"type":"create_card","payload":[]}', "create_card", "invalid_payload"),
    "create-without-title": (_create(), "create_card", "invalid_payload"),
    "create-blank": (_create(title=" "), "create_card", "invalid_payload"),
    "create-long": (_create(title="x" * 501), "create_card", "invalid_payload"),
    "create-number": (_create(title=123), "create_card", "invalid_payload"),
    "create-ticket-type": (_create(title="x", ticketType="epic"), "create_card", "invalid_payload"),
    "create-description": (_create(title="x", description="x" * 65537), "create_card", "invalid_payload"),
    "create-nowhere": (_command("create_card", columnId="nope", title="x"), "create_card", "column_not_found"),
    "create-elsewhere": (
        *(_command("create_card", columnId=f"other-{TODO}", title="x"), "create_card"),
        "column_not_found",
    ),
    "update-without-card": (_command("update_card", title="x"), "update_card", "invalid_payload"),
    "update-unknown": (_command("update_card", cardId="nope", title="x"), "update_card", "card_not_found"),
    "update-elsewhere": (_command("update_card", cardId="other-free", title="x"), "update_card", "card_not_found"),
    "update-flag": (_command("update_card", cardId="free", isEnhanced="yes"), "update_card", "invalid_payload"),
    "update-null-title": (_command("update_card", cardId="free", title=None), "update_card", "invalid_payload"),
    "move-negative": (_move("free", DOING, -1), "move_card", "invalid_payload"),
    "move-half": (_move("free", DOING, 1.5), "move_card", "invalid_payload"),
    "move-whole-float": (_move("free", DOING, 1.0), "move_card", "invalid_payload"),
    "move-text": (_move("free", DOING, "2"), "move_card", "invalid_payload"),
    "move-true": (_move("free", DOING, True), "move_card", "invalid_payload"),
    "move-null": (_move("free", DOING, None), "move_card", "invalid_payload"),
    "move-huge-negative": (_MOVE_HUGE, "move_card", "invalid_payload"),
    "move-unknown": (_move("nope", DOING, 0), "move_card", "card_not_found"),
    "move-elsewhere": (_move("other-free", DOING, 0), "move_card", "card_not_found"),
    "move-nowhere": (_move("free", "nope", 0), "move_card", "column_not_found"),
    "move-to-other-board": (_move("free", f"other-{TODO}", 0), "move_card", "column_not_found"),
    "move-out-of-done": (_move("done", TODO, 0), "move_card", "card_is_done"),
    "move-inside-done": (_move("done", DONE, 0), "move_card", "card_is_done"),
    "move-blocked": (_move("waiting", DOING, 0), "move_card", "card_blocked"),
    "delete-unknown": (_command("delete_card", cardId="nope"), "delete_card", "card_not_found"),
    "delete-elsewhere": (_command("delete_card", cardId="other-free"), "delete_card", "card_not_found"),
    "delete-nothing": (_command("delete_card"), "delete_card", "invalid_payload"),
    "delete-long": (_command("delete_card", cardId="x" * 201), "delete_card", "invalid_payload"),
}

#: Changes nothing, and is not an error: there is no answer at all.
_NO_CHANGE = {
    "update-same-title": _command("update_card", cardId="free", title=" Title of free "),
    "update-nothing": _command("update_card", cardId="free"),
    "move-to-where-it-is": _move("free", TODO, 0),
    "pong": b'{"type":"pong"}',
}


async def _opened(socket: RawSocket) -> None:
    assert [(await _message(socket))["type"] for _ in range(2)] == ["hello", "state"]


async def _message(socket: RawSocket) -> Json:
    message: Any = orjson.loads(await socket.receive_text())
    return dict(message)


@pytest.mark.parametrize("case", _CASES)
async def test_bad_message_is_answered_and_changes_nothing(case: str, unchanged: LiveServer) -> None:
    content, command, code = _CASES[case]
    async with deadline(10), open_socket(unchanged.address, _TARGET) as socket:
        await _opened(socket)
        for opcode in (TEXT, BINARY):
            await socket.send_frame(opcode, content)
            answer = await _message(socket)
            assert list(answer) == ["type", "payload"]
            assert list(answer["payload"]) == ["command", "code", "message"]
            assert (answer["type"], answer["payload"]["command"], answer["payload"]["code"]) == ("error", command, code)
            assert 0 < len(answer["payload"]["message"]) < 1000
        await socket.send_text('{"type":"ping"}')
        assert (await _message(socket))["type"] == "pong"


@pytest.mark.parametrize("case", _NO_CHANGE)
async def test_message_that_asks_for_no_change_is_not_answered(case: str, unchanged: LiveServer) -> None:
    async with deadline(10), open_socket(unchanged.address, _TARGET) as socket:
        await _opened(socket)
        await socket.send_frame(TEXT, _NO_CHANGE[case])
        await socket.send_text('{"type":"ping"}')
        assert (await _message(socket))["type"] == "pong"


async def test_error_goes_to_the_socket_that_caused_it_alone(boards: LiveServer) -> None:
    async with (
        deadline(10),
        open_socket(boards.address, _TARGET) as one,
        open_socket(boards.address, _TARGET) as other,
    ):
        await _opened(one)
        await _opened(other)
        await one.send_frame(TEXT, _create(title=""))
        assert (await _message(one))["type"] == "error"
        await one.send_frame(TEXT, _create(title="marker"))
        assert [(await _message(socket))["type"] for socket in (one, other)] == ["state", "state"]


async def test_frame_of_one_mebibyte_is_read_and_one_more_is_1009(unchanged: LiveServer) -> None:
    ping = b'{"type":"ping"}'
    async with deadline(10), open_socket(unchanged.address, _TARGET) as socket:
        await _opened(socket)
        await socket.send_frame(TEXT, ping + b" " * (_MIB - len(ping)))
        assert (await _message(socket))["type"] == "pong"
        await socket.send_bytes(frame_bytes(TEXT, ping + b" " * (_MIB + 1 - len(ping)))[:20])
        assert (await socket.receive()).close[0] == 1009


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (frame_bytes(TEXT, b'{"type":"ping"}', masked=False), 1002),
        (frame_bytes(0x3, b""), 1002),
        (frame_bytes(PONG, b"x" * 126), 1002),
        (frame_bytes(0x0, b"nothing to go on with"), 1002),
        (b"\xf1" + frame_bytes(TEXT, b"x")[1:], 1002),
    ],
    ids=["unmasked", "opcode", "long-pong", "continuation", "reserved-bit"],
)
async def test_broken_frame_closes_with_the_code_of_rfc_6455(data: bytes, code: int, unchanged: LiveServer) -> None:
    async with deadline(10), open_socket(unchanged.address, _TARGET) as socket:
        await _opened(socket)
        await socket.send_bytes(data)
        assert (await socket.receive()).close[0] == code


async def test_dashboard_socket_ignores_whatever_comes(unchanged: LiveServer) -> None:
    async with deadline(10), open_socket(unchanged.address, "/api/v1/ws/dashboard") as socket:
        assert [(await _message(socket))["type"] for _ in range(2)] == ["hello", "dashboard_overview"]
        for content, _, _ in _CASES.values():
            await socket.send_frame(TEXT, content)
        await socket.send_frame(TEXT, _create(title="never"))
        assert await socket.close(1000) == (1000, "")


async def test_unknown_board_is_closed_1008_without_a_frame(unchanged: LiveServer) -> None:
    async with deadline(10), open_socket(unchanged.address, "/api/v1/ws?boardId=nope") as socket:
        assert (await socket.receive()).close == (1008, "Board not found")
    answer = await exchange(unchanged.address, "GET", "/api/v1/sse?boardId=nope")
    assert (answer.status, answer.header("Content-Type")) == (404, "application/problem+json")
