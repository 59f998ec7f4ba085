"""`python -m server` as an operator runs it: a separate process, its first line, its streams, its exit."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.kit.deadline import deadline
from tests.kit.raw_http import Address
from tests.kit.write_path import are_writes_direct

__all__ = ["Ended", "Process", "ended", "running"]

_ROOT = Path(__file__).parents[2]
_ERRORS = "errors.txt"
_START_UNITS = 30
_STOP_UNITS = 30


@dataclass(frozen=True)
class Ended:
    """The exit code and the output of a process that has ended."""

    code: int
    out: str
    err: str


class Process:
    """A server that accepts connections at `address`."""

    def __init__(self, folder: Path, process: asyncio.subprocess.Process, first_line: str) -> None:
        """Manage a process that runs in `folder` and has printed its address."""
        self._folder = folder
        self._process = process
        self.first_line = first_line
        host, port = first_line.removeprefix("Listening on http://").rsplit(":", 1)
        self.address: Address = (host.strip("[]"), int(port))

    @property
    def pid(self) -> int:
        """Its id."""
        return self._process.pid

    @property
    def resident_bytes(self) -> int:
        """Its resident memory in bytes (Linux)."""
        return self._memory("VmRSS")

    @property
    def anonymous_bytes(self) -> int:
        """Its resident memory in bytes without pages of files, which the system can take back (Linux)."""
        return self._memory("RssAnon")

    @property
    def is_alive(self) -> bool:
        """Whether the process has not ended."""
        return self._process.returncode is None

    @property
    def cpu_seconds(self) -> float:
        """The CPU time that the process has used, all threads together."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")  # utime and stime; state is field 0 here

    @property
    def errors(self) -> Path:
        """The file with its standard error."""
        return self._folder / _ERRORS

    def _memory(self, name: str) -> int:
        lines = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    async def wait(self) -> Ended:
        """Wait for the end. Standard output is returned without the first line."""
        return await _wait(self._folder, self._process)


async def ended(folder: Path, *flags: str, env: Mapping[str, str] | None = None) -> Ended:
    """Run the command in `folder` until it ends by itself."""
    return await _wait(folder, await _start(folder, flags, env))


@asynccontextmanager
async def running(
    folder: Path, *flags: str, env: Mapping[str, str] | None = None, before: Sequence[str] = ()
) -> AsyncIterator[Process]:
    """Run a server on a free port until the block ends; its database is a file in `folder`.

    `before` are the words of a command that runs the command after them.
    """
    process = await _start(folder, ("--port", "0", *flags), env, before)
    try:
        assert process.stdout is not None
        async with deadline(_START_UNITS):
            line = (await process.stdout.readline()).decode().strip()
        if not line.startswith("Listening on http://"):
            raise AssertionError(f"expected the address first, got {line!r} and {await _wait(folder, process)}")
        yield Process(folder, process, line)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        process._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001 - or its pipes warn when collected


async def _start(
    folder: Path, flags: tuple[str, ...], env: Mapping[str, str] | None, before: Sequence[str] = ()
) -> asyncio.subprocess.Process:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("BOARDCAST_")}
    # Into a file, because no code reads a pipe while a test runs: a full pipe would block the server.
    with (folder / _ERRORS).open("wb") as errors:
        return await asyncio.create_subprocess_exec(
            *(*before, sys.executable, "-m", "server", *flags),
            cwd=folder,
            env={**inherited, "PYTHONPATH": str(_ROOT), **_sending(), **(env or {})},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
        )


def _sending() -> Mapping[str, str]:
    return {} if are_writes_direct() else {"BOARDCAST_DIRECT_WRITES": "false"}


async def _wait(folder: Path, process: asyncio.subprocess.Process) -> Ended:
    async with deadline(_STOP_UNITS):
        out, _ = await process.communicate()
        assert process.returncode is not None
    return Ended(process.returncode, out.decode(), (folder / _ERRORS).read_text())
