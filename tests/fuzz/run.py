"""Runs inputs against a server, several at a time, and counts."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from server.settings import Settings
from tests.fuzz.exchange import Outcome, carry_out
from tests.fuzz.inputs import Facts, Input
from tests.fuzz.judge import Fault, Kind, is_turned_away, judge, log_faults
from tests.fuzz.making import make_input
from tests.fuzz.stage import make_witness_board, set_stage
from tests.fuzz.tally import Tally
from tests.fuzz.tokens import Tokens, make_tokens, write_keys
from tests.fuzz.witness import watching
from tests.kit.deadline import seconds
from tests.live.command import Process, running

__all__ = ["AT_ONCE", "TOKEN", "Runner", "flags", "run_lap"]

TOKEN = "fuzz-token-0123456789"
_WITNESS_TOKEN = "witness-token-0123456789"
_WORKERS = 12
#: Inputs that the server works on at once. Its Python code runs on one core, and an input at the limits takes 100 ms of
#: it. So more inputs at once would measure how long a queue is, and not how long an input holds others up.
AT_ONCE = 2
#: After this time, an input gives up its place to another one: it waits for a deadline of the server.
_PLACE_SECONDS = 1.0
#: Inputs between two stages. After each stage, memory is measured.
STAGE_INPUTS = 500
#: The time for unfinished requests, in units (see `tests.kit.deadline`). It is less than the default, so that few
#: clients wait for their end, and enough for a client that must wait on a busy machine.
_SHORT = {"head_timeout_seconds": 5, "body_timeout_seconds": 5}
_WITNESS_SOURCE = "127.0.0.2"


def flags(folder: Path, *, authenticates: bool) -> list[str]:
    """Return the command line of the server under test, whose files are in `folder`."""
    known = {name: units for name, units in _SHORT.items() if name in Settings.model_fields}
    short = [f"--{name.replace('_', '-')}={seconds(units)}" for name, units in known.items()]
    return [
        *short,
        *([f"--tokens={TOKEN},{_WITNESS_TOKEN}", f"--jwt-key={write_keys(folder)}"] if authenticates else []),
    ]


class Runner:
    """Executes inputs on one server."""

    def __init__(self, server: Process, token: str | None, tally: Tally, at_once: int, *, alone: bool = False) -> None:
        """Count into `tally`, `at_once` inputs at a time.

        `alone`: one at a time from its start to its end, so that a line in the log has one cause.
        """
        self._server, self._token, self._tally = server, token, tally
        self._workers = 1 if alone else max(_WORKERS, at_once)
        self._places = asyncio.Semaphore(at_once)
        self._facts = Facts(token, "")
        self._running: set[int] = set()
        self._log_read = server.errors.stat().st_size
        self._began = time.monotonic()

    async def run(self, seed: int, numbers: Iterable[int]) -> None:
        """Execute the inputs of these numbers, and reset the stage before each `STAGE_INPUTS` of them."""
        every = iter(numbers)
        for first in every:
            await self._set_stage()
            left = itertools.chain((first,), itertools.islice(every, STAGE_INPUTS - 1))
            await asyncio.gather(*(self._work(seed, left, number) for number in range(self._workers)))
            self._read_log(())
            self._look_at_memory(at_rest=True)
            if not self._server.is_alive:
                self._tally.faults.append(Fault(Kind.SERVER_ERROR, "the server is gone", (first,)))
                return
        self._tally.seconds = time.monotonic() - self._began

    async def _set_stage(self) -> None:
        address = self._server.address
        cursor = await set_stage(address, self._token)
        # The inputs may have revoked some. The boards of a token must be there.
        tokens = await make_tokens(address, self._token) if self._token else Tokens()
        self._facts = replace(self._facts, cursor=cursor, tokens=tokens)

    async def _work(self, seed: int, numbers: Iterator[int], worker: int) -> None:
        for number in numbers:
            self._running.add(number)
            try:
                await self._one(seed, number, f"127.0.0.{10 + worker}")
            finally:
                self._running.discard(number)

    async def _one(self, seed: int, number: int, source: str) -> None:
        made = make_input(seed, number, self._facts)
        began = time.time()
        try:
            outcome = await self._carry_out(made, source)
        except OSError as error:
            self._tally.faults.append(Fault(Kind.UNENDED, f"nobody lets us in: {error}", tuple(self._running)))
            return
        self._tally.spans.append((began, time.time(), number))
        self._tally.inputs[made.entry] += 1
        self._tally.sent_bytes += len(made.sent)
        self._tally.turned_away += is_turned_away(made, outcome)
        self._tally.faults.extend(judge(made, outcome))
        self._read_log(tuple(sorted(self._running)))
        self._look_at_memory(at_rest=False)

    async def _carry_out(self, made: Input, source: str) -> Outcome:
        async with self._places:
            sending = asyncio.create_task(carry_out(made, self._server.address, source))
            await asyncio.wait({sending}, timeout=_PLACE_SECONDS)
        return await sending

    def _read_log(self, candidates: tuple[int, ...]) -> None:
        with self._server.errors.open("rb") as log:
            log.seek(self._log_read)
            text = log.read()
        whole = text[: text.rfind(b"\n") + 1]
        self._log_read += len(whole)
        self._tally.faults.extend(
            Fault(Kind.TRACEBACK, line, candidates) for line in log_faults(whole.decode(errors="replace"))
        )

    def _look_at_memory(self, *, at_rest: bool) -> None:
        try:
            used = self._server.anonymous_bytes
        except (OSError, StopIteration):
            return  # not on Linux, or the process has ended
        self._tally.peak = max(self._tally.peak, used)
        if at_rest:
            self._tally.memory.append((time.monotonic() - self._began, used))


async def run_lap(
    folder: Path,
    seed: int,
    numbers: Iterable[int],
    *,
    authenticates: bool,
    at_once: int = _WORKERS,
    only: bool = False,
    nice: Callable[[], None] | None = None,
) -> Tally:
    """Start a server in `folder`, run the inputs in parallel with a witness, and return the counts.

    Args:
        folder: the folder of its database and its log.
        seed: the seed of the inputs.
        numbers: the numbers of the inputs.
        authenticates: whether it requires tokens.
        at_once: the most inputs that the server works on at the same time.
        only: one input at a time.
        nice: called when the server and the witness run.
    """
    tally = Tally("with tokens" if authenticates else "without tokens")
    token, witness_token = (TOKEN, _WITNESS_TOKEN) if authenticates else (None, None)
    async with running(folder, *flags(folder, authenticates=authenticates)) as server:
        await make_witness_board(server.address, token)
        async with watching(server.address, _WITNESS_SOURCE, witness_token) as end:
            if nice is not None:
                nice()
            await Runner(server, token, tally, at_once, alone=only).run(seed, numbers)
            tally.seen = await end()
        tally.faults.extend(Fault(Kind.WITNESS, fault) for sight in tally.seen.values() for fault in sight.faults)
        await _repeat_alone(server, token, seed, tally)
    return tally


async def _repeat_alone(server: Process, token: str | None, seed: int, tally: Tally) -> None:
    """Find the one of several inputs that caused a logged fault, if that input alone causes it again."""
    unclear = [fault for fault in tally.faults if fault.kind is Kind.TRACEBACK and len(fault.numbers) != 1]
    numbers = sorted({number for fault in unclear[:20] for number in fault.numbers})
    if not numbers or not server.is_alive:
        return
    again = Tally(tally.name)
    runner = Runner(server, token, again, 1, alone=True)
    await runner.run(seed, numbers)
    found = {fault.what[:80]: fault.numbers for fault in again.faults if fault.kind is Kind.TRACEBACK}
    tally.faults = [replace(fault, numbers=found.get(fault.what[:80], fault.numbers)) for fault in tally.faults]
