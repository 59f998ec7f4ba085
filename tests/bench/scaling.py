"""`python -m tests.bench.scaling`: 1,000 nodes and 10 million readers, computed from the costs of one.

Nothing is served here. The readers are put on nodes by a seeded generator, and time runs in steps. The costs of one
unit are those that the benchmark measured (`tests/bench/RESULTS.md`) or arguments; `docs/scaling.md` explains the
result.
"""

from __future__ import annotations

import argparse
import math
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, fields

from realtime.backends.brokers.hint_broker import BEAT_SECONDS

__all__ = ["Costs", "Installation", "report"]

#: Seconds of a step of simulated time.
STEP_SECONDS = 0.1
#: Most simulated seconds until the installation counts as overloaded.
MOST_SECONDS = 3600.0


@dataclass(frozen=True)
class Costs:
    """What one unit costs; CPU times are microseconds."""

    #: A message at one reader, beyond the cost of its event (growth: 4,000 subscribers, 2.7 µs with their share).
    deliver_us: float = 2.0
    #: An event at a node with a reader of its board (growth: 10 subscribers; it includes what only the writer does).
    event_us: float = 3000.0
    #: The comparison of one watched board, each second (10,000: 6.2 ms at the node, 21 ms at the database).
    compare_us: float = 0.62
    compare_database_us: float = 2.1
    #: A text of the broker that a node hears. An assumption.
    hear_us: float = 40.0
    #: A reader that comes back: handshake, cursor, replay. An assumption.
    resume_us: float = 2000.0
    #: A read of a log at the database. An assumption.
    log_read_us: float = 300.0
    #: An event that the database stores: 1 s of a core for 1,500 single writes, the bound of the benchmark.
    write_us: float = 667.0
    #: Memory of a reader (idle-websocket) and of a watched board (an assumption), and of a node without any.
    reader_kib: float = 15.1
    board_kib: float = 30.0
    node_mib: float = 120.0


@dataclass(frozen=True)
class Installation:
    """The size, and the activity."""

    nodes: int = 1000
    readers: int = 10_000_000
    boards: int = 1_000_000
    #: Events of all boards in a second.
    events: float = 10_000.0
    #: Nodes on which the readers of one board are; 0 = any.
    homes: int = 0
    #: Cores of the database, and seconds over which clients spread their return.
    database_cores: float = 32.0
    spread_seconds: float = 5.0
    #: Seconds for which the broker is silent.
    silent_seconds: float = 30.0
    seed: int = 1


@dataclass(frozen=True)
class Load:
    """What the nodes and the database do in a quiet second."""

    #: The numbers of readers and of watched boards at each node.
    readers: list[int]
    watched: list[int]

    @property
    def follows(self) -> int:
        """Pairs of a node and a board that it watches."""
        return sum(self.watched)


def place(size: Installation) -> Load:
    """Put each reader on a node. Boards are chosen evenly, which watches most boards on most nodes."""
    chance = random.Random(size.seed)
    mean = size.readers / size.nodes
    readers = [max(0, round(chance.gauss(mean, math.sqrt(mean)))) for _ in range(size.nodes)]
    candidates = size.boards * min(1.0, size.homes / size.nodes) if size.homes else size.boards
    # The expected number of different boards among so many readers.
    watched = [round(candidates * -math.expm1(-count / candidates)) for count in readers]
    return Load(readers, watched)


def texts(size: Installation) -> float:
    """Return the texts that every node hears in a second: those of all nodes, and a sign of life of each."""
    return size.events + size.nodes / BEAT_SECONDS


def node_share(size: Installation, costs: Costs, load: Load, node: int) -> float:
    """Return the part of a core that a node uses."""
    per_board = size.events / size.boards
    delivered = load.readers[node] * per_board * costs.deliver_us
    followed = load.watched[node] * per_board * costs.event_us
    heard = texts(size) * costs.hear_us
    return (heard + delivered + followed + load.watched[node] * costs.compare_us) / 1e6


def database_share(size: Installation, costs: Costs, load: Load) -> tuple[float, float, float]:
    """Return the cores that the database uses for writes, for reads that hints cause, and for comparisons."""
    reads = load.follows * size.events / size.boards * costs.log_read_us
    return size.events * costs.write_us / 1e6, reads / 1e6, load.follows * costs.compare_database_us / 1e6


def steps() -> Iterator[float]:
    """Yield the times of the steps."""
    for number in range(1, round(MOST_SECONDS / STEP_SECONDS) + 1):
        yield number * STEP_SECONDS


