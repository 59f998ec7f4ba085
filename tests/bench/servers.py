"""Servers in processes of their own: Boardcast, as an operator starts it, and the Node peer.

Starting, stopping and reading CPU time; what is done to them is left to `cases`.
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

from tests.clients.requirements import SCRIPTS
from tests.kit.deadline import seconds
from tests.kit.raw_http import Address

__all__ = ["BenchServer", "boardcast", "node_peer", "peer_missing"]

_ROOT = Path(__file__).resolve().parents[2]
_PEER = Path(__file__).with_name("peer.mjs")
_START_UNITS = 30
_STOP_UNITS = 10


@dataclass(frozen=True)
class BenchServer:
    """A server that listens at `address`, process `pid`."""

    name: str
    address: Address
    pid: int

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


@asynccontextmanager
async def boardcast(folder: Path) -> AsyncIterator[BenchServer]:
    """Run `python -m server` with its defaults and a database file in `folder`."""
    url = f"sqlite+aiosqlite:///{folder / 'bench.db'}"
    command = [sys.executable, "-m", "server", "--port", "0", "--log-level", "warning", "--database-url", url]
    async with _running("boardcast", command) as server:
        yield server


def peer_missing() -> str | None:
    """Return one sentence that says why the peer cannot run here, None when it can."""
    if shutil.which("node") is None:
        return "Node.js is not installed"
    if not (SCRIPTS / "node_modules" / "ws" / "package.json").is_file():
        return "the npm package ws is not installed in tests/clients (make clients)"
    return None


@asynccontextmanager
async def node_peer() -> AsyncIterator[BenchServer]:
    """Run `peer.mjs`; ask `peer_missing` first."""
    async with _running("node", ["node", str(_PEER)]) as server:
        yield server


@asynccontextmanager
async def _running(name: str, command: Sequence[str]) -> AsyncIterator[BenchServer]:
    # Defaults are what is measured, so nobody's settings get in.
    settings = {key: value for key, value in os.environ.items() if not key.startswith("BOARDCAST_")}
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, cwd=_ROOT, env=settings)
    try:
        yield BenchServer(name, await _address(process), process.pid)
    finally:
        await _stop(process)


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
