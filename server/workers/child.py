"""A worker, in its own process: it serves, and does what its supervisor says on a pipe between the two.

The supervisor writes `STOP` or `CUT`. When it ends, the pipe ends, and the worker stops too. The worker writes a report
of its start, and from then on a sign of life each second, from its event loop: a loop that hangs gives none. No signal
goes between them: service managers and terminals send their signals to all processes at once, so a worker could not
tell a second order from a copy of the first.
"""

from __future__ import annotations

import asyncio
import logging
import select
import signal
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection

from server.serve import Server
from server.settings_flags import read_settings
from server.starting import EXIT_USAGE, begin_process, start_faults

__all__ = ["CUT", "OF_SUPERVISOR", "SIGN_SECONDS", "STOP", "Alive", "Failed", "Ready", "work"]

#: Orders of the supervisor: stop as at a first signal, and at a second one.
STOP, CUT = "stop", "cut"
#: Seconds between two signs of life.
SIGN_SECONDS = 1.0
#: Signals that a terminal sends to all processes. They are for the supervisor alone.
OF_SUPERVISOR = (signal.SIGINT, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Ready:
    """The worker accepts connections."""

    #: Facts for an operator, without secrets.
    circumstances: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Failed:
    """The worker cannot start."""

    sentence: str


@dataclass(frozen=True, slots=True)
class Alive:
    """The event loop of the worker runs."""


def work(number: int, listening: socket.socket, pipe: Connection) -> None:
    """Run worker `number` until it is stopped; the first function of a new process."""
    for one in OF_SUPERVISOR:
        signal.signal(one, signal.SIG_IGN)
    # The supervisor has blocked them, so that none comes before the two lines above.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, OF_SUPERVISOR)
    faults = start_faults()
    try:
        # Read again: a new worker takes files of the settings as they are now.
        settings = read_settings()
        begin_process(settings, worker=number)
        from server.process import run_on

        supervised = _Supervised(pipe)
        run_on(listening, settings, supervised, supervised.obeying, number)
    except faults as error:
        _send(pipe, Failed(str(error)))
        sys.exit(EXIT_USAGE)
    finally:
        logging.shutdown()  # `multiprocessing` ends a process without what `atexit` has, and some lines still wait


class _Supervised:
    """Reports to the supervisor, and obeys it."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def started(self, circumstances: Mapping[str, str]) -> None:
        """Report that the worker accepts connections."""
        _send(self._pipe, Ready(circumstances))

    def stopped(self, reason: str, uptime_seconds: float) -> None:
        """Do nothing: the supervisor notices the end of the process."""

    @contextmanager
    def obeying(self, server: Server) -> Iterator[None]:
        """Let the supervisor stop `server`, or SIGTERM."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self._pipe.fileno(), self._obey, server)
        loop.add_signal_handler(signal.SIGTERM, server.stop, signal.SIGTERM.name)
        self._live(loop)
        try:
            yield
        finally:
            self._next_sign.cancel()
            loop.remove_signal_handler(signal.SIGTERM)
            loop.remove_reader(self._pipe.fileno())

    def _live(self, loop: asyncio.AbstractEventLoop) -> None:
        if _takes_more(self._pipe):
            _send(self._pipe, Alive())
        self._next_sign = loop.call_later(SIGN_SECONDS, self._live, loop)

    def _obey(self, server: Server) -> None:
        try:
            order = self._pipe.recv()
        except (EOFError, OSError):
            server.stop("the supervisor has ended")
            asyncio.get_running_loop().remove_reader(self._pipe.fileno())
            return
        if order == CUT:
            server.cut()
        else:
            server.stop("the supervisor")


def _takes_more(pipe: Connection) -> bool:
    """Return whether a short report would not wait: a paused supervisor does not empty the pipe."""
    poll = select.poll()
    poll.register(pipe, select.POLLOUT)
    return bool(poll.poll(0))


def _send(pipe: Connection, report: Ready | Failed | Alive) -> None:
    with suppress(OSError):  # the supervisor has ended, which the worker notices by itself
        pipe.send(report)
