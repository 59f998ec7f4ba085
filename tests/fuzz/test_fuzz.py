"""The short run: a fixed number of inputs against a running server."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.entries import ENTRIES
from tests.fuzz.report import as_text
from tests.fuzz.run import run_lap

_SEED = 12
_INPUTS = {True: 1_000, False: 500}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("authenticates", [True, False], ids=["with-tokens", "without-tokens"])
async def test_rubbish_on_every_entry_makes_no_fault(authenticates: bool, tmp_path: Path) -> None:
    tally = await run_lap(tmp_path, _SEED, range(_INPUTS[authenticates]), authenticates=authenticates)
    assert not tally.faults, as_text(_SEED, [tally])
    assert tally.inputs.total() == _INPUTS[authenticates]
    assert set(tally.inputs) >= set(ENTRIES)
    assert all(sight.asked for sight in tally.seen.values())
