"""A well-behaved client in a separate process, so that only the server can delay it.

`python -m tests.fuzz.witness HOST PORT SOURCE [TOKEN]` asks until standard input ends, then prints its results as JSON.
Each kind of question has its own connection and is asked again a moment after its answer.
"""

from __future__ import annotations

import asyncio
import base64
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson
import uvloop

from tests.fuzz.stage import WITNESS_BOARD
from tests.fuzz.stolen_time import StolenTime
from tests.kit.deadline import seconds
from tests.kit.raw_http import Address
from tests.kit.raw_socket import CLOSE, PING, PONG, TEXT, frame_bytes

__all__ = ["Seen", "Sight", "Witness", "watching"]

_PERIOD_SECONDS = 0.025
#: A message without an answer: protocol pings do not keep a board socket alive.
_SIGN_OF_LIFE = frame_bytes(TEXT, b'{"type":"pong"}')
_TICK_SECONDS = 0.005
#: The longest wait that a client would accept.
_LONGEST_UNITS = 10
_QUERY = orjson.dumps(
    {"query": f'{{ board(boardId: "{WITNESS_BOARD}") {{ cursor columns {{ id cards {{ title }} }} }} }}'}
)


@dataclass
class Sight:
    """The results of one kind of question."""

    asked: int = 0
    #: Seconds of the longest wait, without the delay of the witness itself in that time.
    longest: float = 0.0
    #: The end of that wait, in seconds since the epoch.
    at: float = 0.0
    #: Seconds of the longest wait in which other machines took the cores. It does not count.
    disturbed: float = 0.0
    faults: list[str] = field(default_factory=list)


#: Question → its results.
Seen = dict[str, Sight]


