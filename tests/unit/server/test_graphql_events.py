"""Blocks of graphql-sse, byte for byte."""

from __future__ import annotations

from server.protocol.graphql.events import (
    COMPLETE,
    KEEP_ALIVE,
    complete_block,
    next_block,
    operation_block,
    retry_block,
)


def test_result_is_one_line_of_data() -> None:
    assert next_block({"data": {"a": "ü\n\r\nb"}}) == 'event: next\ndata: {"data":{"a":"ü\\n\\r\\nb"}}\n\n'.encode()


def test_cursor_of_an_event_is_its_id() -> None:
    assert next_block({"data": None}, "e.1.2") == b'event: next\ndata: {"data":null}\nid: e.1.2\n\n'


def test_hint_when_to_come_back_is_no_event() -> None:
    assert retry_block(1234) == b"retry: 1234\n\n"


def test_complete_and_comment_are_as_the_protocol_has_them() -> None:
    assert (COMPLETE, KEEP_ALIVE) == (b"event: complete\ndata: \n\n", b":\n\n")


def test_one_of_several_operations_has_its_id_in_every_block() -> None:
    assert operation_block('"', {"data": None}) == b'event: next\ndata: {"id":"\\"","payload":{"data":null}}\n\n'
    assert complete_block("a") == b'event: complete\ndata: {"id":"a"}\n\n'
