"""Batches keep the newest of conflated types, and compute everything about it once for all subscribers."""

from __future__ import annotations

from realtime.messages.batches import Batch
from realtime.messages.envelopes import Envelope, goodbye
from realtime.messages.payloads import Gap, GitStatus
from tests.kit.plain_envelopes import plain


def _log(cursor: str | None = None) -> Envelope:
    return plain("attempt_log", {"message": "m"}, cursor)


def test_cursor_is_the_last_that_there_is() -> None:
    assert Batch([_log("c-1"), _log("c-2"), goodbye("r", 1)]).cursor == "c-2"
    assert Batch([goodbye("r", 1)]).cursor is None
    assert Batch([]).cursor is None


def test_size_is_that_of_the_payloads() -> None:
    assert Batch([_log(), Envelope(GitStatus())]).size == len(b'{"message":"m"}') + len(b"{}")


def test_gaps_are_named_by_their_reasons() -> None:
    gap = Envelope(Gap("slow_consumer", "a", "b"))
    assert Batch([gap, _log()]).gaps == ("slow_consumer",)
    assert Batch([_log()]).gaps == ()


def test_results_of_a_batch_are_computed_once() -> None:
    calls: list[str] = []

    def types(batch: Batch) -> bytes:
        calls.append("types")
        return b" ".join([envelope.type.encode() for envelope in batch])

    def count(batch: Batch) -> int:
        return len(batch)

    batch = Batch([_log(), goodbye("r", 1)])
    assert (batch.cached(types), batch.cached(count)) == (b"attempt_log goodbye", 2)
    assert batch.cached(types) is batch.cached(types)
    assert calls == ["types"]
