"""The supervisor: starts the workers, replaces those that end, rolls them on SIGHUP, and stops them all.

uvicorn has a supervisor too (`uvicorn.supervisors.Multiprocess`); spawned processes and passed sockets are its ideas.
It does not fit as a whole: it restarts without a pause, it does not hear a second signal while workers drain, and its
workers go on when it is killed (docs/decisions/0060-workers-share-a-port.md).
"""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from server.concurrency.tasks import unless
from server.runtime.listening import address_of, listen
from server.settings import Settings
from server.starting import report_start
from server.workers.slot import Slot, ended_within
from server.workers.worker import CannotStart

__all__ = ["supervise"]

#: Seconds after the grace period in which a worker must have closed everything; then it is killed.
LAST_RESORT_SECONDS = 10.0

log = logging.getLogger(__name__)


def supervise(settings: Settings) -> None:
    """Run `settings.workers` workers until a signal. Print the address when all of them accept connections.

    SIGINT and SIGTERM stop the workers, and a second one at once. SIGHUP replaces them one by one.

    Raises:
        CannotListen: before any worker was started.
        CannotStart: a worker ended before all had started; the others have ended, too.
    """
    asyncio.run(_Supervisor(settings).run())


class _Supervisor:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stop_seconds = settings.shutdown_grace_seconds + LAST_RESORT_SECONDS
        self._stopping, self._hurried, self._roll_is_due = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._stopped_by = ""
        self._began = time.monotonic()
        self._slots: list[Slot] = []

    async def run(self) -> None:
        """Start the workers, keep them, and end them all."""
        circumstances = None
        # It never listens, and keeps the port while a slot has no socket.
        with listen(self._settings.host, self._settings.port, shared=True) as reserved, self._obeying():
            try:
                port = reserved.getsockname()[1]
                self._begin(port)
                circumstances = await unless(self._stopping.wait(), self._ready())
                if circumstances is not None:
                    report_start(address_of(self._settings.host, reserved), circumstances)
                    await unless(self._stopping.wait(), self._keep())
            finally:
                await self._end()
        if circumstances is not None:
            uptime = round(time.monotonic() - self._began, 3)
            log.info("stopped", extra={"reason": self._stopped_by, "uptime_seconds": uptime})

    def _begin(self, port: int) -> None:
        try:
            for number in range(1, self._settings.workers + 1):
                self._slots.append(Slot(number, self._settings.host, port, self._settings.worker_timeout_seconds))
        except OSError as error:
            started = f"{len(self._slots)} of {self._settings.workers} workers"
            raise CannotStart(f"cannot start more than {started}: {error.strerror or error}") from None

    async def _ready(self) -> Mapping[str, str]:
        """Wait until all workers accept connections."""
        all_of_them = await asyncio.gather(*(asyncio.shield(slot.worker.ready) for slot in self._slots))
        return {**all_of_them[0], "workers": str(len(self._slots))}

    async def _keep(self) -> None:
        async with asyncio.TaskGroup() as group:
            for slot in self._slots:
                group.create_task(slot.keep(), name="keep a worker")
            group.create_task(self._roll(), name="roll workers")

    async def _roll(self) -> None:
        while True:
            await self._roll_is_due.wait()
            self._roll_is_due.clear()
            log.info("the workers are replaced one by one")
            try:
                for slot in self._slots:
                    await slot.roll(self._stop_seconds)
            except CannotStart as error:
                log.error("a new worker cannot start, the others are not replaced: %s", error)
            else:
                log.info("all workers were replaced")

    async def _end(self) -> None:
        """Stop all workers, and wait for them."""
        workers = [worker for slot in self._slots for worker in slot.living]
        for worker in workers:
            worker.stop()
        await unless(self._hurried.wait(), ended_within(self._stop_seconds, workers))
        for worker in workers:
            worker.cut()
        await ended_within(self._stop_seconds, workers)
        for slot in self._slots:
            slot.close()

    @contextmanager
    def _obeying(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop, number.name)
        loop.add_signal_handler(signal.SIGHUP, self._roll_is_due.set)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                loop.remove_signal_handler(number)

    def _stop(self, why: str) -> None:
        if self._stopping.is_set():
            self._hurried.set()
        else:
            self._stopped_by = why
            self._stopping.set()
