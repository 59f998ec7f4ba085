"""Several servers on one PostgreSQL database, each behind a relay, and the faults of all these parts."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import anyio
import orjson
import psycopg
from anyio import to_thread

from tests.faults.cluster.relay import RELAY_KINDS, Relay, open_relay
from tests.faults.plan import Fault
from tests.faults.processes import ManagedServer, managed_server
from tests.faults.run import GRACE, RESTARTS
from tests.faults.steps import Steps
from tests.kit.deadline import deadline
from tests.kit.postgres_databases import TEMPLATE
from tests.kit.postgres_server import PostgresServer
from tests.kit.raw_http import exchange
from tests.kit.redis_server import RedisServer
from tests.kit.small_disk import SmallDisk

__all__ = ["Cluster", "running_cluster"]

_NODE_KINDS = (*RESTARTS, "pause", "cut", *RELAY_KINDS)
_POSTGRES_KINDS = ("postgres-crash", "postgres-terminate", "postgres-pause")
_REDIS_KINDS = ("redis-kill", "redis-flush", "redis-pause")
_DISK_KIND = "disk-full"
#: Faults that break what clients have with one server, and with all servers. Nobody may notice the others.
_BREAKS_ONE = ("cut", "tear")
_BREAKS_ALL = ("postgres-crash", "postgres-terminate", _DISK_KIND)
#: The longest time that a fault lasts if the writers do not go on, because it stops them, too.
_MAX_FAULT_SECONDS = 1.0
_RECOVERY_UNITS = 30
_FILLER = "filler"
#: Batches that fill what PostgreSQL has reserved of a full disk.
_MAX_FILLERS = 200
_FILLER_BYTES = 400_000


@dataclass
class Cluster:
    """Servers that run; made by `running_cluster`."""

    servers: Sequence[ManagedServer]
    relays: Sequence[Relay]
    postgres: PostgresServer
    url: str
    redis: RedisServer | None
    disk: SmallDisk | None
    random: Random
    #: How many faults of each kind there were.
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of faults that can happen here."""
        redis = _REDIS_KINDS if self.redis else ()
        # The others have runs of their own.
        return (_DISK_KIND, _DISK_KIND, "kill") if self.disk else (*_NODE_KINDS, *_POSTGRES_KINDS, *redis)

    @asynccontextmanager
    async def fault(self, fault: Fault, written: Steps) -> AsyncIterator[None]:
        """Carry out a fault. The block begins when it is over; only when the block ends must everything work again."""

        async def last() -> None:
            with anyio.move_on_after(_MAX_FAULT_SECONDS):
                await written.reached(written.count + fault.steps)

        self.counts[fault.kind] += 1
        broken = self.servers if fault.kind in _BREAKS_ALL else ()
        broken = (self.servers[fault.node],) if fault.kind in _BREAKS_ONE else broken
        async with AsyncExitStack() as excuses:
            for server in broken:
                excuses.enter_context(server.excused())
            await self._carry_out(fault, last)
            yield

    async def _carry_out(self, fault: Fault, last: Callable[[], Awaitable[None]]) -> None:
        place, _, what = fault.kind.partition("-")
        match place:
            case "postgres":
                await self._break_postgres(what, last)
            case "redis":
                await self._break_redis(what, last)
            case "disk":
                await self._fill_disk(last)
            case _:
                await self._break_node(fault, last)

    async def _break_node(self, fault: Fault, last: Callable[[], Awaitable[None]]) -> None:
        server, relay = self.servers[fault.node], self.relays[fault.node]
        if fault.kind in RESTARTS:
            await server.restart(RESTARTS[fault.kind])
        elif fault.kind == "pause":
            server.send_signal(signal.SIGSTOP)
            await last()
            server.send_signal(signal.SIGCONT)
        elif fault.kind == "cut":
            relay.cut()
        else:
            relay.treat(fault.kind)
            await last()
            relay.pass_on()

    async def _break_postgres(self, what: str, last: Callable[[], Awaitable[None]]) -> None:
        match what:
            case "crash":  # what `pg_ctl restart -m immediate` does
                await to_thread.run_sync(self.postgres.stop, signal.SIGQUIT)
                self.postgres.start()
            case "terminate":
                await to_thread.run_sync(self.postgres.terminate_connections, self.url)
            case _:
                self.postgres.pause()
                await last()
                self.postgres.resume()

    async def _break_redis(self, what: str, last: Callable[[], Awaitable[None]]) -> None:
        assert self.redis is not None
        match what:
            case "kill":
                self.redis.kill()
                await last()
                self.redis.start()
            case "flush":
                self.redis.flush()
            case _:
                self.redis.pause()
                await last()
                self.redis.resume()

    async def _fill_disk(self, last: Callable[[], Awaitable[None]]) -> None:
        assert self.disk is not None
        self.disk.fill()
        try:
            await self._notice_full_disk()
            await last()
        finally:
            self.disk.free()
        async with deadline(_RECOVERY_UNITS):
            while not await self._has_postgres():
                await anyio.lowlevel.checkpoint()

    async def _notice_full_disk(self) -> None:
        """Write to another board until PostgreSQL has no more space."""
        for _ in range(_MAX_FILLERS):
            text = self.random.randbytes(_FILLER_BYTES // 2).hex()
            line = {"boardId": _FILLER, "attemptId": "a", "level": "info", "message": text}
            project = {"projectId": _FILLER, "name": _FILLER, "repositoryPath": "/"}
            events = [
                {"name": "project.created", "payload": project},
                {"name": "attempt.log.appended", "payload": line},
            ]
            answer = await exchange(self.servers[0].address, "POST", "/api/v1/events", orjson.dumps(events))
            if answer.status == 503:
                return
            assert answer.status == 202, answer
        raise AssertionError("expected a refusal from a full disk")

    async def _has_postgres(self) -> bool:
        """Return whether PostgreSQL answers. Start it if the full disk ended it."""
        if self.postgres.has_ended:
            self.postgres.start()
        try:
            await to_thread.run_sync(self.postgres.run, "SELECT 1")
        except psycopg.OperationalError:
            return False
        return True


@asynccontextmanager
async def running_cluster(
    folder: Path,
    count: int,
    postgres: PostgresServer,
    *,
    redis: RedisServer | None = None,
    disk: SmallDisk | None = None,
    seed: int = 0,
) -> AsyncIterator[Cluster]:
    """Run so many servers on a new database until the block ends. Without Redis, PostgreSQL notifies them."""
    random = Random(seed)
    async with AsyncExitStack() as stack:
        url = stack.enter_context(postgres.database(TEMPLATE))
        broker = ("--broker-url", redis.url) if redis else ()
        servers, relays = [], []
        for n in range(count):
            own = folder / f"node-{n}"
            own.mkdir()
            started = managed_server(own, *GRACE, "--database-url", url, *broker)
            server = await stack.enter_async_context(started)
            relay = await stack.enter_async_context(open_relay(server.address, random))
            server.address = relay.address
            servers.append(server)
            relays.append(relay)
        yield Cluster(servers, relays, postgres, url, redis, disk, random)
