"""The plan of one run, made from one seed: the faults, the clients, and the moments."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

from tests.faults.wanderer import DASHBOARD, EXITS, STRANGE, Leg

__all__ = ["Fault", "Plan", "plan_of"]


@dataclass(frozen=True)
class Fault:
    """A signal ends the server; then the server starts again."""

    #: The unit of `count`: steps of the writers, or events that clients have received. The second may fall within a
    #: step.
    counts: Literal["written", "received"]
    count: int
    #: Passes of the event loop after that.
    turns: int
    signal: signal.Signals


@dataclass(frozen=True)
class Plan:
    """Everything that happens in one run."""

    seed: int
    batches: int
    commands: int
    faults: tuple[Fault, ...]
    #: For each client: its GraphQL subscription, and the legs of its journey.
    subscribers: tuple[tuple[str, tuple[Leg, ...]], ...]
    #: Capacity of a subscriber's queue, in envelopes. None: far more than the run needs.
    queue: int | None


def plan_of(seed: int) -> Plan:
    """Return the plan of a seed."""
    random = Random(seed)
    batches, commands = random.randint(5, 15), random.randint(5, 15)
    steps = batches + commands
    faults = tuple(_fault(random, steps) for _ in range(random.choice((0, 1, 1, 2, 3))))
    subscribers = tuple(_subscriber(random, steps) for _ in range(random.randint(3, 6)))
    # A queue this small overflows with one batch, so a client may be dropped as slow through no fault of its own.
    queue = 3 if random.random() < 0.3 else None
    return Plan(seed, batches, commands, faults, subscribers, queue)


def _fault(random: Random, steps: int) -> Fault:
    number = random.choice((signal.SIGTERM, signal.SIGKILL))
    if random.random() < 0.5:
        return Fault("written", random.randrange(steps), random.randrange(30), number)
    return Fault("received", random.randrange(steps * 8), random.randrange(30), number)


def _subscriber(random: Random, steps: int) -> tuple[str, tuple[Leg, ...]]:
    field = random.choice(("boardEvents",) * 6 + (DASHBOARD, "boardChanges", "boardState"))
    exits: Sequence[str] = EXITS[field]
    deliveries: Sequence[str] = ("",)
    # In `state` delivery a later state replaces a waiting one, so the client's board may be older than its cursor. The
    # next state corrects that; a change would not. `changes` and `patch` can be mixed freely.
    if field == "boardEvents" and random.random() < 0.4:
        exits, deliveries = ("board-ws", "board-sse"), ("&delivery=changes", "&delivery=patch")
    return field, tuple(_leg(random, steps, exits, deliveries) for _ in range(random.randint(1, 5)))


def _leg(random: Random, steps: int, exits: Sequence[str], deliveries: Sequence[str]) -> Leg:
    return Leg(
        exit=random.choice(exits),
        reads=random.choice((0, 1, 1, 2, 3, 5, 8, 13)),
        stalls_until=random.randint(0, steps) if random.random() < 0.3 else None,
        crashes=random.random() < 0.6,
        strange=random.choice(list(STRANGE)) if random.random() < 0.1 else None,
        options=random.choice(deliveries) + random.choice(("", "", "&slow=disconnect")),
    )
