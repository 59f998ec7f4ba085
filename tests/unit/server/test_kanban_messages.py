"""Frames of the raw WebSocket and blocks of the raw SSE streams, byte for byte."""

from __future__ import annotations

import pytest
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from realtime.messages.envelopes import Envelope, goodbye
from realtime.messages.payloads import GitStatus
from server.protocol.http.sse_format import block
from server.protocol.kanban_messages import error, frame, pong, text_frame
from tests.kit.plain_envelopes import plain


@pytest.mark.parametrize(
    ("envelope", "frame"),
    [
        (plain("attempt_session", {"a": 1}, "c-1"), '{"type":"attempt_session","payload":{"a":1},"cursor":"c-1"}'),
        (plain("hello", {"a": None}), '{"type":"hello","payload":{"a":null}}'),
        (Envelope(GitStatus(), "c-1"), '{"type":"git:status","cursor":"c-1"}'),
        (plain("git_commit", {}, "c-1"), '{"type":"git_commit","payload":{},"cursor":"c-1"}'),
        (plain("attempt_log", {"message": 'ü"\n😀'}), '{"type":"attempt_log","payload":{"message":"ü\\"\\n😀"}}'),
    ],
)
def test_frame_is_type_payload_cursor(envelope: Envelope, frame: str) -> None:
    assert text_frame(envelope).decode() == frame


@pytest.mark.parametrize(
    ("envelope", "expected"),
    [
        (plain("state", {"a": 1}, "c-1"), 'event: state\ndata: {"a":1}\nid: c-1\n\n'),
        (plain("hello", {"a": 1}), 'event: hello\ndata: {"a":1}\n\n'),
        (Envelope(GitStatus(), "c-1"), "event: git_status\ndata: {}\nid: c-1\n\n"),
        (plain("attempt_log", {"message": "ü\r\n"}), 'event: attempt_log\ndata: {"message":"ü\\r\\n"}\n\n'),
        (goodbye("r", 250), 'event: goodbye\ndata: {"reason":"r","reconnectAfterMs":250}\nretry: 250\n\n'),
        (goodbye("r", 0), 'event: goodbye\ndata: {"reason":"r","reconnectAfterMs":0}\n\n'),
    ],
)
def test_block_is_event_data_id(envelope: Envelope, expected: str) -> None:
    assert block(envelope).decode() == expected


def test_pong_contains_the_time() -> None:
    assert (
        text_frame(pong("2025-01-02T03:04:05.678Z")) == b'{"type":"pong","payload":{"ts":"2025-01-02T03:04:05.678Z"}}'
    )


def test_error_names_the_command_cut_at_64_characters() -> None:
    frame = text_frame(error("ü" * 65, "unknown_command", "m")).decode()
    assert frame == f'{{"type":"error","payload":{{"command":"{"ü" * 64}","code":"unknown_command","message":"m"}}}}'
    assert b'"command":null' in text_frame(error(None, "invalid_json", "m"))


def test_frame_and_block_are_encoded_once() -> None:
    envelope = plain("hello", {"a": 1})
    assert envelope.cached(text_frame) is envelope.cached(text_frame)
    assert envelope.cached(block) is envelope.cached(block)


@pytest.mark.parametrize("size", [0, 1, 60, 125, 126, 127, 65_535, 65_536, 70_000])
def test_frame_is_what_the_library_reads(size: int) -> None:
    empty = len(text_frame(plain("hello", {"a": ""})))
    envelope = plain("hello", {"a": "x" * max(0, size - empty)})
    reader = StreamReader()
    reader.feed_data(frame(envelope))
    parsing = Frame.parse(reader.read_exact, mask=False)
    with pytest.raises(StopIteration) as done:
        next(parsing)
    read: Frame = done.value.value
    assert (read.opcode, read.fin, bytes(read.data)) == (Opcode.TEXT, True, text_frame(envelope))
    assert len(read.data) == max(size, empty)
    assert len(reader.buffer) == 0
