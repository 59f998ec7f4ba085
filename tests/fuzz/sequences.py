"""Clients with harmful behaviour: unfinished requests, early leavers, many subscriptions, boards that are deleted."""

from __future__ import annotations

import random

import orjson

from tests.fuzz.building import Entry, Made, board_target, head_of, http
from tests.fuzz.corpus import commands, events
from tests.fuzz.credentials import bearer_of
from tests.fuzz.entries import ENTRIES
from tests.fuzz.frames import frame, handshake_lines
from tests.fuzz.heads import request
from tests.fuzz.inputs import Access, Deaf, Facts, Leave, Pause, Say, Step, Talk
from tests.fuzz.mutate import as_json
from tests.kit.raw_socket import PING, TEXT
from tests.live.boards import BOARD, OTHER

__all__ = ["SEQUENCES"]

_EVENTS = (
    'subscription { boardEvents(boardId: "board-1") '
    "{ __typename ... on State { state { columns { id cards { id title } } } } } }"
)
#: As many as a connection may run, and some more.
_SUBSCRIPTIONS = (5, 100, 130)


def _half(rng: random.Random, access: Access, facts: Facts) -> Made:
    """Send a part of something and stay until the server closes."""
    data = _some_bytes(rng, access, facts)
    cut = data[: rng.randrange(1, len(data))]
    return Talk.HTTP, (Say(cut), Leave("hold")), 0, False


def _drops(rng: random.Random, access: Access, facts: Facts) -> Made:
    """Send a head byte by byte, and then no more of it."""
    head = head_of(rng, access, facts, "GET", f"/api/v1/sse?boardId={BOARD}", (b"X-Slow", b"x" * 20))
    data = request(head)[:-2]
    steps: list[Step] = []
    for start in range(0, len(data), 11):
        steps += [Say(data[start : start + 11]), Pause()]
    return Talk.HTTP, (*steps, Leave("hold")), 0, True


def _early(rng: random.Random, access: Access, facts: Facts) -> Made:
    """Leave at any point of any input, with or without a close."""
    name = rng.choice(list(ENTRIES))
    talk, steps, *_ = ENTRIES[name][1](rng, access, facts)
    steps = tuple(step for step in steps if not isinstance(step, Leave))[: rng.randrange(1, len(steps) + 1)]
    last = steps[-1]
    if isinstance(last, Say) and rng.random() < 0.6:
        steps = (*steps[:-1], Say(last.data[: rng.randrange(len(last.data) + 1)]))
    waits: tuple[Step, ...] = (Pause(),) if rng.random() < 0.5 else ()
    return talk, (*steps, *waits, Leave(rng.choice(("reset", "reset", "half-close")))), 0, False


def _pipelined(rng: random.Random, access: Access, facts: Facts) -> Made:
    """Send several requests at once, then rubbish."""
    count = rng.choice((1, 2, 10))
    head = head_of(rng, access, facts, "GET", rng.choice(("/api/v1/healthz", "/api/v1/projects", "/metrics")))
    rubbish = rng.choice((b"", b"\x00" * 100, b"GET\r\n\r\n", b"0\r\n\r\n", request(head)[:-5], rng.randbytes(50)))
    return http(request(head) * count + rubbish, 1, *([Leave("half-close")] if rubbish else []))


def _many_subscriptions(rng: random.Random, access: Access, facts: Facts) -> Made:
    """Subscribe very often on one connection, with ids that are in use or free, and leave in the middle of it."""
    head = head_of(rng, access, facts, "GET", "/graphql", *handshake_lines(protocol=b"graphql-transport-ws"))
    token = bearer_of(rng, access, facts)
    payload = {"authorization": f"Bearer {token}"} if token else {}
    said: list[object] = [{"type": "connection_init", "payload": payload}]
    count = rng.choice(_SUBSCRIPTIONS)
    said += [{"id": str(number), "type": "subscribe", "payload": {"query": _EVENTS}} for number in range(count)]
    said += [{"id": str(number), "type": "complete"} for number in range(0, count, rng.choice((1, 2, 50)))]
    says = b"".join(frame(rng, TEXT, as_json(one).encode()) for one in said)
    ends: tuple[Step, ...] = (Leave("reset"),) if rng.random() < 0.5 else ()
    return Talk.WEBSOCKET, (Say(request(head)), Say(says), Pause(), *ends), 1, True


def _deaf(rng: random.Random, access: Access, facts: Facts) -> Made:
    """Send many requests, and read nothing."""
    if rng.random() < 0.5:
        head = head_of(rng, access, facts, "GET", rng.choice(("/api/v1/projects", "/index.js", "/metrics")))
        return Talk.HTTP, (Deaf(), Say(request(head) * 300), Pause(), Leave("reset")), 0, True
    head = head_of(rng, access, facts, "GET", board_target(rng, facts, "/api/v1/ws"), *handshake_lines())
    asked = frame(rng, TEXT, b'{"type":"get_state"}') * 200 + frame(rng, PING, b"x" * 125) * 2_000
    return Talk.WEBSOCKET, (Say(request(head)), Pause(), Deaf(), Say(asked), Pause(), Leave("reset")), 0, True


def _deleted(rng: random.Random, access: Access, facts: Facts) -> Made:
    """Delete the board that the same connection has just changed."""
    delete = head_of(rng, access, facts, "DELETE", f"/api/v1/projects/{rng.choice((BOARD, OTHER))}")
    attempt = head_of(rng, access, facts, "GET", f"/api/v1/projects/{BOARD}/cards/free/attempt")
    return http(request(delete) + request(attempt) + request(delete), 3)


def _commands(rng: random.Random, access: Access, facts: Facts) -> Made:
    """Send very many commands at once."""
    head = head_of(rng, access, facts, "GET", f"/api/v1/ws?boardId={BOARD}", *handshake_lines())
    says = b"".join(frame(rng, TEXT, rng.choice(commands())[:5_000]) for _ in range(rng.choice((10, 60))))
    return Talk.WEBSOCKET, (Say(request(head) + says),), 1, True


def _batches(rng: random.Random, access: Access, facts: Facts) -> Made:
    """Send as many events as a request may have, or one more, over a keep-alive connection."""
    agent = next(event for event in events() if event["name"] == "agent.registered")
    body = orjson.dumps([agent] * rng.choice((1_000, 1_001)))
    head = head_of(
        rng,
        access,
        facts,
        "POST",
        "/api/v1/events",
        (b"Content-Length", b"%d" % len(body)),
        (b"Content-Type", b"application/json"),
    )
    return http(request(head) + body, 1)


def _some_bytes(rng: random.Random, access: Access, facts: Facts) -> bytes:
    body = b'{"columnId":"col-todo","title":"x"}' * rng.choice((1, 100))
    length = (b"Content-Length", b"%d" % len(body))
    plain = request(head_of(rng, access, facts, "POST", f"/api/v1/boards/{BOARD}/cards", length), body)
    upgrade = request(head_of(rng, access, facts, "GET", f"/api/v1/ws?boardId={BOARD}", *handshake_lines()))[:-1]
    return rng.choice((plain, upgrade))


#: Name → how often it is chosen, and the function that makes the input.
SEQUENCES: dict[str, tuple[int, Entry]] = {
    "half": (1, _half),
    "drops": (1, _drops),
    "early": (12, _early),
    "pipelined": (4, _pipelined),
    "many-subscriptions": (1, _many_subscriptions),
    "deaf": (1, _deaf),
    "deleted": (1, _deleted),
    "commands": (2, _commands),
    "batches": (1, _batches),
}
