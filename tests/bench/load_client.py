"""The load client: `load_client.c`, compiled when it is first needed, and the pipe to it.

A client in Python would cost as much per message as a server, and would distort the figures.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import shutil
import subprocess
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from tests.bench.exits import Opening
from tests.kit.raw_http import Address

__all__ = ["LoadClient", "LoadStatistics", "MessageFault", "compiler_missing", "load_client"]

_SOURCE = Path(__file__).with_name("load_client.c")


class MessageFault(Exception):
    """A subscriber did not get what it should: a message was lost, repeated or out of order, or the stream ended."""


@dataclass(frozen=True, slots=True)
class LoadStatistics:
    """The counts of all connections since the last request for them."""

    messages: int
    bytes: int
    #: Microseconds from publication to arrival, for messages that contain their time; -1 if none does.
    p50_us: int
    p99_us: int
    max_us: int
    #: CPU time of the client itself, in microseconds.
    cpu_us: int


class LoadClient:
    """Connections that the process at the other end of the pipe opens and reads. Made by `load_client`."""

    def __init__(self, process: Process) -> None:
        """Use the pipes of `process`."""
        self._process = process

    async def open(self, opening: Opening) -> None:
        """Open the connections, once; return when each has its snapshot.

        Raises:
            MessageFault: a connection was refused.
        """
        sent = (opening.request, opening.hello, opening.answer)
        await self._send(b"%d %d %d %d\n" % (*map(len, sent), opening.shared_by) + b"".join(sent))
        await self._answer("seated")
        await self.statistics()

    async def expect(self, marks: int) -> None:
        """Let the client watch until every connection has seen `marks` marks; then call `completed` once.

        Call this before publishing. Otherwise `completed` returns the time of this call.
        """
        await self._send(f"expect {marks}\n".encode())

    async def completed(self) -> int:
        """Return when the messages of `expect` had arrived, in nanoseconds of `time.perf_counter_ns`.

        Raises:
            MessageFault: they can no longer arrive.
        """
        return int((await self._answer("complete"))[1])

    async def statistics(self) -> LoadStatistics:
        """Return the counts since the last call."""
        await self._send(b"stats\n")
        return LoadStatistics(*map(int, await self._answer("stats")))

    async def _answer(self, word: str) -> list[str]:
        """Return the rest of the next line, which must begin with `word`.

        Raises:
            MessageFault: the line reports a fault, or the client died.
        """
        assert self._process.stdout is not None
        line = (await self._process.stdout.readline()).decode(errors="replace").strip()
        first, *rest = line.split(" ") if line else ("nothing", "at all")
        if first != word:
            raise MessageFault(f"expected {word!r} of the load client, got {line!r}")
        return rest

    async def _send(self, data: bytes) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(ConnectionError):  # the client has died, and its last line gives the reason
            self._process.stdin.write(data)
            await self._process.stdin.drain()


def compiler_missing() -> str | None:
    """Return one sentence that says why the client cannot be compiled, None if it can."""
    return None if shutil.which("cc") else "no C compiler (cc) is installed"


@asynccontextmanager
async def load_client(address: Address, opening: Opening, count: int) -> AsyncIterator[LoadClient]:
    """Open `count` connections; yield the client when each has its snapshot.

    Raises:
        MessageFault: a connection was refused.
    """
    arguments = [*map(str, address), opening.kind, str(count), opening.snapshot, opening.marks, opening.mark]
    process = await asyncio.create_subprocess_exec(_compiled(), *arguments, stdin=PIPE, stdout=PIPE)
    try:
        client = LoadClient(process)
        await client.open(opening)
        yield client
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@cache
def _compiled() -> str:
    folder = mkdtemp(prefix="boardcast-bench-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    program = str(Path(folder) / "load_client")
    subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", program, str(_SOURCE)], check=True)
    return program
