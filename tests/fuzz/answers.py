"""Parses the bytes of a server: answers of HTTP, and after an upgrade the frames of a WebSocket."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

__all__ = ["Answer", "Answers", "Frame", "Frames", "NotHttp", "read_answers", "read_frames"]

_HEAD = re.compile(rb"HTTP/1\.[01] (\d{3}) ?[^\r\n]*\r\n((?:[^\r\n]+\r\n)*)\r\n")
_CHUNK = re.compile(rb"([0-9a-fA-F]{1,16})[^\r\n]*\r\n")
_MAX_HEAD = 128 * 1024


class NotHttp(Exception):
    """The bytes are not an answer of HTTP/1.1."""


@dataclass
class Answer:
    """One answer, complete or not."""

    status: int
    fields: dict[bytes, bytes]
    body: bytes = b""
    #: Whether it is complete; never true of an answer that lasts until the connection ends.
    whole: bool = False
    #: Whether it has no length, so that the end of the connection is its end.
    to_the_end: bool = False

    @property
    def is_stream(self) -> bool:
        """Whether more of the body may come at any time."""
        kind = self.fields.get(b"content-type", b"")
        return kind.startswith((b"text/event-stream", b"multipart/mixed"))

    @property
    def closes(self) -> bool:
        """Whether it announces that no further answer follows."""
        return self.status == 101 or b"close" in self.fields.get(b"connection", b"").lower()


@dataclass
class Answers:
    """The final answers on a connection, and the bytes after an upgrade."""

    found: list[Answer] = field(default_factory=list)
    upgraded: bytes | None = None


@dataclass(frozen=True)
class Frame:
    """One frame of the server."""

    opcode: int
    payload: bytes


@dataclass
class Frames:
    """The complete frames. `fault` describes a frame that a server must not send."""

    found: list[Frame] = field(default_factory=list)
    fault: str | None = None


def read_answers(data: bytes, *, head_only: bool = False) -> Answers:
    """Return the answers in `data`, without interim ones (1xx).

    Raises:
        NotHttp: the bytes begin, or continue, with something else.
    """
    answers, at = Answers(), 0
    while at < len(data):
        match = _HEAD.match(data, at)
        if match is None:
            if not b"HTTP/1.".startswith(data[at : at + 7]) or len(data) - at > _MAX_HEAD:
                raise NotHttp(f"expected a status line, got {data[at : at + 60]!r}")
            return answers
        at, status = match.end(), int(match[1])
        if status == 101:
            answers.upgraded = data[at:]
            answers.found.append(Answer(status, _fields(match[2]), whole=True))
            return answers
        if status >= 200:
            answer = Answer(status, _fields(match[2]))
            answers.found.append(answer)
            at = _read_body(answer, data, at, head_only=head_only)
    return answers


def _fields(lines: bytes) -> dict[bytes, bytes]:
    pairs = (line.partition(b":") for line in lines.split(b"\r\n") if line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _read_body(answer: Answer, data: bytes, at: int, *, head_only: bool) -> int:
    """Read the body that begins at `at` and return its end (RFC 9112, 6.3)."""
    if head_only or answer.status in {204, 304}:
        answer.whole = True
        # To an invalid request, a server may answer as if to GET if nothing can follow it.
        return len(data) if answer.closes else at
    if answer.fields.get(b"transfer-encoding", b"").lower() == b"chunked":
        return _read_chunks(answer, data, at)
    length = answer.fields.get(b"content-length")
    if length is None:
        answer.to_the_end, answer.body = True, data[at:]
        return len(data)
    if not length.isdigit():
        raise NotHttp(f"expected a length, got {length!r}")
    end = at + int(length)
    answer.body, answer.whole = data[at:end], end <= len(data)
    return min(end, len(data))


def _read_chunks(answer: Answer, data: bytes, at: int) -> int:
    parts = []
    while match := _CHUNK.match(data, at):
        size = int(match[1], 16)
        at = match.end()
        parts.append(data[at : at + size])
        end = data[at + size : at + size + 2]
        if end not in {b"\r\n", b"\r", b""}:
            raise NotHttp(f"expected the end of a chunk, got {end!r}")
        at += size + 2
        if size == 0 and end == b"\r\n":
            answer.whole = True
            break
    else:
        if at + 20 < len(data):
            raise NotHttp(f"expected a chunk, got {data[at : at + 20]!r}")
        at = len(data)
    answer.body = b"".join(parts)
    return at


def read_frames(data: bytes) -> Frames:
    """Return the frames in `data`. A server does not mask (RFC 6455, 5.1), and ours does not fragment."""
    frames, at = Frames(), 0
    while at + 2 <= len(data):
        first, second = data[at], data[at + 1]
        if not first & 0x80 or first & 0x70 or second & 0x80:
            frames.fault = f"expected a whole unmasked frame, got {data[at : at + 10].hex()}"
            return frames
        size, start = second & 0x7F, at + 2
        if size >= 126:
            width = 2 if size == 126 else 8
            size, start = int.from_bytes(data[start : start + width], "big"), start + width
        if start + size > len(data):
            return frames
        frames.found.append(Frame(first & 0x0F, data[start : start + size]))
        at = start + size
    return frames
