"""No event is lost with random writers, clients that crash, stall and change exits, and a server that restarts.

Continuous integration does 100 runs, in parts that can run in parallel. For more: `make faults RUNS=10000`. A failure
prints seed and plan. `make faults SEED=… RUNS=10` repeats it, as far as processes can repeat.
"""

from __future__ import annotations

import os
from pathlib import Path
from random import SystemRandom
from shutil import copyfile

import pytest

from tests.faults.plan import plan_of
from tests.faults.processes import DATABASE
from tests.faults.run import check_run
from tests.kit.nodes import open_store

_RUNS_VARIABLE = "BOARDCAST_FAULT_RUNS"
_SEED_VARIABLE = "BOARDCAST_FAULT_SEED"
_PARTS = 4
_RUNS = max(1, int(os.environ.get(_RUNS_VARIABLE, "100")) // _PARTS)
#: A last resort of pytest; each run has its own deadline.
_SECONDS = 120 + 10 * _RUNS


@pytest.fixture
async def empty(tmp_path: Path) -> Path:
    """Return a database that already has its tables."""
    path = tmp_path / "empty.db"
    async with open_store(f"sqlite:///{path}"):
        return path


@pytest.mark.timeout(_SECONDS)
@pytest.mark.parametrize("part", range(_PARTS))
async def test_each_event_arrives_once_and_in_order_despite_faults(part: int, empty: Path, tmp_path: Path) -> None:
    given = os.environ.get(_SEED_VARIABLE)
    for n in range(_RUNS):
        seed = int(given) if given else SystemRandom().getrandbits(32)
        plan = plan_of(seed)
        folder = tmp_path / str(n)
        folder.mkdir()
        copyfile(empty, folder / DATABASE)
        try:
            await check_run(plan, folder)
        except BaseException as error:
            print(f"run {n}: make faults SEED={seed} RUNS=10\n{plan}\n{error!r}")
            raise
