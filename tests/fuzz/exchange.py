"""Executes one input on its own connection, and keeps the server's bytes; `judge` evaluates them."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from tests.fuzz.answers import NotHttp, read_answers, read_frames
from tests.fuzz.frames import frame
from tests.fuzz.inputs import Deaf, Input, Leave, Pause, Say, Talk
from tests.kit.deadline import seconds
from tests.kit.raw_http import Address
from tests.kit.raw_socket import CLOSE, PING, PONG

__all__ = ["PROBE", "Outcome", "carry_out"]

#: The payload of the last ping of a connection.
PROBE = b"still there?"
#: A short pause. No fault depends on it.
_MOMENT_SECONDS = 0.02
#: The server's time for an expected answer: a deadline of the test, stretched by the environment.
HANG_UNITS = 15
#: At most this many bytes are kept. No answer is as long, and streams have no end.
_MAX_KEPT = 4 * 1024 * 1024
_READ = 65_536


@dataclass(frozen=True)
class Outcome:
    """The result of an input for its client."""

    received: bytes = b""
    #: How the server ended the connection, None if it had not ended.
    ended: Literal["fin", "reset"] | None = None
    #: The event that did not come in time.
    hung: str | None = None
    #: Whether more bytes came than were kept.
    overflowed: bool = False
    #: Whether the server ended the connection before the client had closed its side.
    unasked: bool = True


class _Line:
    """A socket that is read continuously, also while something is sent."""

    def __init__(self, sock: socket.socket, wait_seconds: float) -> None:
        self._sock = sock
        #: Seconds that the server may take for an expected answer.
        self.wait_seconds = wait_seconds
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None
        self.received = bytearray()
        self.overflowed = False
        self.ended: Literal["fin", "reset"] | None = None

    def listen(self) -> None:
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        try:
            while data := await self._loop.sock_recv(self._sock, _READ):
                if len(self.received) > _MAX_KEPT:
                    self.overflowed = True
                else:
                    self.received += data
                self._changed.set()
            self.ended = "fin"
        except OSError:
            self.ended = "reset"
        self._changed.set()

    async def send(self, data: bytes, within: float) -> bool:
        """Return whether all bytes were sent in time. It is true for a connection that the server has ended."""
        try:
            async with asyncio.timeout(within):
                await self._loop.sock_sendall(self._sock, data)
        except TimeoutError:
            return False
        except OSError:
            await self.until(lambda: self.ended is not None, within)  # its last bytes may be on their way
        return True

    async def until(self, reached: Callable[[], bool], within: float) -> bool:
        """Wait until `reached`, or for the end of the connection. False if neither came in time."""
        try:
            async with asyncio.timeout(within):
                while not reached() and self.ended is None:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True

    async def deafen(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait([self._reading])

    def half_close(self) -> None:
        try:
            self._sock.shutdown(socket.SHUT_WR)
        except OSError:
            return  # the server closed first

    async def aclose(self, *, reset: bool = False) -> None:
        await self.deafen()
        if reset:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._sock.close()


async def carry_out(one: Input, address: Address, source: str = "127.0.0.1", hang_units: float = HANG_UNITS) -> Outcome:
    """Connect from `source`, execute the steps of `one`, and return the result.

    Expected answers must come within `hang_units` (see `tests.kit.deadline`).

    Raises:
        OSError: no server listens at `address`.
    """
    sock = socket.socket()
    sock.setblocking(False)
    try:
        sock.bind((source, 0))
        await asyncio.get_running_loop().sock_connect(sock, address)
    except BaseException:
        sock.close()
        raise
    line = _Line(sock, seconds(hang_units))
    line.listen()
    reset = one.leaves is not None and one.leaves.how == "reset"
    try:
        outcome = await _take_steps(one, line)
    finally:
        await line.aclose(reset=reset)
    return replace(outcome, received=bytes(line.received), ended=line.ended, overflowed=line.overflowed)


async def _take_steps(one: Input, line: _Line) -> Outcome:
    deaf = False
    for step in one.steps:
        match step:
            case Say(data):
                # The server may block a client that does not read.
                if not await line.send(data, _MOMENT_SECONDS if deaf else line.wait_seconds) and not deaf:
                    return Outcome(hung="that the server takes what is sent")
            case Pause():
                before = len(line.received)
                await line.until(lambda before=before: len(line.received) > before, _MOMENT_SECONDS)  # type: ignore[misc]
            case Deaf():
                deaf = True
                await line.deafen()
            case Leave("reset"):
                return Outcome()
            case Leave("half-close"):
                line.half_close()
                return replace(await _ended(one, line), unasked=False)
            case Leave("hold"):
                return await _ended(one, line)
    return await (_socket_end(one, line) if one.talk is Talk.WEBSOCKET else _answered(one, line))


def _finals(one: Input, line: _Line) -> int | None:
    """Return the number of complete answers and of streams that began; None if the bytes are not HTTP."""
    try:
        answers = read_answers(bytes(line.received), head_only=one.head_only).found
    except NotHttp:
        return None
    return sum(answer.whole or (answer.is_stream and bool(answer.body)) for answer in answers)


async def _answered(one: Input, line: _Line) -> Outcome:
    """Wait for the expected answers."""

    def reached() -> bool:
        there = _finals(one, line)
        return there is None or there >= max(one.owed, 1)

    if await line.until(reached, line.wait_seconds):
        return Outcome()
    return Outcome(hung=f"{one.owed} answer(s)")


async def _ended(one: Input, line: _Line) -> Outcome:
    """Wait for the server to end a connection after the client closed its side. A stream may continue."""

    def reached() -> bool:
        there = _finals(one, line)
        return there is None or (one.owed > 0 and there >= one.owed) or _streams(one, line)

    if await line.until(reached, line.wait_seconds):
        return Outcome()
    return Outcome(
        hung="the end of a connection on which nothing more is said" if not one.owed else f"{one.owed} answer(s)"
    )


async def _socket_end(one: Input, line: _Line) -> Outcome:
    """Check with a ping that the server still answers, then close as in RFC 6455, 7.1.2."""

    def handshaken() -> bool:
        there = _finals(one, line)
        return there is None or there > 0

    if not await line.until(handshaken, line.wait_seconds):
        return Outcome(hung="the answer to a handshake")
    if _status(one, line) != 101:
        return Outcome()
    rng = random.Random(one.number)
    await line.send(frame(rng, PING, PROBE), line.wait_seconds)
    answered = await line.until(lambda: _probed(line), line.wait_seconds if one.aligned else _MOMENT_SECONDS)
    if not answered and one.aligned:
        return Outcome(hung="a pong")
    unasked = one.aligned or line.ended is not None
    await line.send(frame(rng, CLOSE, b"\x03\xe8"), line.wait_seconds)
    if not one.aligned:
        line.half_close()
    ended = await line.until(lambda: False, line.wait_seconds)
    return Outcome(hung=None if ended else "the end after a close frame", unasked=unasked)


def _streams(one: Input, line: _Line) -> bool:
    """Return whether a stream has begun; it continues for a client that only reads."""
    try:
        found = read_answers(bytes(line.received), head_only=one.head_only).found
    except NotHttp:
        return True
    return any(answer.is_stream and answer.body for answer in found)


def _status(one: Input, line: _Line) -> int | None:
    try:
        found = read_answers(bytes(line.received), head_only=one.head_only).found
    except NotHttp:
        return None
    return found[0].status if found else None


def _probed(line: _Line) -> bool:
    behind = read_answers(bytes(line.received)).upgraded or b""
    return line.overflowed or any(
        seen.opcode == CLOSE or (seen.opcode == PONG and seen.payload == PROBE) for seen in read_frames(behind).found
    )
