"""The table of endings: every error that ends a stream has its row."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from realtime.errors import NotFound, StoreUnavailable, StreamEnded, SubscriberTooSlow
from realtime.messages.position import Position
from server.protocol.close_codes import ENDINGS, HEARTBEAT_TIMEOUT, ending_of, has_ending

_FAULT = 1011


def _with_subclasses(kind: type[Exception]) -> Iterator[type[Exception]]:
    for subclass in kind.__subclasses__():
        yield from _with_subclasses(subclass)
    if kind is not StreamEnded:  # is never raised itself
        yield kind


_ENDING_STREAMS = [
    found for kind in (NotFound, StoreUnavailable, StreamEnded, SubscriberTooSlow) for found in _with_subclasses(kind)
]


@pytest.mark.parametrize("kind", _ENDING_STREAMS)
def test_every_error_that_ends_a_stream_has_a_row(kind: type[Exception]) -> None:
    error = kind("why")
    assert has_ending(error)
    ending = ending_of(error)
    assert ending.code != _FAULT
    # RFC 6455, section 5.5.1: a control frame carries at most 125 bytes, two of which are the code.
    assert 0 < len(ending.reason.encode()) <= 123


def test_codes_are_those_of_the_contract() -> None:
    assert {kind.__name__: (row.code, row.reconnect) for kind, row in ENDINGS.items()} == {
        "NotFound": (1008, False),
        "BoardGone": (1008, False),
        "SubscriberTooSlow": (4013, True),
        "Draining": (1012, True),
        "LifetimeReached": (1012, True),
        "StoreUnavailable": (1013, True),
    }
    assert (HEARTBEAT_TIMEOUT.code, HEARTBEAT_TIMEOUT.reason) == (4000, "Heartbeat timeout")


def test_every_end_by_the_server_has_a_reason_of_its_own() -> None:
    kinds = list(_with_subclasses(StreamEnded))
    told = {(kind.code, ending_of(kind("why")).reason) for kind in kinds if issubclass(kind, StreamEnded)}
    assert len(told) == len({code for code, _ in told}) == len({reason for _, reason in told}) == len(kinds)


def test_too_slow_reader_learns_where_to_come_back_whole() -> None:
    cursor = Position("f" * 32, "0a0a0a0a", 10**18 - 1, 10**18 - 1, 9999).cursor
    ending = ending_of(SubscriberTooSlow("why", cursor))
    assert (ending.code, ending.reason) == (4013, f"Too slow; come back with after={cursor}")
    assert len(ending.reason.encode()) <= 123


def test_anything_else_is_our_fault() -> None:
    error = KeyError("x")
    assert not has_ending(error)
    assert ending_of(error).code == _FAULT
    assert "x" not in ending_of(error).reason
