"""Building blocks of inputs: requests with and without bodies, and upgraded connections."""

from __future__ import annotations

import random
from collections.abc import Callable
from urllib.parse import quote

import orjson

from tests.fuzz.credentials import bearer_of, give
from tests.fuzz.frames import Broken, frames_near, handshake_lines, message
from tests.fuzz.heads import HOST, Head, chunked, head_near, owed_answers, request, target_near
from tests.fuzz.inputs import Access, Facts, Leave, Pause, Say, Step, Talk
from tests.fuzz.mutate import as_json, bytes_near, json_near
from tests.live.boards import BOARD, OTHER

__all__ = [
    "JSON",
    "MULTIPART",
    "SSE",
    "Entry",
    "Made",
    "ask",
    "board_target",
    "head_of",
    "http",
    "near_body",
    "post",
    "socket_input",
    "surely",
]

#: Protocol, steps, expected answers, whether frames are complete.
Made = tuple[Talk, tuple[Step, ...], int, bool]
Entry = Callable[[random.Random, Access, Facts], Made]
JSON = (b"Content-Type", b"application/json")
SSE = (b"Accept", b"text/event-stream")
MULTIPART = (b"Accept", b'multipart/mixed;subscriptionSpec="1.0", application/json')
_MAX_BODY = 1024 * 1024


def head_of(
    rng: random.Random, access: Access, facts: Facts, method: str, target: str, *lines: tuple[bytes, bytes]
) -> Head:
    """Return an ordinary head."""
    at, given = give(rng, access, facts, target.encode("utf-8", "surrogatepass"), list(lines))
    return method.encode(), at, b"HTTP/1.1", [(b"Host", HOST), *given]


def http(data: bytes, owed: int | None = None, *steps: Step) -> Made:
    """Return an input of HTTP. The number of expected answers is computed from its bytes unless it is given."""
    return Talk.HTTP, (Say(data), *steps), owed_answers(data) if owed is None else owed, True


def surely(head: Head, body: bytes = b"") -> Made:
    """Return an input that is a complete request."""
    method, target, version, lines = head
    length = [(b"Content-Length", b"%d" % len(body))] if body or method in {b"POST", b"PATCH", b"PUT"} else []
    return http(request((method, target, version, [*lines, *length]), body), 1)


def post(rng: random.Random, head: Head, body: bytes) -> Made:
    """Return a request with a body, in any framing, or with damage to its bytes or its head."""
    method, target, version, lines = head
    roll = rng.random()
    if roll < 0.08:
        body = bytes_near(rng, body)
    elif roll < 0.1:
        body += b" " * (_MAX_BODY + rng.choice((-1, 0, 1)) - len(body))
    if roll < 0.75:
        return surely(head, body)
    if roll < 0.85:
        return http(
            request((method, target, version, [*lines, (b"Transfer-Encoding", b"chunked")]), chunked(rng, body))
        )
    if roll < 0.9:
        damaged = request(
            (method, target, version, [*lines, (b"Transfer-Encoding", b"chunked")]), chunked(rng, body, strict=False)
        )
        return http(damaged, None, Leave("half-close"))
    data = head_near(rng, (method, target, version, [*lines, (b"Content-Length", b"%d" % len(body))])) + body
    return http(data, None, Leave("half-close"))


def ask(rng: random.Random, head: Head) -> Made:
    """Return a request without a body, or nearly one."""
    roll = rng.random()
    if roll < 0.5:
        return surely(head)
    if roll < 0.7:
        method, target, version, lines = head
        return surely((method, target_near(rng, target).replace(b" ", b"") or b"/", version, lines))
    data = head_near(rng, head) if roll < 0.95 else bytes_near(rng, request(head))
    return http(data, None, Leave("half-close"))


def near_body(rng: random.Random, body: bytes) -> bytes:
    try:
        return json_near(rng, orjson.loads(body)).encode()
    except orjson.JSONDecodeError:
        return body


def board_target(rng: random.Random, facts: Facts, path: str) -> str:
    """Return the address of a board's stream with some of its parameters."""
    board = rng.choice((BOARD, BOARD, OTHER, "nope", ""))
    more = (
        f"after={quote(facts.cursor)}",
        "after=x",
        "delivery=changes",
        "delivery=patch",
        "delivery=x",
        "slow=disconnect",
        "slow=",
        "projectId=board-2",
    )
    return f"{path}?boardId={board}" + "".join(f"&{one}" for one in rng.sample(more, rng.choice((0, 0, 1, 2))))


def _new_token(rng: random.Random, facts: Facts) -> dict[str, object]:
    """Return a raw message that puts another token in place."""
    access = rng.choice((Access.TOKEN, Access.TOKEN, Access.WRONG))
    return {"type": "authenticate", "payload": {"token": bearer_of(rng, access, facts)}}


def socket_input(
    rng: random.Random,
    access: Access,
    facts: Facts,
    target: str,
    payloads: list[bytes],
    *,
    protocol: bytes | None = None,
) -> Made:
    """Return a connection that upgrades and then sends `payloads`, some of them in invalid frames."""
    head = head_of(rng, access, facts, "GET", target, *handshake_lines(protocol=protocol))
    if rng.random() < 0.06:
        return http(head_near(rng, head), None, Leave("half-close"))
    if rng.random() < 0.2 and protocol is None:
        payloads = [*payloads, as_json(_new_token(rng, facts)).encode()]
    steps: list[Step] = [Say(request(head))]
    aligned = True
    for payload in payloads:
        said = frames_near(rng, payload) if rng.random() < 0.2 else message(rng, payload)
        aligned = aligned and not isinstance(said, Broken)
        if rng.random() < 0.3:
            steps.append(Pause())
        steps.append(Say(said.data if isinstance(said, Broken) else said))
    if len(steps) > 1 and rng.random() < 0.1:
        steps = [Say(b"".join(step.data for step in steps if isinstance(step, Say)))]
    return Talk.WEBSOCKET, tuple(steps), 1, aligned
