"""Parts of multipart subscriptions, byte for byte."""

from __future__ import annotations

from server.protocol.graphql.parts import CLOSING, HEARTBEAT, OPENING, ended_part, result_part


def test_stream_of_parts_is_what_clients_read() -> None:
    errors = [{"message": "b"}]
    sent = b"".join((OPENING, result_part({"data": {"a": "ü"}}), HEARTBEAT, ended_part(errors), CLOSING))
    assert sent.decode().split("\r\n") == [
        "",
        "--graphql",
        "content-type: application/json",
        "content-length: 31",
        "",
        '{"payload":{"data":{"a":"ü"}}}',
        "--graphql",
        "content-type: application/json",
        "content-length: 2",
        "",
        "{}",
        "--graphql",
        "content-type: application/json",
        "content-length: 43",
        "",
        '{"payload":null,"errors":[{"message":"b"}]}',
        "--graphql--",
        "",
    ]


def test_boundary_comes_with_the_part_before_it() -> None:
    for part in (result_part({"data": None}), HEARTBEAT, ended_part([])):
        assert part.endswith(OPENING)
