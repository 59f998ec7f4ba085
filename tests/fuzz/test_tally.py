"""Verdicts and the report: continuous growth is detected, other growth is not, and faults are reproducible."""

from __future__ import annotations

import random

from tests.fuzz.judge import Fault, Kind
from tests.fuzz.report import as_text, distinct
from tests.fuzz.tally import Tally, growth_of, memory_faults, proven_growth_of, wait_faults
from tests.fuzz.witness import Sight

_MIB = 1024 * 1024


def _memory(grow: float, *, cold: float = 30 * _MIB) -> list[tuple[float, int]]:
    """Return a measurement every ten seconds.

    Caches fill first. Then memory grows by this many bytes per second, with noise.
    """
    rng = random.Random(1)
    warmth = [cold * min(place, 20) / 20 for place in range(50)]
    noise = [rng.uniform(-_MIB, _MIB) for _ in range(50)]
    return [(10.0 * place, int(80 * _MIB + warmth[place] + grow * 10 * place + noise[place])) for place in range(50)]


def test_growth_that_goes_on_is_a_fault() -> None:
    growth = growth_of(_memory(0.02 * _MIB))
    assert growth is not None
    assert 50 * _MIB < growth < 100 * _MIB
    assert [fault.kind for fault in memory_faults(Tally("x", memory=_memory(0.02 * _MIB)))] == [Kind.MEMORY]


def test_memory_that_levels_off_is_no_fault() -> None:
    assert memory_faults(Tally("x", memory=_memory(0))) == []


def _swinging(grow: float, seed: int) -> list[tuple[float, int]]:
    """Return sixty measurements in 600 s, most of them with up to 30 MiB that are free but not yet returned."""
    rng = random.Random(seed)
    return [(10.0 * place, int((100 + grow * 10 * place + rng.uniform(0, 30)) * _MIB)) for place in range(60)]


def test_memory_that_swings_is_a_fault_only_where_it_grows() -> None:
    runs = range(100)
    assert sum(bool(memory_faults(Tally("x", memory=_swinging(0, seed)))) for seed in runs) <= 10
    assert sum(bool(memory_faults(Tally("x", memory=_swinging(0.2, seed)))) for seed in runs) >= 99


def test_proven_growth_is_no_more_than_growth() -> None:
    for memory in (_memory(0.02 * _MIB), _memory(0), _swinging(0.1, 1)):
        growth, proven = growth_of(memory), proven_growth_of(memory)
        assert growth is not None
        assert proven is not None
        assert proven <= growth


def test_peak_is_a_fault_also_where_memory_is_given_back() -> None:
    tally = Tally("x", memory=_memory(0), peak=5_000 * _MIB)
    assert [fault.kind for fault in memory_faults(tally)] == [Kind.MEMORY]


def test_few_measurements_give_no_verdict() -> None:
    assert growth_of(_memory(1)[:25]) is None


def test_long_wait_is_a_fault() -> None:
    seen = {"ping": Sight(asked=10, longest=0.3, at=100.0), "query": Sight(asked=10, longest=0.2, at=100.0)}
    spans = [(99.0, 99.6, 1), (99.0, 99.8, 2), (99.8, 101.0, 3), (100.1, 101.0, 4), (98.0, 102.0, 5)]
    (fault,) = wait_faults(Tally("x", seen=seen, spans=spans))
    assert fault.what.startswith("ping: 300 ms")
    assert fault.numbers == (2, 3, 5)


def test_wait_in_which_other_machines_had_the_cores_is_shown_and_no_fault() -> None:
    tally = Tally("x", seen={"ping": Sight(asked=10, longest=0.1, disturbed=0.4), "query": Sight(asked=10)})
    assert wait_faults(tally) == []
    assert any(
        line.split() == ["longest", "of", "all,", "cores", "taken", "(ms)", "400"]
        for line in as_text(1, [tally]).splitlines()
    )


def test_equal_faults_are_reported_once_with_a_command_that_repeats_one() -> None:
    faults = [
        Fault(Kind.HANG, "entry 1: x", (1, 2, 3)),
        Fault(Kind.HANG, "entry 2: x", (9,)),
        Fault(Kind.TRACEBACK, "y"),
    ]
    assert distinct(faults) == [(faults[1], 2), (faults[2], 1)]
    text = as_text(5, [Tally("without tokens", faults=faults)])
    assert "python -m tests.fuzz --seed 5 --only 9 --anonymous" in text
