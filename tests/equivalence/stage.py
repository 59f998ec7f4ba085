"""The server of a machine, on the loop of another thread, and the settings of a run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from tests.kit.live_server import LiveServer, live_server
from tests.kit.moving_clock import MovingClock

__all__ = ["EXAMPLES", "Stage", "check_machine", "open_stage"]

_VARIABLE = "BOARDCAST_EQUIVALENCE_EXAMPLES"
#: Runs of a whole test.
EXAMPLES = max(4, int(os.environ.get(_VARIABLE, "200")))
_STEPS = 50


@dataclass(frozen=True)
class Stage:
    """A server whose clock moves only between steps; `portal` runs all steps on its event loop."""

    portal: BlockingPortal
    server: LiveServer
    clock: MovingClock


@contextmanager
def open_stage(part: int, **overrides: Any) -> Iterator[Stage]:
    """Run a server with these settings. Every second part sends everything through ASGI.

    In these parts each subscriber of a board gets a batch in a pass of its own, as in a large fan-out.
    """
    clock = MovingClock()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("server.wiring.system_clock", clock)
        if part % 2:
            patch.setattr("realtime.fanout.broadcast_queue.TURN_SUBSCRIBERS", 1)
        with (
            start_blocking_portal("asyncio", {"use_uvloop": True}) as portal,
            portal.wrap_async_context_manager(live_server(direct_writes=part % 2 == 0, **overrides)) as server,
        ):
            yield Stage(portal, server, clock)


def check_machine(machine: Callable[[], RuleBasedStateMachine], examples: int) -> None:
    """Run so many random histories; the machine compares after each step."""
    run_state_machine_as_test(
        machine,  # type: ignore[arg-type]  # any callable that returns a machine works, as documented
        settings=settings(
            max_examples=examples,
            stateful_step_count=_STEPS,
            deadline=None,
            database=None,
            print_blob=True,
            # No shrinking: the first failing run is clear enough, and each run costs a second.
            phases=(Phase.explicit, Phase.generate),
            suppress_health_check=list(HealthCheck),
        ),
    )
