"""Every exit sends the same events: random commands and events on a running server, all exits compared after each.

Continuous integration does 200 runs of 50 steps, in parts that can run in parallel. A longer run: `make equivalence
EXAMPLES=1000`. Each run is random; a failure prints how to reproduce it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.equivalence.machine import EquivalenceMachine
from tests.kit.live_server import LiveServer, live_server
from tests.kit.moving_clock import MovingClock

_VARIABLE = "BOARDCAST_EQUIVALENCE_EXAMPLES"
_PARTS = 4
_EXAMPLES = max(1, int(os.environ.get(_VARIABLE, "200")) // _PARTS)
_STEPS = 50
#: A last resort of pytest; each step has its own deadline.
_SECONDS = 120 + 10 * _EXAMPLES


@dataclass(frozen=True)
class _Stage:
    """A server on the loop of another thread."""

    portal: BlockingPortal
    server: LiveServer
    clock: MovingClock

    def machine(self) -> EquivalenceMachine:
        """Return a new machine."""
        return EquivalenceMachine(self.portal, self.server.address, self.clock)


@pytest.fixture
def stage(part: int) -> Iterator[_Stage]:
    """Run a server whose clock moves only between steps. Every second part sends everything through ASGI.

    In these parts each subscriber of a board gets a batch in a pass of its own, as in a large fan-out.
    """
    clock = MovingClock()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("server.wiring.system_clock", clock)
        if part % 2:
            patch.setattr("realtime.fanout.broadcast_queue.TURN_SUBSCRIBERS", 1)
        with (
            start_blocking_portal("asyncio", {"use_uvloop": True}) as portal,
            portal.wrap_async_context_manager(live_server(direct_writes=part % 2 == 0)) as server,
        ):
            yield _Stage(portal, server, clock)


@pytest.mark.timeout(_SECONDS)
@pytest.mark.parametrize("part", range(_PARTS))
def test_all_exits_send_the_same_after_each_step(part: int, stage: _Stage) -> None:
    run_state_machine_as_test(
        stage.machine,  # type: ignore[arg-type]  # any callable that returns a machine works, as documented
        settings=settings(
            max_examples=_EXAMPLES,
            stateful_step_count=_STEPS,
            deadline=None,
            database=None,
            print_blob=True,
            # No shrinking: the first failing run is clear enough, and each run costs a second.
            phases=(Phase.explicit, Phase.generate),
            suppress_health_check=list(HealthCheck),
        ),
    )
