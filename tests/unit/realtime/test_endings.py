"""The table of endings, as a WebSocket, a request and the metrics read it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from realtime.endings import (
    ENDINGS,
    FAULT,
    MAX_REASON_BYTES,
    close_frame_of,
    ending_of,
    is_fault,
    status_of,
)
from realtime.errors import (
    BoardGone,
    CardBlocked,
    DependencyCycle,
    NotFound,
    StoreUnavailable,
    StreamEnded,
    SubscriberTooSlow,
)
from realtime.limits import LimitReached
from realtime.messages.position import Position

_FAULT_CODE = 1011


def _with_subclasses(kind: type[Exception]) -> Iterator[type[Exception]]:
    for subclass in kind.__subclasses__():
        yield from _with_subclasses(subclass)
    if kind is not StreamEnded:  # is never raised itself
        yield kind


_ENDING_STREAMS = [
    found for kind in (NotFound, StoreUnavailable, StreamEnded, SubscriberTooSlow) for found in _with_subclasses(kind)
]


@pytest.mark.parametrize("kind", _ENDING_STREAMS)
def test_error_that_ends_a_stream_is_no_fault(kind: type[Exception]) -> None:
    assert not is_fault(kind("why"))
    assert ending_of(kind("why")) is not FAULT


def test_codes_of_errors_are_those_of_the_protocol() -> None:
    errors = {error.__name__: row for row in ENDINGS.values() for error in row.errors}
    assert {name: (row.close.code, row.reconnect) for name, row in errors.items() if row.close} == {
        "NotFound": (1008, False),
        "Forbidden": (4403, False),
        "SubscriberTooSlow": (4013, True),
        "Draining": (1012, True),
        "LifetimeReached": (1012, True),
        "TokenExpired": (4401, True),
        "TokenRevoked": (4401, True),
        "GrantsReduced": (4403, False),
        "StoreUnavailable": (1013, True),
    }


@pytest.mark.parametrize("name", ENDINGS)
def test_sentence_about_a_case_is_cut_to_what_a_close_frame_holds(name: str) -> None:
    # RFC 6455, section 5.5.1: a control frame has at most 125 bytes, two of which are the code.
    row = ENDINGS[name]
    assert len(row.frame().reason.encode()) <= 123
    assert row.frame("ä" * 200) == (row.frame().code, "ä" * 61)


def test_every_end_by_the_server_has_a_word_and_a_sentence_of_its_own() -> None:
    rows = [ending_of(kind("why")) for kind in _with_subclasses(StreamEnded)]
    assert len({row.reason for row in rows}) == len({row.graphql_message for row in rows}) == len(rows)


def test_too_slow_subscriber_learns_where_to_come_back_whole() -> None:
    cursor = Position("f" * 32, "0a0a0a0a", 10**18 - 1, 10**18 - 1, 9999).cursor
    frame = close_frame_of(SubscriberTooSlow("why", cursor))
    assert frame == (4013, f"Too slow; come back with after={cursor}")
    assert len(frame.reason.encode()) <= MAX_REASON_BYTES


@pytest.mark.parametrize("error", [KeyError("x"), CardBlocked("x", ["k1"])])
def test_anything_else_that_ends_a_stream_is_our_fault(error: Exception) -> None:
    assert is_fault(error)
    assert close_frame_of(error) == (_FAULT_CODE, "Internal error")


def test_deleted_board_closes_no_socket_and_is_no_fault() -> None:
    assert ending_of(BoardGone("why")).close is None
    assert not is_fault(BoardGone("why"))


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotFound("why"), 404),
        (CardBlocked("why", ["k1"]), 409),
        (DependencyCycle(), 400),
        (LimitReached("why"), 429),
        (StoreUnavailable("why"), 503),
        (KeyError("why"), 500),
    ],
)
def test_status_is_that_of_the_nearest_class_with_a_row(error: Exception, status: int) -> None:
    assert status_of(error) == status
