"""Runs a script of this folder, `*.mjs` or `*.py`, and communicates with it in lines of JSON.

The script reports events (`{"at": "frame", …}` on its standard output) and accepts orders (`{"do": "send", …}` on its
standard input). The tests decide what is correct.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import anyio
import orjson
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from tests.clients.requirements import SCRIPTS
from tests.kit.deadline import deadline

__all__ = ["NodeScript", "ScriptFailed", "run_script"]

MAX_LINE_BYTES = 4 * 1024 * 1024

Report = dict[str, Any]


class ScriptFailed(AssertionError):
    """The script ended, or reported an error, while the test waited for another report."""


class NodeScript:
    """A running script; made by `run_script`.

    `reports` contains all reports of the script so far, in order.
    """

    def __init__(self, name: str, process: Process) -> None:
        self.name = name
        self.reports: list[Report] = []
        self._process = process
        assert process.stdout is not None
        self._output = BufferedByteReceiveStream(process.stdout)

    async def order(self, do: str, **details: Any) -> None:
        """Send an order to the script; `details` must fit into JSON."""
        assert self._process.stdin is not None
        await self._process.stdin.send(orjson.dumps({"do": do, **details}) + b"\n")

    async def wait_for(self, at: str, *, units: float = 25, **wanted: Any) -> Report:
        """Return the next report that is called `at` and has all of `wanted`. Earlier reports stay in `reports` only.

        Raises:
            ScriptFailed: the script ended or failed first.
            TimeoutError: no such report came within `units` deadline units.
        """
        report: Report = {}
        async with deadline(units):
            while report.get("at") != at or not wanted.items() <= report.items():
                report = await self._next()
        return report

    async def finish(self) -> None:
        """Send no more orders and wait until the script has ended by itself."""
        assert self._process.stdin is not None
        await self._process.stdin.aclose()
        async with deadline(10):
            while (report := await self._try_next()) is not None:
                self._check(report)
            code = await self._process.wait()
        if code != 0:
            raise ScriptFailed(f"{self.name} ended with code {code}")

    async def _next(self) -> Report:
        report = await self._try_next()
        if report is None:
            raise ScriptFailed(f"{self.name} ended; it reported {self.reports[-5:]}")
        self._check(report)
        return report

    async def _try_next(self) -> Report | None:
        try:
            line = await self._output.receive_until(b"\n", MAX_LINE_BYTES)
        except (anyio.IncompleteRead, anyio.EndOfStream):
            return None
        report: Report = orjson.loads(line)
        self.reports.append(report)
        return report

    def _check(self, report: Report) -> None:
        if report["at"] == "failed":
            raise ScriptFailed(f"{self.name}: {report['error']}")


@asynccontextmanager
async def run_script(name: str, settings: Mapping[str, object]) -> AsyncGenerator[NodeScript]:
    """Start `name` with `settings`; end it in any case. Its standard error is that of the test."""
    interpreter = sys.executable if name.endswith(".py") else "node"
    command = [interpreter, str(SCRIPTS / name), orjson.dumps(settings).decode()]
    process = await anyio.open_process(command, stderr=None, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=SCRIPTS)
    try:
        yield NodeScript(name, process)
    finally:
        await _end(process)


async def _end(process: Process) -> None:
    """Let the script close its sockets and its browser; kill it if it does not end."""
    with anyio.CancelScope(shield=True):
        if process.stdin is not None:
            await process.stdin.aclose()
        with anyio.move_on_after(5):
            await process.wait()
        if process.returncode is None:
            process.kill()
            await process.wait()
        await process.aclose()
