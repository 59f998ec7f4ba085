"""The plan of one run, made from one seed: the faults, the clients, and the moments."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

from tests.faults.wanderer import DASHBOARD, EXITS, STRANGE, Leg

__all__ = ["ONE_SERVER", "Fault", "Plan", "plan_of"]

#: The kinds of faults of one server.
ONE_SERVER = ("drain", "kill")
#: The longest time of a fault, in steps of the writers.
_MAX_STEPS = 8


@dataclass(frozen=True)
class Fault:
    """One fault, and when it happens."""

    #: The unit of `count`: steps of the writers, or events that clients have received. The second may fall within a
    #: step.
    counts: Literal["written", "received"]
    count: int
    #: Passes of the event loop after that.
    turns: int
    #: `kill` ends a server, `drain` asks it to end. `tests/faults/cluster` has more.
    kind: str
    #: The server that it happens to.
    node: int = 0
    #: Steps of the writers after which a fault that lasts is over.
    steps: int = 0


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


def plan_of(seed: int, kinds: Collection[str] = ONE_SERVER, nodes: int = 1) -> Plan:
    """Return the plan of a seed, with faults of these kinds, on so many servers."""
    random = Random(seed)
    batches, commands = random.randint(5, 15), random.randint(5, 15)
    steps = batches + commands
    counts = (0, 1, 1, 2, 3) if nodes == 1 else (1, 2, 3)
    faults = tuple(_fault(random, steps, kinds, nodes) for _ in range(random.choice(counts)))
    subscribers = tuple(_subscriber(random, steps, nodes) for _ in range(random.randint(3, 6)))
    # A queue this small overflows with one batch, so a client may be dropped as slow through no fault of its own.
    queue = 3 if random.random() < 0.3 else None
    return Plan(seed, batches, commands, faults, subscribers, queue)


def _fault(random: Random, steps: int, kinds: Collection[str], nodes: int) -> Fault:
    what = random.choice(list(kinds)), random.randrange(nodes), random.randint(1, _MAX_STEPS)
    if random.random() < 0.5:
        return Fault("written", random.randrange(steps), random.randrange(30), *what)
    return Fault("received", random.randrange(steps * 8), random.randrange(30), *what)


def _subscriber(random: Random, steps: int, nodes: int) -> tuple[str, tuple[Leg, ...]]:
    field = random.choice(("boardEvents",) * 6 + (DASHBOARD, "boardChanges", "boardState"))
    exits: Sequence[str] = EXITS[field]
    deliveries: Sequence[str] = ("",)
    # In `state` delivery a later state replaces a waiting one, so the client's board may be older than its cursor. The
    # next state corrects that; a change would not. `changes` and `patch` can be mixed freely.
    if field == "boardEvents" and random.random() < 0.4:
        exits, deliveries = ("board-ws", "board-sse"), ("&delivery=changes", "&delivery=patch")
    return field, tuple(_leg(random, steps, exits, deliveries, nodes) for _ in range(random.randint(1, 5)))


def _leg(random: Random, steps: int, exits: Sequence[str], deliveries: Sequence[str], nodes: int) -> Leg:
    return Leg(
        exit=random.choice(exits),
        reads=random.choice((0, 1, 1, 2, 3, 5, 8, 13)),
        stalls_until=random.randint(0, steps) if random.random() < 0.3 else None,
        crashes=random.random() < 0.6,
        strange=random.choice(list(STRANGE)) if random.random() < 0.1 else None,
        options=random.choice(deliveries) + random.choice(("", "", "&slow=disconnect")),
        node=random.randrange(nodes),
    )
