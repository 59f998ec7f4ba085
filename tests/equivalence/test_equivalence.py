"""Every exit sends the same events: random commands and events on a running server, all exits compared after each.

Half of the parts run on SQLite, the others on PostgreSQL.

Continuous integration does 200 runs of 50 steps, in parts that can run in parallel. A longer run: `make equivalence
EXAMPLES=1000`. Each run is random; a failure prints how to reproduce it.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.equivalence.machine import EquivalenceMachine
from tests.equivalence.stage import EXAMPLES, Stage, check_machine, open_stage
from tests.equivalence.world import World

#: The store of each part.
_STORES = ("sqlite", "sqlite", "postgresql", "postgresql")
_PARTS = len(_STORES)
_RUNS = EXAMPLES // _PARTS
#: A last resort of pytest; each step has its own deadline.
_SECONDS = 120 + 10 * _RUNS


@pytest.fixture
def stage(part: int, request: pytest.FixtureRequest) -> Iterator[Stage]:
    """Run a server that needs no token."""
    of_postgres = {"database_url": request.getfixturevalue("postgres_url")} if _STORES[part] == "postgresql" else {}
    with open_stage(part, **of_postgres) as opened:
        yield opened


@pytest.mark.timeout(_SECONDS)
@pytest.mark.parametrize("part", range(_PARTS), ids=[f"{store}-{part}" for part, store in enumerate(_STORES)])
def test_all_exits_send_the_same_after_each_step(part: int, stage: Stage) -> None:
    def machine() -> EquivalenceMachine:
        return EquivalenceMachine(stage.portal, World(stage.server.address, stage.clock, uuid4().hex[:12]))

    check_machine(machine, _RUNS)
