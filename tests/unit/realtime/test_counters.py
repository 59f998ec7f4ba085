"""Counters: one end for each stream, under its reason."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from realtime.endings import SEND_TIMEOUT
from realtime.errors import BoardGone, Draining, StoreUnavailable, SubscriberTooSlow
from realtime.fanout.counters import ConnectionMetrics, Counters, ExitCounters
from realtime.messages.batches import Batch
from realtime.messages.envelopes import Envelope, goodbye
from realtime.messages.payloads import Gap


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (BoardGone("gone"), "board_deleted"),
        (Draining("stops"), "server_shutdown"),
        (SubscriberTooSlow("full"), "slow_consumer"),
        (StoreUnavailable("away"), "store_unavailable"),
        (KeyError("ours"), "internal_error"),
        (GeneratorExit(), "client_left"),
        (asyncio.CancelledError(), "client_left"),
    ],
)
def test_stream_is_counted_while_it_runs_and_then_under_what_ended_it(error: BaseException, reason: str) -> None:
    metrics = ConnectionMetrics()
    with pytest.raises(type(error)), metrics.reading():  # noqa: PT012 - the assertion is in between
        assert (metrics.counters.readers, metrics.counters.ended) == (1, {})
        raise error
    assert (metrics.counters.readers, metrics.counters.ended) == (0, {reason: 1})


def _closed(metrics: ConnectionMetrics) -> None:
    metrics.close_reason = SEND_TIMEOUT
    raise GeneratorExit


def _returned(metrics: ConnectionMetrics) -> None:
    metrics.close_reason = SEND_TIMEOUT


@pytest.mark.parametrize("leave", [_closed, _returned])
def test_code_that_cuts_the_connection_names_the_reason(leave: Callable[[ConnectionMetrics], None]) -> None:
    metrics = ConnectionMetrics()
    try:
        with metrics.reading(), metrics.reading():
            leave(metrics)
    except GeneratorExit:
        pass
    assert metrics.counters.ended == {"send_timeout": 2}


def test_published_gaps_are_counted_by_reason() -> None:
    counters = ExitCounters()
    for reason in ("slow_consumer", "slow_consumer", "other_board"):
        counters.sent_batch(Batch([Envelope(Gap(reason, "a", "b"))]))
    counters.sent_batch(Batch([goodbye("board_deleted", 0)]))
    assert (counters.sent, counters.gaps) == (4, {"slow_consumer": 2, "other_board": 1})


def test_exit_has_the_same_counters_each_time() -> None:
    counters = Counters()
    counters.exit("board-ws").sent += 1
    assert counters.exit("board-ws").sent == 1
    assert list(counters.exits) == ["board-ws"]
