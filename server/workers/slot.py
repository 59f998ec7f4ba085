"""A slot: one place among the workers, with a listening socket. Its worker is replaced when it ends, or in a roll.

In a roll both workers accept from one socket, so no connection that waits in it is lost. After an unexpected end the
socket is closed at once, and the system gives new connections to the other workers until the next one is ready.
A worker without signs of life is killed: its socket would go on taking connections that nobody serves.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Collection, Mapping

from server.runtime.listening import bind_shared
from server.workers.child import SIGN_SECONDS
from server.workers.worker import CannotStart, Worker

__all__ = ["Slot", "ended_within"]

#: Seconds until a worker that ended at once is started again; each further such end doubles them, up to the most.
FIRST_PAUSE_SECONDS, MOST_PAUSE_SECONDS = 1.0, 30.0
#: A worker that has served for so many seconds has not ended at once.
LONG_SECONDS = 10.0
#: Most seconds until a new worker accepts connections, in a roll or in place of one that ended.
START_SECONDS = 120.0

log = logging.getLogger(__name__)


class Slot:
    """Has one worker at a time, and for moments two."""

    def __init__(self, number: int, host: str, port: int, timeout_seconds: float) -> None:
        """Bind the socket of worker `number`, which is killed after `timeout_seconds` of silence; 0 = never.

        Raises:
            OSError: another program has the port, or the system has no process or descriptor left.
        """
        self._number, self._address = number, (host, port)
        self._timeout_seconds = timeout_seconds or math.inf
        self._listening = bind_shared(host, port)
        self._pause = 0.0
        #: Held by a restart and a roll: both replace the worker.
        self._turn = asyncio.Lock()
        #: All workers that have not ended.
        self.living: set[Worker] = set()
        self.worker = self._begin()

    async def keep(self) -> None:
        """Start another worker whenever the worker ends; ends only when it is cancelled."""
        while True:
            worker = self.worker
            await self._end_of(worker)
            async with self._turn:
                if worker is self.worker:  # no roll has replaced it
                    await self._restart(worker)

    async def _end_of(self, worker: Worker) -> None:
        """Wait until a worker has ended, and kill it once it has been silent for too long.

        Silence is counted in turns of this loop. So a supervisor that was paused itself finds no worker silent.
        """
        silent_seconds, signs = 0.0, worker.signs
        while not worker.ended.done():
            await asyncio.wait([worker.ended], timeout=SIGN_SECONDS)
            silent_seconds = silent_seconds + SIGN_SECONDS if worker.signs == signs else 0.0
            signs = worker.signs
            if silent_seconds >= (self._timeout_seconds if worker.ready.done() else START_SECONDS):
                log.error("a worker gives no sign of life, it is killed", extra=_of(worker, seconds=silent_seconds))
                worker.kill()
                await asyncio.shield(worker.ended)

    async def roll(self, end_seconds: float) -> None:
        """Replace the worker by a new one, and wait until the old one has ended, for `end_seconds` at most.

        Raises:
            CannotStart: the new one does not accept connections, and the old one goes on.
        """
        async with self._turn:
            try:
                old, new = self.worker, self._begin()
            except OSError as error:
                raise CannotStart(error.strerror or str(error)) from None
            try:
                async with asyncio.timeout(START_SECONDS):
                    await asyncio.shield(new.ready)
            except TimeoutError:
                new.kill()
                raise CannotStart(f"it accepted no connections within {START_SECONDS:g} s") from None
            self.worker = new
            log.info("a new worker accepts connections", extra=_of(new))
            old.stop()
            await ended_within(end_seconds, [old])

    async def _restart(self, ended: Worker) -> None:
        self._pause = 0.0 if ended.served_seconds >= LONG_SECONDS else self._longer_pause
        about = _of(ended, reason=ended.end, pause_seconds=self._pause)
        log.error("a worker ended, another one is started", extra=about)
        while not await self._has_begun_again():
            self._pause = self._longer_pause
        _log_when_ready(self.worker)

    @property
    def _longer_pause(self) -> float:
        return min(max(2 * self._pause, FIRST_PAUSE_SECONDS), MOST_PAUSE_SECONDS)

    async def _has_begun_again(self) -> bool:
        self._listening.close()
        await asyncio.sleep(self._pause)
        try:
            self._listening = bind_shared(*self._address)
            self.worker = self._begin()
        except OSError as error:
            # The other workers go on. The system may have what is missing a moment later.
            about = {"worker": self._number, "reason": error.strerror or str(error)}
            log.error("a worker cannot be started, this is tried again", extra=about)
            return False
        return True

    def close(self) -> None:
        """Close the socket of this process; workers have their own."""
        self._listening.close()

    def _begin(self) -> Worker:
        made = Worker(self._number, self._listening)
        self.living.add(made)
        made.ended.add_done_callback(lambda _: self.living.discard(made))
        return made


async def ended_within(seconds: float, workers: Collection[Worker]) -> None:
    """Wait until workers have ended, and kill those that have not after so many seconds."""
    ends = [worker.ended for worker in workers]
    if not ends:
        return
    await asyncio.wait(ends, timeout=seconds)
    for worker in workers:
        if not worker.ended.done():
            log.error("a worker did not stop, it is killed", extra=_of(worker, seconds=seconds))
            worker.kill()
    await asyncio.wait(ends)


def _log_when_ready(worker: Worker) -> None:
    def note(ready: asyncio.Future[Mapping[str, str]]) -> None:
        if not ready.cancelled() and ready.exception() is None:
            log.info("a new worker accepts connections", extra=_of(worker))

    worker.ready.add_done_callback(note)


def _of(worker: Worker, **more: object) -> dict[str, object]:
    return {"worker": worker.number, "pid": worker.pid, **more}
