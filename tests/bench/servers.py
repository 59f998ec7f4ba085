"""Servers in processes of their own: Boardcast, as an operator starts it, and the peers beside it.

Starting, stopping, reading CPU time and memory; what is done to them is left to `cases`.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.kit.deadline import seconds
from tests.kit.raw_http import Address

__all__ = ["BOARDCAST", "PEERS", "BenchServer", "peer_missing", "running"]

_ROOT = Path(__file__).resolve().parents[2]
_PEERS = Path(__file__).with_name("peers")
_START_UNITS = 30
_STOP_UNITS = 10

BOARDCAST = "boardcast"
#: Name in the tables → command.
PEERS: dict[str, Sequence[str]] = {
    "node": ("node", str(_PEERS / "fan_out.mjs")),
    "yoga": ("node", str(_PEERS / "yoga.mjs")),
    "mercurius": ("node", str(_PEERS / "mercurius.mjs")),
    "graphql-js": ("node", str(_PEERS / "graphql_js.mjs")),
    "strawberry": (sys.executable, "-m", "tests.bench.peers.stock_strawberry"),
}


@dataclass(frozen=True)
class BenchServer:
    """A server that listens at `address`, process `pid`."""

    name: str
    address: Address
    pid: int
    #: Its file, for rows in numbers that would take too long to send; None for a peer.
    database: Path | None = None

    def cpu_seconds(self) -> float:
        """Return the CPU time of all its threads so far, in ticks of usually 10 ms; nan where there is no `/proc`."""
        try:
            stat = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii")
        except FileNotFoundError:
            return float("nan")
        # The command in brackets may hold spaces; what follows it begins with field 3 of proc(5).
        fields = stat.rpartition(")")[2].split()
        user, system = int(fields[11]), int(fields[12])
        return (user + system) / os.sysconf("SC_CLK_TCK")

    def resident_kib(self) -> float:
        """Return the memory it holds, in KiB; nan where there is no `/proc`."""
        try:
            pages = int(Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1])
        except FileNotFoundError:
            return float("nan")
        return pages * os.sysconf("SC_PAGE_SIZE") / 1024


def peer_missing(name: str) -> str | None:
    """Return one sentence that says why a peer cannot run here, None when it can."""
    if PEERS[name][0] != "node":
        return None
    if shutil.which("node") is None:
        return "Node.js is not installed"
    if not (_PEERS / "node_modules").is_dir():
        return "its npm packages are not installed (make peers)"
    return None


@asynccontextmanager
async def running(name: str, folder: Path) -> AsyncIterator[BenchServer]:
    """Run `BOARDCAST`, with its defaults and a database file in `folder`, or a peer; ask `peer_missing` first."""
    database = folder / "bench.db" if name == BOARDCAST else None
    command = _boardcast(database) if database else PEERS[name]
    # Defaults are what is measured, so nobody's settings get in.
    settings = {key: value for key, value in os.environ.items() if not key.startswith("BOARDCAST_")}
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, cwd=_ROOT, env=settings)
    try:
        yield BenchServer(name, await _address(process), process.pid, database)
    finally:
        await _stop(process)


def _boardcast(database: Path) -> Sequence[str]:
    url = f"sqlite+aiosqlite:///{database}"
    return (sys.executable, "-m", "server", "--port", "0", "--log-level", "warning", "--database-url", url)


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
    """End the process; kill it when it does not end by itself."""
    if process.returncode is None:
        process.terminate()
    try:
        async with asyncio.timeout(seconds(_STOP_UNITS)):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
