"""No event is lost in a cluster: servers, their connections, PostgreSQL and Redis all fail at random.

Continuous integration does a few runs on three servers. For more: `make faults NODES=3 RUNS=5000`. A failure prints
seed and plan. `make faults NODES=3 SEED=… RUNS=10` repeats it, as far as processes can repeat.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom

import pytest

from tests.faults.cluster.cluster import Cluster, running_cluster
from tests.faults.plan import plan_of
from tests.faults.run import Run, Site
from tests.kit.deadline import deadline
from tests.kit.postgres_databases import make_template
from tests.kit.postgres_server import PostgresServer, running_postgres
from tests.kit.redis_server import RedisServer, running_redis
from tests.kit.small_disk import SmallDisk, small_disk

_NODES = int(os.environ.get("BOARDCAST_FAULT_NODES", "3"))
_SEED = os.environ.get("BOARDCAST_FAULT_SEED")
#: Each part has servers of its own, which all its runs use.
_PARTS = ("notifications", "redis", "full disk")
_RUNS = max(1, int(os.environ.get("BOARDCAST_FAULT_RUNS", "9")) // len(_PARTS))
_RUN_UNITS = 60
#: A last resort of pytest; each run has its own deadline.
_SECONDS = 300 + 20 * _RUNS
_DISK_MEBIBYTES = 160


@dataclass(frozen=True)
class _Parts:
    """The servers beside ours."""

    postgres: PostgresServer
    redis: RedisServer | None = None
    disk: SmallDisk | None = None


@pytest.fixture
def beside(part: str, postgres: PostgresServer) -> Iterator[_Parts]:
    """PostgreSQL and the rest of a part."""
    with ExitStack() as stack:
        match part:
            case "redis":
                yield _Parts(postgres, redis=stack.enter_context(running_redis()))
            case "full disk":
                disk = stack.enter_context(small_disk(_DISK_MEBIBYTES))
                own = stack.enter_context(running_postgres(disk.folder, max_wal_size="32MB", min_wal_size="32MB"))
                make_template(own)
                yield _Parts(own, disk=disk)
            case _:
                yield _Parts(postgres)


@pytest.mark.timeout(_SECONDS)
@pytest.mark.parametrize("part", _PARTS)
async def test_each_event_arrives_once_and_in_order_in_a_broken_cluster(
    part: str, beside: _Parts, tmp_path: Path
) -> None:
    first = int(_SEED) if _SEED else SystemRandom().getrandbits(32)
    made = running_cluster(tmp_path, _NODES, beside.postgres, redis=beside.redis, disk=beside.disk, seed=first)
    async with made as cluster:
        for n in range(_RUNS):
            await _check_run(cluster, n, first if _SEED else SystemRandom().getrandbits(32))
        print(f"{_RUNS} histories of {part}, with the faults {dict(sorted(cluster.counts.items()))}")


async def _check_run(cluster: Cluster, n: int, seed: int) -> None:
    plan = plan_of(seed, cluster.kinds, _NODES)
    try:
        async with deadline(_RUN_UNITS):
            # All commands have keys, see `Commander`.
            await Run(plan, Site(cluster.servers, cluster.fault, f"board-{n}", keyed=1)).go()
    except BaseException as error:
        print(f"run {n}: make faults NODES={_NODES} SEED={seed} RUNS=10\n{plan}\n{error!r}")
        raise