def repair_seconds(size: Installation, costs: Costs, load: Load) -> float:
    """Return how long the database reads logs after the broker was silent; inf = it never gets done.

    Every node compares within a second, and reads each watched board with events once, whatever their number.
    """
    busy = sum(database_share(size, costs, load)) - database_share(size, costs, load)[1]
    changed = -math.expm1(-size.events / size.boards * size.silent_seconds)
    waiting = load.follows * changed
    rate = (size.database_cores - busy) * 1e6 / costs.log_read_us
    arriving = load.follows * size.events / size.boards
    for now in steps():
        waiting += (arriving - rate) * STEP_SECONDS
        if waiting <= 0:
            return now
    return math.inf


def reconnect_seconds(size: Installation, costs: Costs, load: Load) -> tuple[float, float]:
    """Return when the nodes have taken the readers of a lost tenth of them, and the most readers that wait at one."""
    chance = random.Random(size.seed + 1)
    lost = size.nodes // 10
    left = size.nodes - lost
    coming = Counter(chance.randrange(left) for _ in range(sum(load.readers[:lost])))
    last = most = 0.0
    for node in range(left):
        free = max(0.0, 1.0 - node_share(size, costs, load, lost + node))
        ended, longest = _served(coming[node], size.spread_seconds, free * 1e6 / costs.resume_us)
        last, most = max(last, ended), max(most, longest)
    return last, most


def replay_seconds(size: Installation, costs: Costs, load: Load) -> float:
    """Return how long the database reads the log for the readers of a lost tenth of the nodes; inf = it has no time."""
    free = size.database_cores - sum(database_share(size, costs, load))
    return sum(load.readers[: size.nodes // 10]) * costs.log_read_us / 1e6 / free if free > 0 else math.inf


def _served(readers: int, spread_seconds: float, per_second: float) -> tuple[float, float]:
    """Return when a node has served readers that come evenly for a time, and the longest queue."""
    waiting = longest = 0.0
    for now in steps():
        waiting += readers * STEP_SECONDS / spread_seconds if now <= spread_seconds + STEP_SECONDS / 2 else 0.0
        longest = max(longest, waiting)
        waiting = max(0.0, waiting - per_second * STEP_SECONDS)
        if now >= spread_seconds and waiting < 1e-6:
            return now, longest
    return math.inf, longest


def report(size: Installation, costs: Costs) -> list[tuple[str, str]]:
    """Return the figures with their names."""
    load = place(size)
    shares = [node_share(size, costs, load, node) for node in range(size.nodes)]
    writes, reads, compares = database_share(size, costs, load)
    worst = max(range(size.nodes), key=lambda node: shares[node])
    kib = load.readers[worst] * costs.reader_kib + load.watched[worst] * costs.board_kib
    last, queue = reconnect_seconds(size, costs, load)
    return [
        ("readers of a node, most", f"{max(load.readers):,}"),
        ("watched boards of a node, most", f"{max(load.watched):,}"),
        ("nodes that follow a board, mean", f"{load.follows / size.boards:,.1f}"),
        ("messages in a second, all nodes", f"{size.readers * size.events / size.boards:,.0f}"),
        ("texts of the broker in a second, at each node", f"{texts(size):,.0f}"),
        ("the same, at all nodes", f"{texts(size) * size.nodes:,.0f}"),
        ("part of a core, busiest node", f"{max(shares):.2f}"),
        ("memory of that node, MiB", f"{costs.node_mib + kib / 1024:,.0f}"),
        ("cores of the database: writes", f"{writes:,.1f}"),
        ("cores of the database: reads after hints", f"{reads:,.1f}"),
        ("cores of the database: comparisons", f"{compares:,.1f}"),
        (
            f"seconds to repair after {size.silent_seconds:g} s without hints",
            f"{repair_seconds(size, costs, load):.1f}",
        ),
        ("seconds until the nodes have taken the readers of a lost tenth", f"{last:.1f}"),
        ("seconds in which the database reads their replays", f"{replay_seconds(size, costs, load):.1f}"),
        ("readers that wait at a node then, most", f"{queue:,.0f}"),
    ]


def main() -> None:
    """Print the figures for one placement of the readers on any node, and for one by board."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.scaling", description=__doc__)
    for kind in (Installation, Costs):
        for one in fields(kind):
            if one.name != "homes":
                name = f"--{one.name.replace('_', '-')}"
                parser.add_argument(name, type=type(one.default), default=one.default)
    parser.add_argument("--homes", type=int, default=2, help="nodes of one board in the second column (default: 2)")
    given = vars(parser.parse_args())
    costs = Costs(**{one.name: given[one.name] for one in fields(Costs)})
    size = {one.name: given[one.name] for one in fields(Installation) if one.name != "homes"}
    spread, homed = (report(Installation(**size, homes=homes), costs) for homes in (0, given["homes"]))
    print(f"| | readers on any node | readers of a board on {given['homes']} nodes |\n| --- | --: | --: |")
    for (name, first), (_, second) in zip(spread, homed, strict=True):
        print(f"| {name} | {first} | {second} |")


if __name__ == "__main__":
    main()
