"""HTTP requests as bytes: heads, framing and chunks, valid by the RFC and slightly invalid."""

from __future__ import annotations

import random

import h11

from tests.fuzz.credentials import Lines
from tests.fuzz.mutate import bytes_near

__all__ = ["HOST", "Head", "Lines", "chunked", "head_near", "owed_answers", "request", "target_near"]

HOST = b"127.0.0.1"
#: The parts of a request head: method, target, version, lines.
Head = tuple[bytes, bytes, bytes, Lines]
_LARGE = 10**9


def request(head: Head, body: bytes = b"") -> bytes:
    """Return the bytes of a request; nothing is added."""
    method, target, version, lines = head
    fields = b"".join(name + b": " + value + b"\r\n" for name, value in lines)
    return b"%b %b %b\r\n%b\r\n%b" % (method, target, version, fields, body)


def chunked(rng: random.Random, body: bytes, *, strict: bool = True) -> bytes:
    """Return `body` in chunks of any size. Unless `strict`, one of them violates the RFC."""
    out: list[bytes] = []
    at = 0
    while at < len(body):
        size = rng.choice((1, 7, 100, 4_096, 65_536)) if len(out) < 50 else len(body)
        part = body[at : at + size]
        out.append(b"%x%b\r\n%b\r\n" % (len(part), rng.choice((b"", b"", b";a=b", b' ; a="b\\""')), part))
        at += size
    out.append(rng.choice((b"0\r\n\r\n", b"0\r\n\r\n", b"000\r\nX-Trailer: 1\r\n\r\n")))
    if not strict:
        wrong = (
            b"-1\r\n",
            b"g\r\n",
            b"0x5\r\nhello\r\n",
            b"f" * 17 + b"\r\n",
            b"5\nhello\n",
            b"5\r\nhelloX",
            b"\r\n",
            b";\r\n",
        )
        out.insert(rng.randrange(len(out)), rng.choice(wrong))
    return b"".join(out)


def owed_answers(data: bytes) -> int:
    """Return 1 if a request is complete or invalid, so that an answer is expected; 0 if more bytes might follow."""
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=_LARGE)
    try:
        connection.receive_data(data)
        while (event := connection.next_event()) is not h11.NEED_DATA:
            if isinstance(event, h11.EndOfMessage | h11.ConnectionClosed) or event is h11.PAUSED:
                return int(isinstance(event, h11.EndOfMessage))
    except h11.RemoteProtocolError:
        # A complete head needs an answer. A line without an end might become anything.
        return int(b"\r\n\r\n" in data)
    return 0


def target_near(rng: random.Random, target: bytes) -> bytes:
    """Return a target with a change at its edges."""
    match rng.randrange(9):
        case 0:
            return target + rng.choice(
                (b"/", b"//", b"/..", b"/%2e%2e/", b"%00", b"%ff", b"%", b"%2F", b"%0d%0aX:1", b"#a")
            )
        case 1:
            return (
                target
                + b"?"
                + b"&".join(
                    rng.choice((b"a", b"boardId=", b"=", b"a=b")) for _ in range(rng.choice((1, 99, 101, 3_000)))
                )
            )
        case 2:
            return b"http://127.0.0.1" + target
        case 3:
            return rng.choice(
                (b"*", b"", b"//", b"http://", b"127.0.0.1:80", b"/\xff\xfe", b"/" + b"a" * 9_000, b"/?" + b"%" * 500)
            )
        case 4:
            return target.replace(
                b"board-1", rng.choice((b"", b"%62oard-1", b"board-1%00", b"a%2Fb", b"x" * 300, b"%E2%80%AE", b".."))
            )
        case 5:
            query = b"&" if b"?" in target else b"?"
            names = (
                b"after",
                b"delivery",
                b"slow",
                b"boardId",
                b"projectId",
                b"access_token",
                b"range",
                b"from",
                b"limit",
                b"query",
            )
            return (
                target
                + query
                + rng.choice(names)
                + b"="
                + rng.choice((b"", b"%00", b"-1", b"1e9", b"%ff", b"x" * 5_000, b"changes", b"all"))
            )
        case 6:
            return bytes_near(rng, target).replace(b" ", b"").replace(b"\r", b"").replace(b"\n", b"")
        case _:
            return target


