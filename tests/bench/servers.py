"""Servers in separate processes: Boardcast as an operator starts it, and the peers.

This module starts and stops them, and reads their CPU time and memory. `measures` does the rest.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.kit.deadline import seconds
from tests.kit.raw_http import Address

__all__ = ["BOARDCAST", "PEERS", "BenchServer", "Servers", "peer_missing", "servers_for"]

_ROOT = Path(__file__).resolve().parents[2]
_PEERS = Path(__file__).with_name("peers")
_NATIVE = _PEERS / "native"
#: The kernel's CPUCLOCK_SCHED, for a process.
_PROCESS_CPU = 2
_START_UNITS = 30
_STOP_UNITS = 10

BOARDCAST = "boardcast"
#: Name in the tables → command.
PEERS: dict[str, Sequence[str]] = {
    "node": ("node", str(_PEERS / "fan_out.mjs")),
    "yoga": ("node", str(_PEERS / "yoga.mjs")),
    "mercurius": ("node", str(_PEERS / "mercurius.mjs")),
    "graphql-js": ("node", str(_PEERS / "graphql_js.mjs")),
    "fastify": ("node", str(_NATIVE / "stored.mjs")),
    "yoga-stored": ("node", str(_NATIVE / "yoga_stored.mjs")),
    "uvicorn": (sys.executable, "-m", "tests.bench.peers.bare_uvicorn"),
    "strawberry": (sys.executable, "-m", "tests.bench.peers.stock_strawberry"),
}


@dataclass(frozen=True)
class BenchServer:
    """A server that listens at `address`, process `pid`."""

    name: str
    address: Address
    pid: int
    #: Its database file, for rows that would take too long to send; None for a peer.
    database: Path | None = None

    def cpu_seconds(self) -> float:
        """Return the CPU time of all its threads, user and system, in seconds; nan where Linux does not provide it."""
        if sys.platform != "linux":
            return float("nan")
        # The clock of clock_getcpuclockid(3) counts nanoseconds; `/proc` counts ticks of 10 ms.
        return time.clock_gettime(~self.pid << 3 | _PROCESS_CPU)

    def resident_kib(self) -> float:
        """Return its memory in KiB; nan where there is no `/proc`."""
        try:
            pages = int(Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1])
        except FileNotFoundError:
            return float("nan")
        return pages * os.sysconf("SC_PAGE_SIZE") / 1024


def peer_missing(name: str) -> str | None:
    """Return one sentence that says why a peer cannot run here, None if it can."""
    if name == BOARDCAST or PEERS[name][0] != "node":
        return None
    if shutil.which("node") is None:
        return "Node.js is not installed"
    # Those with a database of their own use the packages of the others, too.
    folders = {_PEERS, Path(PEERS[name][1]).parent}
    if not all((folder / "node_modules").is_dir() for folder in folders):
        return "its npm packages are not installed (make peers native-peers)"
    return None


class Servers:
    """Servers by name, each started at its first use. Made by `servers_for`."""

    def __init__(self, folder: Path, stack: AsyncExitStack) -> None:
        """Keep files in `folder`; `stack` stops the servers."""
        self._folder, self._stack = folder, stack
        self._running: dict[str, BenchServer] = {}

    async def get(self, name: str) -> BenchServer:
        """Return `BOARDCAST`, with its defaults and a new database file, or a peer. Call `peer_missing` first."""
        if name not in self._running:
            self._running[name] = await self._stack.enter_async_context(_running(name, self._folder))
        return self._running[name]


@asynccontextmanager
async def servers_for() -> AsyncIterator[Servers]:
    """Run the servers that the block requests, until the block ends."""
    async with AsyncExitStack() as stack:
        yield Servers(Path(stack.enter_context(tempfile.TemporaryDirectory())), stack)


@asynccontextmanager
async def _running(name: str, folder: Path) -> AsyncIterator[BenchServer]:
    database = folder / "bench.db" if name == BOARDCAST else None
    command = _boardcast(database) if database else _peer(name, folder)
    # The benchmark measures the defaults, so it removes all settings from the environment.
    settings = {key: value for key, value in os.environ.items() if not key.startswith("BOARDCAST_")}
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, cwd=_ROOT, env=settings)
    try:
        yield BenchServer(name, await _address(process), process.pid, database)
    finally:
        await _stop(process)


def _boardcast(database: Path) -> Sequence[str]:
    url = f"sqlite:///{database}"
    return (sys.executable, "-m", "server", "--port", "0", "--log-level", "warning", "--database-url", url)


def _peer(name: str, folder: Path) -> Sequence[str]:
    command = PEERS[name]
    return (*command, str(folder / f"{name}.db")) if Path(command[1]).parent == _NATIVE else command


async def _address(process: Process) -> Address:
    """Read the first line, `Listening on http://HOST:PORT`."""
    assert process.stdout is not None
    async with asyncio.timeout(seconds(_START_UNITS)):
        line = (await process.stdout.readline()).decode()
    host, _, port = line.strip().removeprefix("Listening on http://").rpartition(":")
    if not port.isdigit():
        raise RuntimeError(f"expected the address to listen on, got {line!r}")
    return host, int(port)


async def _stop(process: Process) -> None:
    """End the process; kill it if it does not end by itself."""
    if process.returncode is None:
        process.terminate()
    try:
        async with asyncio.timeout(seconds(_STOP_UNITS)):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
