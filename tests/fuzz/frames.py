"""WebSocket frames as bytes, valid by RFC 6455 and slightly invalid.

Masks come from the random generator, so that an input has the same bytes each time.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from tests.kit.raw_socket import BINARY, CLOSE, PING, PONG, TEXT

__all__ = ["CONTINUATION", "Broken", "frame", "frames_near", "handshake_lines", "message"]

CONTINUATION = 0x0
_KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
_MIB = 1024 * 1024
#: Codes of all kinds except 1011, because an echo of it would look like a fault of the server.
_CLOSE_CODES = (0, 999, 1000, 1001, 1003, 1004, 1005, 1006, 1007, 1014, 1015, 2999, 3000, 4000, 4999, 5000, 65_535)


@dataclass(frozen=True)
class Broken:
    """Bytes after which no frame can be parsed."""

    data: bytes


def handshake_lines(*, protocol: bytes | None = None) -> list[tuple[bytes, bytes]]:
    """Return the header lines of an upgrade, without `Host`."""
    lines = [
        (b"Upgrade", b"websocket"),
        (b"Connection", b"Upgrade"),
        (b"Sec-WebSocket-Key", _KEY),
        (b"Sec-WebSocket-Version", b"13"),
    ]
    return lines if protocol is None else [*lines, (b"Sec-WebSocket-Protocol", protocol)]


def frame(
    rng: random.Random,
    opcode: int,
    payload: bytes,
    *,
    fin: bool = True,
    reserved: int = 0,
    masked: bool = True,
    size: int | None = None,
) -> bytes:
    """Return one client frame. `size` is the length in its head, if that is to be wrong."""
    stated = len(payload) if size is None else size
    mask_bit = 0x80 if masked else 0
    head = bytes([(0x80 if fin else 0) | reserved << 4 | opcode])
    if stated < 126:
        head += bytes([mask_bit | stated])
    elif stated < 1 << 16:
        head += bytes([mask_bit | 126]) + stated.to_bytes(2, "big")
    else:
        head += bytes([mask_bit | 127]) + stated.to_bytes(8, "big")
    if not masked:
        return head + payload
    mask = rng.randbytes(4)
    repeated = int.from_bytes((mask * (len(payload) // 4 + 1))[: len(payload)], "big")
    return head + mask + (int.from_bytes(payload, "big") ^ repeated).to_bytes(len(payload), "big")


def message(rng: random.Random, payload: bytes) -> bytes:
    """Return a valid message: text or binary, in one frame or several, perhaps with pings between them."""
    opcode = TEXT if rng.random() < 0.9 else BINARY
    if rng.random() < 0.8 or len(payload) < 2:
        return frame(rng, opcode, payload)
    cuts = sorted(rng.randrange(len(payload)) for _ in range(rng.choice((1, 2, 9))))
    parts = [payload[start:end] for start, end in zip([0, *cuts], [*cuts, len(payload)], strict=True)]
    out = []
    for number, part in enumerate(parts):
        out.append(frame(rng, CONTINUATION if number else opcode, part, fin=number == len(parts) - 1))
        if rng.random() < 0.3 and number < len(parts) - 1:
            out.append(frame(rng, PING, b"between"))
    return b"".join(out)


def frames_near(rng: random.Random, payload: bytes) -> bytes | Broken:
    """Return invalid frames that contain `payload`."""
    return rng.choice(_NEAR)(rng, payload)


def _opcode(rng: random.Random, payload: bytes) -> bytes:
    return frame(rng, rng.choice((3, 4, 5, 6, 7, 11, 12, 13, 14, 15)), payload[:125])


def _reserved(rng: random.Random, payload: bytes) -> bytes:
    return frame(rng, TEXT, payload, reserved=rng.randrange(1, 8))


def _unmasked(rng: random.Random, payload: bytes) -> bytes:
    return frame(rng, TEXT, payload, masked=False)


def _long_control(rng: random.Random, payload: bytes) -> bytes:
    return frame(rng, rng.choice((PING, PONG, CLOSE)), b"\x03\xe8" + b"x" * rng.choice((124, 1_000, 70_000)))


def _cut_control(rng: random.Random, payload: bytes) -> bytes:
    return frame(rng, rng.choice((PING, PONG, CLOSE)), b"", fin=False)


def _lost_continuation(rng: random.Random, payload: bytes) -> bytes:
    return frame(rng, CONTINUATION, payload, fin=rng.random() < 0.5)


def _begun_twice(rng: random.Random, payload: bytes) -> bytes:
    return frame(rng, TEXT, payload, fin=False) + frame(rng, TEXT, payload)


def _empty_ones(rng: random.Random, payload: bytes) -> bytes:
    count = rng.choice((1, 100, 2_000))
    return (
        frame(rng, TEXT, b"", fin=False)
        + frame(rng, CONTINUATION, b"", fin=False) * count
        + frame(rng, CONTINUATION, b"")
    )


def _single_bytes(rng: random.Random, payload: bytes) -> bytes:
    payload = (payload or b"{}")[:3_000]
    last = len(payload) - 1
    ones = (
        frame(rng, CONTINUATION if at else TEXT, payload[at : at + 1], fin=at == last) for at in range(len(payload))
    )
    return b"".join(ones)


def _pings(rng: random.Random, payload: bytes) -> bytes:
    return frame(rng, PING, payload[: rng.choice((0, 8, 125))]) * rng.choice((1, 50, 1_000))


def _pongs(rng: random.Random, payload: bytes) -> bytes:
    return frame(rng, PONG, payload[:125]) * rng.choice((1, 300))


def _not_utf8(rng: random.Random, payload: bytes) -> bytes:
    bad = rng.choice((b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82"))
    if rng.random() < 0.5:
        return frame(rng, TEXT, payload[:10] + bad + payload[10:])
    return frame(rng, TEXT, bad[:1], fin=False) + frame(rng, CONTINUATION, bad[1:] + payload)


def _close(rng: random.Random, payload: bytes) -> bytes:
    code = rng.choice(_CLOSE_CODES).to_bytes(2, "big")
    body = rng.choice((b"", b"\x03", code, code + b"because", code + b"\xff\xff", code + b"x" * 123))
    return frame(rng, CLOSE, body) + rng.choice((b"", message(rng, payload), frame(rng, CLOSE, b""), b"rubbish"))


def _large(rng: random.Random, payload: bytes) -> bytes:
    return frame(rng, TEXT, b'"' + b"x" * (_MIB + rng.choice((-2, -1, 0, 50_000))) + b'"')


def _many(rng: random.Random, payload: bytes) -> bytes:
    return frame(rng, TEXT, payload[:2_000]) * rng.choice((2, 20, 100))


def _untrue_size(rng: random.Random, payload: bytes) -> Broken:
    size = rng.choice((len(payload) + 1, 2**16, _MIB, _MIB + 1, 2**31, 2**63 - 1, 2**63, 2**64 - 1))
    return Broken(frame(rng, TEXT, payload, size=size))


def _cut(rng: random.Random, payload: bytes) -> Broken:
    whole = frame(rng, TEXT, payload or b"{}")
    return Broken(whole[: rng.randrange(1, len(whole))])


def _rubbish(rng: random.Random, payload: bytes) -> Broken:
    return Broken(
        rng.choice((rng.randbytes(rng.choice((1, 2, 14, 300))), payload, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
    )


_NEAR: tuple[Callable[[random.Random, bytes], bytes | Broken], ...] = (
    *(
        _opcode,
        _reserved,
        _unmasked,
        _long_control,
        _cut_control,
        _lost_continuation,
        _begun_twice,
        _empty_ones,
        _single_bytes,
    ),
    *(_pings, _pongs, _not_utf8, _close, _close, _large, _many, _untrue_size, _cut, _rubbish),
)