class Witness:
    """Asks, and measures the waits."""

    def __init__(self, address: Address, source: str, token: str | None) -> None:
        self._address, self._source = address, source
        self._authorization = f"Authorization: Bearer {token}\r\n" if token else ""
        self._over = asyncio.Event()
        self._looked = asyncio.Event()
        #: Times at which the witness's own loop was late, and the delay in seconds.
        self._late: list[tuple[float, float]] = []
        self._stolen = StolenTime()
        self.seen: Seen = {name: Sight() for name in ("ping", "healthz", "query", "delivery")}

    async def run(self, end: Callable[[], Awaitable[object]]) -> None:
        """Ask until `end` returns."""
        asking = (self._tick(), self._sockets(), self._gets(), self._queries(), self._events())
        async with asyncio.TaskGroup() as group:
            for one in asking:
                group.create_task(one)
            await end()
            self._over.set()

    async def looked(self) -> None:
        """Wait until one more question was answered, or failed."""
        self._looked.clear()
        await self._looked.wait()

    async def _rest(self, seconds_: float) -> bool:
        """Wait a moment. False if the run is over."""
        try:
            await asyncio.wait_for(self._over.wait(), seconds_)
        except TimeoutError:
            return True
        return False

    async def _tick(self) -> None:
        """Record when this process itself was delayed, because that is not the server's delay."""
        before = read = time.perf_counter()
        while await self._rest(_TICK_SECONDS):
            now = time.perf_counter()
            if now - read > _PERIOD_SECONDS:
                self._stolen.read(now)
                read = now
            if (late := now - before - _TICK_SECONDS) > _TICK_SECONDS:
                self._late = [*self._late[-100:], (now, late)]
            before = now

    async def _ask(self, name: str, question: Callable[[], Awaitable[object]]) -> None:
        sight = self.seen[name]
        began = time.perf_counter()
        try:
            async with asyncio.timeout(seconds(_LONGEST_UNITS)):
                await question()
        except (TimeoutError, OSError, EOFError, ValueError) as error:
            sight.faults.append(f"{name}: {type(error).__name__} {error}"[:300])
            self._looked.set()
            raise ConnectionError(name) from error
        ended = time.perf_counter()
        own = max((late for at, late in self._late if began <= at <= ended + _TICK_SECONDS), default=0.0)
        sight.asked += 1
        self._looked.set()
        if (waited := ended - began - own) > sight.longest:
            if self._stolen.took_part(began, ended):
                sight.disturbed = max(sight.disturbed, waited)
            else:
                sight.longest, sight.at = waited, time.time()

    async def _again(self, visit: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> None:
        """Connect, visit, and reconnect after a failure.

        A failure becomes a line of the report and does not end the run.
        """
        while not self._over.is_set():
            try:
                reader, writer = await asyncio.open_connection(
                    *self._address, local_addr=(self._source, 0), limit=2**24
                )
            except OSError:
                await self._rest(_PERIOD_SECONDS)
                continue
            try:
                await visit(reader, writer)
            except (ConnectionError, EOFError):
                await self._rest(_PERIOD_SECONDS)
            finally:
                writer.transport.abort()

    async def _gets(self) -> None:
        await self._again(lambda reader, writer: self._repeat("healthz", reader, writer, "GET", "/api/v1/healthz", b""))

    async def _queries(self) -> None:
        await self._again(lambda reader, writer: self._repeat("query", reader, writer, "POST", "/graphql", _QUERY))

    async def _repeat(
        self,
        name: str,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        method: str,
        target: str,
        body: bytes,
    ) -> None:
        while await self._rest(_PERIOD_SECONDS):
            await self._ask(name, lambda: self._request(reader, writer, method, target, body))

    async def _request(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, method: str, target: str, body: bytes
    ) -> bytes:
        head = (
            f"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n{self._authorization}Content-Type: application/json\r\n"
        )
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        status = int(answer[9:12])
        length = next(int(line[15:]) for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        got = await reader.readexactly(length)
        if status not in {200, 202} or b'"errors"' in got:
            raise ValueError(f"{status} {got[:200]!r}")
        return got

    async def _sockets(self) -> None:
        await self._again(self._pings)

    async def _pings(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._ask("ping", lambda: self._upgrade(reader, writer))
        while await self._rest(_PERIOD_SECONDS):
            writer.write(_SIGN_OF_LIFE + frame_bytes(PING, b"witness"))
            await self._ask("ping", lambda: _frame(reader, lambda opcode, payload: opcode == PONG))
        writer.write(frame_bytes(CLOSE, b"\x03\xe8"))

    async def _events(self) -> None:
        await self._again(self._deliveries)

    async def _deliveries(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Publish an event on one connection, and wait for it on another."""
        await self._ask("delivery", lambda: self._upgrade(reader, writer))
        asking, out = await asyncio.open_connection(*self._address, local_addr=(self._source, 0))
        try:
            number = 0
            while await self._rest(_PERIOD_SECONDS):
                number += 1
                writer.write(_SIGN_OF_LIFE)
                await self._ask("delivery", lambda: self._round_trip(reader, asking, out, f"mark {number}."))  # noqa: B023
        finally:
            out.transport.abort()

    async def _round_trip(
        self, reader: asyncio.StreamReader, asking: asyncio.StreamReader, out: asyncio.StreamWriter, mark: str
    ) -> None:
        payload = {"attemptId": "witness", "boardId": WITNESS_BOARD, "level": "info", "message": mark}
        body = orjson.dumps({"name": "attempt.log.appended", "payload": payload})
        posted = asyncio.create_task(self._request(asking, out, "POST", "/api/v1/events", body))
        try:
            await _frame(reader, lambda opcode, payload: opcode == TEXT and mark.encode() in payload)
        finally:
            await posted

    async def _upgrade(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        key = base64.b64encode(b"the witness's key").decode()[:22] + "=="
        lines = (
            f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
        )
        target = f"/api/v1/ws?boardId={WITNESS_BOARD}"
        writer.write(f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n{self._authorization}{lines}\r\n".encode())
        answer = await reader.readuntil(b"\r\n\r\n")
        if not answer.startswith(b"HTTP/1.1 101"):
            raise ConnectionError(f"refused: {answer[:100]!r}")


async def _frame(reader: asyncio.StreamReader, wanted: Callable[[int, bytes], bool]) -> None:
    while True:
        first, second = await reader.readexactly(2)
        size = second & 0x7F
        if size >= 126:
            size = int.from_bytes(await reader.readexactly(2 if size == 126 else 8), "big")
        payload = await reader.readexactly(size)
        if first & 0x0F == CLOSE:
            raise ValueError(f"closed: {payload!r}")
        if wanted(first & 0x0F, payload):
            return


async def _end_of_input() -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()


@asynccontextmanager
async def watching(address: Address, source: str, token: str | None) -> AsyncIterator[Callable[[], Awaitable[Seen]]]:
    """Run a witness until the block ends. The yielded function ends it and returns its results."""
    command = [
        sys.executable,
        "-m",
        "tests.fuzz.witness",
        address[0],
        str(address[1]),
        source,
        *([token] if token else []),
    ]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)

    async def end() -> Seen:
        async with asyncio.timeout(seconds(2 * _LONGEST_UNITS)):
            out, _ = await process.communicate(b"")
        seen: dict[str, dict[str, Any]] = orjson.loads(out)
        return {name: Sight(**sight) for name, sight in seen.items()}

    try:
        yield end
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _main(host: str, port: str, source: str, token: str | None = None) -> None:
    witness = Witness((host, int(port)), source, token)
    await witness.run(_end_of_input)
    print(orjson.dumps({name: asdict(sight) for name, sight in witness.seen.items()}).decode())


if __name__ == "__main__":
    uvloop.run(_main(*sys.argv[1:]))