def head_near(rng: random.Random, head: Head) -> bytes:
    """Return the bytes of a head after some changes, which may make it invalid."""
    method, target, version, lines = head
    lines = list(lines)
    for _ in range(rng.choice((1, 1, 2, 3))):
        match rng.randrange(8):
            case 0:
                method = rng.choice(
                    (
                        b"GET",
                        b"HEAD",
                        b"OPTIONS",
                        b"TRACE",
                        b"CONNECT",
                        b"PUT",
                        b"get",
                        b"",
                        b"G\x00T",
                        b"A" * 300,
                        b"PRI",
                    )
                )
            case 1:
                target = target_near(rng, target)
            case 2:
                version = rng.choice(
                    (
                        b"HTTP/1.0",
                        b"HTTP/1.0",
                        b"HTTP/0.9",
                        b"HTTP/2.0",
                        b"HTTP/1.2",
                        b"http/1.1",
                        b"HTTP/1.1 ",
                        b"",
                        b"HTTP/9",
                    )
                )
            case 3 if lines:
                del lines[rng.randrange(len(lines))]
            case 4 if lines:
                lines.insert(rng.randrange(len(lines)), rng.choice(lines))
            case 5 if lines:
                at = rng.randrange(len(lines))
                lines[at] = (lines[at][0], rng.choice(_VALUES))
            case _:
                lines.insert(rng.randrange(len(lines) + 1), rng.choice(_FIELDS))
    data = request((method, target, version, _many(rng, lines)))
    return rng.choice(_LINES)(data) if rng.random() < 0.15 else data


def _many(rng: random.Random, lines: Lines) -> Lines:
    """Return the lines, sometimes with the maximum number or length, or one more."""
    roll = rng.random()
    if roll < 0.03:
        return [*lines, *((b"X-%d" % n, b"v") for n in range(rng.choice((90, 124, 130, 1_000))))]
    return [*lines, (b"X-Long", b"v" * rng.choice((8_000, 60_000, 70_000)))] if roll < 0.06 else lines


_VALUES = (
    b"",
    b" ",
    b"\x00",
    b"\xff",
    b"-1",
    b"+5",
    b"0x10",
    b"1,1",
    b"9" * 40,
    b"a\rb",
    b"a\tb",
    b"chunked, chunked",
    b"close, upgrade",
    b"*",
)
_FIELDS: Lines = [
    (b"Content-Length", b"0"),
    (b"Content-Length", b"5"),
    (b"Content-Length", b"-1"),
    (b"Content-Length", b"99999999999999999999"),
    (b"Transfer-Encoding", b"chunked"),
    (b"Transfer-Encoding", b"gzip"),
    (b"Transfer-Encoding", b"identity"),
    (b"Transfer-Encoding", b" chunked"),
    (b"Upgrade", b"h2c"),
    (b"Upgrade", b"websocket"),
    (b"Connection", b"Upgrade"),
    (b"Connection", b"close"),
    (b"Connection", b"keep-alive"),
    (b"Expect", b"100-continue"),
    (b"Expect", b"nothing"),
    (b"Host", b"evil.example"),
    (b"Host", b""),
    (b"Host", b"[::1]:99999"),
    (b"Origin", b"null"),
    (b"Origin", b"https://evil.example"),
    (b"Origin", b"http://127.0.0.1"),
    (b"Accept", b"text/event-stream;q=0, */*;q=x"),
    (b"Accept", b"multipart/mixed;subscriptionSpec=1.0, application/json"),
    (b"Accept", b"a/b;" + b'c="' + b"\\" * 300),
    (b"Accept-Encoding", b"gzip"),
    (b"Content-Type", b"text/plain"),
    (b"Content-Type", b"application/json; charset=utf-7"),
    (b"Content-Type", b"multipart/form-data; boundary=x"),
    (b"Content-Encoding", b"gzip"),
    (b"Last-Event-ID", b""),
    (b"Last-Event-ID", b"x"),
    (b"Last-Event-ID", b"\xff" * 400),
    (b"Cookie", b"=;=;=,a"),
    (b"If-None-Match", b"*"),
    (b"If-Modified-Since", b"yesterday"),
    (b"Range", b"bytes=-1,0-0,99-1"),
    (b"Sec-WebSocket-Key", b"x"),
    (b"Idempotency-Key", b""),
    (b"Idempotency-Key", b"k" * 201),
    (b"X-Request-Id", b"a b\x0b"),
    (b"X-Forwarded-For", b"::1, nope"),
    (b"Forwarded", b"for=x"),
    (b"Sec-WebSocket-Protocol", b",,graphql-ws"),
    (b"Sec-WebSocket-Extensions", b"permessage-deflate; server_max_window_bits=99"),
    (b"", b""),
    (b"Bad Name", b"v"),
    (b"X-Name ", b"v"),
    (b"N\x00", b"v"),
    (b":authority", b"v"),
    (b"Access-Control-Request-Method", b"PATCH"),
    (b"TE", b"trailers"),
]
_LINES = (
    lambda data: data.replace(b"\r\n", b"\n"),
    lambda data: data.replace(b"\r\n", b"\r\r\n", 1),
    lambda data: b"\r\n" * 3 + data,
    lambda data: data.replace(b"\r\n", b"\r\n folded\r\n", 1),
    lambda data: data.replace(b": ", b" : ", 1),
    lambda data: data.replace(b": ", b":", 9),
    lambda data: data.replace(b": ", b" ", 1),
    lambda data: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + data,
    lambda data: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + data,
)
