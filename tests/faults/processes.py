"""Servers that run in processes of their own, can be killed, and start in milliseconds.

Python's forkserver forks each server from a process that has imported everything (`warm`). The forked process then runs
the code of `python -m server`. The server has the same address after each start.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

import anyio

from realtime.backends.sql import engine
from realtime.backends.sql.file import checkpoints
from realtime.fanout import broadcast_queue as queue
from realtime.views import board_view, repair
from server.__main__ import main
from tests.kit.deadline import deadline, seconds
from tests.kit.raw_http import Address

__all__ = ["DATABASE", "ManagedServer", "managed_server"]

_START_UNITS = 20
_STOP_UNITS = 20
_ERRORS = "errors.txt"
DATABASE = "boardcast.db"
_forked = get_context("forkserver")
_forked.set_forkserver_preload([__name__, "tests.faults.warm"])


class _Times(NamedTuple):
    """Timings that differ from the server's defaults. None: the default."""

    busy_milliseconds: int | None
    checkpoint_seconds: float | None


class ManagedServer:
    """One server that can be started, stopped, killed and started again; made by `managed_server`.

    `up` is set while the server serves. It is replaced by a new event before the server is asked to end. A client keeps
    the event of its connection, and `has_been_up_since` shows whether the server had a reason to end that connection.
    A fault beside the server excuses it, too.
    """

    def __init__(self, folder: Path, address: Address, flags: tuple[str, ...], times: _Times) -> None:
        """See `managed_server`."""
        self.folder = folder
        #: Where clients connect: the address of the server itself, until a relay stands in front of it.
        self.address = address
        self._own_address = address
        self._excuses = 0
        self.up = anyio.Event()
        self._times = times
        self._flags = (
            "--port",
            str(address[1]),
            "--database-url",
            f"sqlite:///{folder / DATABASE}",
            *flags,
        )

    @property
    def pid(self) -> int:
        """The id of the current process."""
        pid = self._process.pid
        assert pid is not None
        return pid

    async def serving(self) -> anyio.Event:
        """Wait until the server serves; return the argument for `has_been_up_since`."""
        while not (up := self.up).is_set():
            await up.wait()
        return up

    def has_been_up_since(self, up: anyio.Event) -> bool:
        """Return whether nothing has asked the server to end since `up` was set, and nothing excuses it."""
        return up is self.up and up.is_set() and not self._excuses

    @contextmanager
    def excused(self) -> Iterator[None]:
        """Excuse the server until the block ends, for calls and connections that begin before that."""
        self._excuses += 1
        try:
            yield
        finally:
            self._excuses -= 1
            if self.up.is_set():
                self.up = anyio.Event()
                self.up.set()

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal that does not end the server."""
        os.kill(self.pid, number)

    def errors(self) -> str:
        """Return everything that its processes have written to standard error."""
        path = self.folder / _ERRORS
        return path.read_text() if path.exists() else ""

    async def start(self) -> None:
        """Start the process; return when the server has printed its address."""
        lines, out = _forked.Pipe(duplex=False)
        self._process = _forked.Process(target=_serve, args=(self.folder, self._flags, self._times, out), daemon=True)
        self._process.start()
        out.close()
        try:
            first = await _first_line(lines)
        finally:
            lines.close()
        host, port = self._own_address
        expected = f"Listening on http://{host}:{port}\n"
        assert first == expected, f"expected {expected!r}, got {first!r}: {self.errors()}"
        self.up.set()

    async def end(self, number: signal.Signals) -> None:
        """Send a signal and wait for the end. The exit must be clean unless the signal kills."""
        self.up = anyio.Event()
        os.kill(self.pid, number)
        async with deadline(_STOP_UNITS):
            await anyio.wait_readable(self._process.sentinel)
        self._process.join()
        expected = -signal.SIGKILL if number == signal.SIGKILL else 0
        code = self._process.exitcode
        assert code == expected, f"expected the exit code {expected}, got {code}: {self.errors()}"

    async def restart(self, number: signal.Signals) -> None:
        """End the server by a signal and start it again."""
        await self.end(number)
        await self.start()

    def kill(self) -> None:
        """Kill a process that still runs."""
        if self._process.is_alive():
            self._process.kill()
        self._process.join()
        self._process.close()


@asynccontextmanager
async def managed_server(
    folder: Path, *flags: str, busy_milliseconds: int | None = None, checkpoint_seconds: float | None = None
) -> AsyncIterator[ManagedServer]:
    """Run a server on a database file in `folder` until the block ends.

    `flags` are command-line flags. `busy_milliseconds` is the time that the server waits for a locked database.
    `checkpoint_seconds` is the time from a commit to its checkpoint. After a checkpoint SQLite starts the log again.
    """
    with socket.socket() as holder:
        # This socket never listens. While it is bound, the system does not give its port to a client's socket.
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        managed = ManagedServer(folder, holder.getsockname(), flags, _Times(busy_milliseconds, checkpoint_seconds))
        await managed.start()
        try:
            yield managed
        finally:
            managed.kill()


async def _first_line(pipe: Connection) -> str:
    line = b""
    async with deadline(_START_UNITS):
        while not line.endswith(b"\n"):
            await anyio.wait_readable(pipe.fileno())
            more = os.read(pipe.fileno(), 1000)
            if not more:
                break
            line += more
    return line.decode()


def _serve(folder: Path, flags: tuple[str, ...], times: _Times, out: Connection) -> None:
    """Run the command in the process that was forked for it."""
    engine.BUSY_MILLISECONDS = times.busy_milliseconds or engine.BUSY_MILLISECONDS
    checkpoints.CHECKPOINT_SECONDS = times.checkpoint_seconds or checkpoints.CHECKPOINT_SECONDS
    # On a busy machine a repair takes longer, and that is no fault: clients have deadlines of their own.
    board_view.REPAIR_WAIT_SECONDS = seconds(board_view.REPAIR_WAIT_SECONDS)
    repair.REPAIR_WAIT_SECONDS = board_view.REPAIR_WAIT_SECONDS  # type: ignore[attr-defined]  # it imports the name
    queue.TURN_SUBSCRIBERS = 2  # so that three subscribers already need two passes
    os.chdir(folder)
    for name in [name for name in os.environ if name.startswith("BOARDCAST_")]:
        del os.environ[name]
    errors = os.open(_ERRORS, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(out.fileno(), sys.__stdout__.fileno())  # type: ignore[union-attr]  # a process has one
    os.dup2(errors, sys.__stderr__.fileno())  # type: ignore[union-attr]
    sys.argv = ["boardcast", *flags]
    main()
