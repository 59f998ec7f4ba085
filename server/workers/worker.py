"""A worker, as its supervisor sees it: a process with a start, perhaps readiness, and an end."""

from __future__ import annotations

import asyncio
import multiprocessing
import signal
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker

from server.workers.child import CUT, OF_SUPERVISOR, STOP, Failed, Ready, work

__all__ = ["CannotStart", "Worker"]

#: A new interpreter for each worker: nothing of the supervisor is in it, and it loads the code as it is now.
_SPAWN = multiprocessing.get_context("spawn")


class CannotStart(Exception):
    """A worker ended before it accepted connections; the message says why."""

    def __init__(self, why: str, code: int = 1) -> None:
        """Note the reason, and the exit code that the whole has if it ends for it."""
        super().__init__(why)
        self.code = code


class Worker:
    """Starts at once, on a running event loop. Await `ended`, or the process stays as a zombie."""

    def __init__(self, number: int, listening: socket.socket) -> None:
        """Start worker `number`, which accepts connections at a socket of `bind_shared`.

        Raises:
            OSError: the system has no process or descriptor left.
        """
        loop = asyncio.get_running_loop()
        self.number = number
        self._ready_at: float | None = None
        #: The circumstances, once the worker accepts connections; `CannotStart` if it ends before.
        self.ready: asyncio.Future[Mapping[str, str]] = loop.create_future()
        self.ready.add_done_callback(_retrieve)
        #: Reports and signs of life that have come.
        self.signs = 0
        #: The exit code.
        self.ended: asyncio.Future[int] = loop.create_future()
        self._why = ""
        self._pipe, theirs = _SPAWN.Pipe()
        self._process = _SPAWN.Process(
            target=work, args=(number, listening, theirs), name=f"worker {number}", daemon=True
        )
        try:
            with _blocked():
                self._process.start()
        except OSError:
            self._pipe.close()
            raise
        finally:
            theirs.close()
        self.pid = self._process.pid
        loop.add_reader(self._pipe.fileno(), self._hear)
        loop.add_reader(self._process.sentinel, self._note_end)

    @property
    def served_seconds(self) -> float:
        """How long it has accepted connections until now."""
        return 0.0 if self._ready_at is None else asyncio.get_running_loop().time() - self._ready_at

    @property
    def end(self) -> str:
        """How it has ended."""
        code = self.ended.result()
        return self._why or (f"ended by {_signal_name(-code)}" if code < 0 else f"ended with exit code {code}")

    def stop(self) -> None:
        """Let the worker say goodbye and end; one that does not accept connections yet ends at once."""
        if self.ready.done():
            self._order(STOP)
        else:
            self.kill()

    def cut(self) -> None:
        """Let the worker end without goodbyes."""
        self._order(CUT)

    def kill(self) -> None:
        """End the process."""
        if not self.ended.done():
            self._process.kill()

    def _order(self, order: str) -> None:
        with suppress(OSError):  # it has ended, or is about to
            self._pipe.send(order)

    def _hear(self) -> bool:
        """Take a report; return whether there may be more."""
        try:
            report = self._pipe.recv()
        except (EOFError, OSError):
            asyncio.get_running_loop().remove_reader(self._pipe.fileno())
            return False
        self.signs += 1
        if isinstance(report, Ready) and not self.ready.done():
            self._ready_at = asyncio.get_running_loop().time()
            self.ready.set_result(report.circumstances)
        elif isinstance(report, Failed):
            self._why = report.sentence
        return True

    def _note_end(self) -> None:
        asyncio.get_running_loop().remove_reader(self._process.sentinel)
        while self._hear():
            pass  # what it said before its end
        self._pipe.close()
        self._process.join()
        code = self._process.exitcode or 0
        self._process.close()
        self.ended.set_result(code)
        if not self.ready.done():
            self.ready.set_exception(CannotStart(self._why or f"a worker {self.end} while it started", max(code, 1)))


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"  # most real-time signals have no name


@contextmanager
def _blocked() -> Iterator[None]:
    """Let a process that is started in the block begin without the signals of the supervisor."""
    resource_tracker.ensure_running()  # the first process starts it, and that would let one of the signals through
    before = signal.pthread_sigmask(signal.SIG_BLOCK, OF_SUPERVISOR)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _retrieve(future: asyncio.Future[Mapping[str, str]]) -> None:
    if not future.cancelled():
        future.exception()
