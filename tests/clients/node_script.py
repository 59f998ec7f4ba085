"""Runs one of the scripts of this folder, `*.mjs` or `*.py`, and talks with it in lines of JSON.

The script tells what it sees (`{"at": "frame", …}` on its standard output) and carries out orders
(`{"do": "send", …}` on its standard input). What it shall see is left to the tests.
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

Told = dict[str, Any]


class ScriptFailed(AssertionError):
    """The script ended, or said that it failed, while the test waited for something else."""


class NodeScript:
    """A running script; made by `run_script`.

    `heard` keeps everything the script has told so far, in order.
    """

    def __init__(self, name: str, process: Process) -> None:
        self.name = name
        self.heard: list[Told] = []
        self._process = process
        assert process.stdout is not None
        self._output = BufferedByteReceiveStream(process.stdout)

    async def order(self, do: str, **details: Any) -> None:
        """Tell the script to do something; `details` must fit into JSON."""
        assert self._process.stdin is not None
        await self._process.stdin.send(orjson.dumps({"do": do, **details}) + b"\n")

    async def hear(self, at: str, *, units: float = 25, **wanted: Any) -> Told:
        """Return the next thing told that is called `at` and has all of `wanted`; what comes before is only kept.

        Raises:
            ScriptFailed: the script ended or failed first.
            TimeoutError: nothing of the kind came within `units` deadline units.
        """
        told: Told = {}
        async with deadline(units):
            while told.get("at") != at or not wanted.items() <= told.items():
                told = await self._next()
        return told

    async def finish(self) -> None:
        """Give no more orders and wait until the script has ended by itself."""
        assert self._process.stdin is not None
        await self._process.stdin.aclose()
        async with deadline(10):
            while (told := await self._try_next()) is not None:
                self._check(told)
            code = await self._process.wait()
        if code != 0:
            raise ScriptFailed(f"{self.name} ended with code {code}")

    async def _next(self) -> Told:
        told = await self._try_next()
        if told is None:
            raise ScriptFailed(f"{self.name} ended; it told {self.heard[-5:]}")
        self._check(told)
        return told

    async def _try_next(self) -> Told | None:
        try:
            line = await self._output.receive_until(b"\n", MAX_LINE_BYTES)
        except (anyio.IncompleteRead, anyio.EndOfStream):
            return None
        told: Told = orjson.loads(line)
        self.heard.append(told)
        return told

    def _check(self, told: Told) -> None:
        if told["at"] == "failed":
            raise ScriptFailed(f"{self.name}: {told['error']}")


@asynccontextmanager
async def run_script(name: str, settings: Mapping[str, object]) -> AsyncGenerator[NodeScript]:
    """Start `name` with `settings` and end it, whatever the test did. Standard error goes to the test's own."""
    interpreter = sys.executable if name.endswith(".py") else "node"
    command = [interpreter, str(SCRIPTS / name), orjson.dumps(settings).decode()]
    process = await anyio.open_process(command, stderr=None, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=SCRIPTS)
    try:
        yield NodeScript(name, process)
    finally:
        await _end(process)


async def _end(process: Process) -> None:
    """Let the script close its sockets and its browser; kill it when it does not."""
    with anyio.CancelScope(shield=True):
        if process.stdin is not None:
            await process.stdin.aclose()
        with anyio.move_on_after(5):
            await process.wait()
        if process.returncode is None:
            process.kill()
            await process.wait()
        await process.aclose()
