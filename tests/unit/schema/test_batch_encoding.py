"""The results of a batch are made at once only while that is quick."""

from __future__ import annotations

import pytest

from realtime.clock import system_clock
from realtime.messages.batches import Batch
from realtime.messages.envelopes import Envelope, access
from schema.execution import event_selector
from schema.execution.event_selector import BatchEncoding, Encoding, EventSelector
from schema.plan.compiling import Plan


class _Encoded:
    """Counts the events that it encodes."""

    def __init__(self) -> None:
        self.count = 0
        self.encoding = BatchEncoding(Encoding(Plan("shown", self._complete), EventSelector(_type_of, None)))

    def _complete(self, event: object) -> object:
        self.count += 1
        return event


def _type_of(envelope: Envelope) -> str:
    return envelope.type


def _batch(count: int) -> Batch:
    return Batch(access(system_clock()) for _ in range(count))


@pytest.mark.parametrize("count", [1, 3])
def test_quick_results_are_made_at_once(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_selector, "QUICK_SECONDS", 60)
    encoded = _Encoded()
    results = encoded.encoding(_batch(count))
    assert results is not None
    assert [result.data for result in results] == [b'{"shown":"access"}'] * count
    assert encoded.count == count


def test_results_that_take_long_are_left_to_the_generators(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_selector, "QUICK_SECONDS", -1)
    encoded = _Encoded()
    assert encoded.encoding(_batch(3)) is None
    assert encoded.count == 1


def test_single_result_is_made_however_long_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_selector, "QUICK_SECONDS", -1)
    assert _Encoded().encoding(_batch(1)) is not None
