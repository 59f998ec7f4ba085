"""Carries one input out on a connection of its own, and keeps what came back; `judge` says what it is worth."""

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

#: What the last ping of a connection carries.
PROBE = b"still there?"
#: How long a moment is: nothing is judged by it.
_MOMENT_SECONDS = 0.02
#: How long a server may take for what it owes; a deadline of the test, stretched by the environment.
HANG_UNITS = 15
#: As much of what came is kept: no answer is as long, and streams go on without end.
_MAX_KEPT = 4 * 1024 * 1024
_READ = 65_536


@dataclass(frozen=True)
class Outcome:
    """What a client met with."""

    received: bytes = b""
    #: How the server ended the connection, None when it had not by then.
    ended: Literal["fin", "reset"] | None = None
    #: What was waited for in vain.
    hung: str | None = None
    #: Whether more came than was kept.
    overflowed: bool = False
    #: Whether the server ended the connection before the client had said that nothing more comes.
    unasked: bool = True


class _Line:
    """A socket whose bytes are read as they come, also while something is sent."""

    def __init__(self, sock: socket.socket, patience: float) -> None:
        self._sock = sock
        #: Seconds that the server may take for what it owes.
        self.patience = patience
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
        """Return whether all of it was taken in time; a server that has ended the connection takes all."""
        try:
            async with asyncio.timeout(within):
                await self._loop.sock_sendall(self._sock, data)
        except TimeoutError:
            return False
        except OSError:
            await self.until(lambda: self.ended is not None, within)  # what it said before that may be on its way
        return True

    async def until(self, reached: Callable[[], bool], within: float) -> bool:
        """Wait until `reached`, or the end of the connection; False when neither came in time."""
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
            return  # the server was there first

    async def aclose(self, *, reset: bool = False) -> None:
        await self.deafen()
        if reset:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._sock.close()


async def carry_out(one: Input, address: Address, source: str = "127.0.0.1", hang_units: float = HANG_UNITS) -> Outcome:
    """Connect from `source`, take the steps of `one`, and return what came of it.

    What the server owes must come within `hang_units` (see `tests.kit.deadline`).

    Raises:
        OSError: nobody listens at `address`.
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
                # Not reading, a client may well be made to wait.
                if not await line.send(data, _MOMENT_SECONDS if deaf else line.patience) and not deaf:
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
    """Return how many answers are there to their end, or are streams that began; None when it is no HTTP."""
    try:
        answers = read_answers(bytes(line.received), head_only=one.head_only).found
    except NotHttp:
        return None
    return sum(answer.whole or (answer.is_stream and bool(answer.body)) for answer in answers)


async def _answered(one: Input, line: _Line) -> Outcome:
    """Wait for the answers that are owed."""

    def reached() -> bool:
        there = _finals(one, line)
        return there is None or there >= max(one.owed, 1)

    if await line.until(reached, line.patience):
        return Outcome()
    return Outcome(hung=f"{one.owed} answer(s)")


async def _ended(one: Input, line: _Line) -> Outcome:
    """Wait for the server's end of a connection on which nothing more is said; streams may go on."""

    def reached() -> bool:
        there = _finals(one, line)
        return there is None or (one.owed > 0 and there >= one.owed) or _streams(one, line)

    if await line.until(reached, line.patience):
        return Outcome()
    return Outcome(
        hung="the end of a connection on which nothing more is said" if not one.owed else f"{one.owed} answer(s)"
    )


async def _socket_end(one: Input, line: _Line) -> Outcome:
    """Ask whether the server is still there, then take leave as RFC 6455, 7.1.2 has it."""

    def handshaken() -> bool:
        there = _finals(one, line)
        return there is None or there > 0

    if not await line.until(handshaken, line.patience):
        return Outcome(hung="the answer to a handshake")
    if _status(one, line) != 101:
        return Outcome()
    rng = random.Random(one.number)
    await line.send(frame(rng, PING, PROBE), line.patience)
    answered = await line.until(lambda: _probed(line), line.patience if one.aligned else _MOMENT_SECONDS)
    if not answered and one.aligned:
        return Outcome(hung="a pong")
    unasked = one.aligned or line.ended is not None
    await line.send(frame(rng, CLOSE, b"\x03\xe8"), line.patience)
    if not one.aligned:
        line.half_close()
    ended = await line.until(lambda: False, line.patience)
    return Outcome(hung=None if ended else "the end after a close frame", unasked=unasked)


def _streams(one: Input, line: _Line) -> bool:
    """Tell whether a stream has begun, which goes on for a client that only listens."""
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
