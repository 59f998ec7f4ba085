"""Every entry of the server: each function makes one random input, within the limits or just beyond."""

from __future__ import annotations

import random
from urllib.parse import quote

from tests.fuzz.building import JSON, SSE, Entry, Made, ask, board_target, head_of, http, near_body, post, socket_input
from tests.fuzz.corpus import calls, commands, events
from tests.fuzz.graphql_entries import GRAPHQL_ENTRIES
from tests.fuzz.heads import Lines, head_near
from tests.fuzz.inputs import Access, Facts, Leave
from tests.fuzz.mutate import json_near
from tests.live.boards import BOARD

__all__ = ["ENTRIES"]


def _heads(rng: random.Random, access: Access, facts: Facts) -> Made:
    target = rng.choice(
        ("/api/v1/healthz", "/api/v1/projects", "/graphql", "/", f"/api/v1/sse?boardId={BOARD}", "/api/v1/events")
    )
    head = head_of(
        rng, access, facts, rng.choice(("GET", "GET", "POST", "HEAD", "OPTIONS")), target, (b"Content-Length", b"0")
    )
    return http(head_near(rng, head), None, Leave("half-close"))


def _rest(rng: random.Random, access: Access, facts: Facts) -> Made:
    call = rng.choice(calls())
    head = head_of(rng, access, facts, call.method, call.target, JSON)
    if not call.body:
        return ask(rng, head)
    return post(rng, head, near_body(rng, call.body))


def _ingest(rng: random.Random, access: Access, facts: Facts) -> Made:
    chosen = [rng.choice(events()) for _ in range(rng.choice((1, 1, 1, 3, 50)))]
    several = chosen[0] if len(chosen) == 1 else chosen
    head = head_of(rng, access, facts, "POST", rng.choice(("/api/v1/events", "/api/v1/events", "/api/events")), JSON)
    return post(rng, head, json_near(rng, several, events()[:5]).encode())


def _sse(rng: random.Random, access: Access, facts: Facts) -> Made:
    dashboard = f"/api/v1/sse?range={rng.choice(('24h', '7y', 'all', ''))}"
    target = (
        board_target(rng, facts, "/api/v1/sse")
        if rng.random() < 0.6
        else rng.choice(("/api/v1/sse", dashboard, "/api/sse"))
    )
    last = rng.choice((b"", facts.cursor.encode(), b"x", b"\xff", facts.cursor.encode() + b"0", b"x" * 4_000))
    lines: Lines = [(b"Last-Event-ID", last)] if rng.random() < 0.4 else []
    return ask(rng, head_of(rng, access, facts, rng.choice(("GET", "GET", "GET", "HEAD")), target, SSE, *lines))


def _pages(rng: random.Random, access: Access, facts: Facts) -> Made:
    names = (
        "/",
        "/index.js",
        "/index.css",
        "/icon.svg",
        "/graphql",
        "/graphiql/",
        "/nope",
        "/..%2f..%2fetc/passwd",
        "/page/",
        "/%00",
        "//",
        "/boardcast",
    )
    lines: Lines = rng.sample(
        [(b"Accept", b"text/html"), (b"If-None-Match", b'"x", W/"'), (b"Range", b"bytes=0-,5-1"), (b"If-Range", b"x")],
        2,
    )
    return ask(rng, head_of(rng, access, facts, rng.choice(("GET", "GET", "HEAD", "POST")), rng.choice(names), *lines))


def _metrics(rng: random.Random, access: Access, facts: Facts) -> Made:
    accept = rng.choice(
        (
            b"*/*",
            b"application/openmetrics-text; version=1.0.0",
            b"text/plain;q=nope",
            b"",
            b";",
            b"application/openmetrics-text;version=",
        )
    )
    target = rng.choice(("/metrics", "/metrics?name[]=x", "/api/v1/healthz", "/api/v1/readyz", "/api/v1/version"))
    return ask(rng, head_of(rng, access, facts, rng.choice(("GET", "HEAD")), target, (b"Accept", accept)))


def _board_socket(rng: random.Random, access: Access, facts: Facts) -> Made:
    payloads = [near_body(rng, rng.choice(commands())) for _ in range(rng.choice((0, 1, 2, 5)))]
    return socket_input(rng, access, facts, board_target(rng, facts, rng.choice(("/api/v1/ws", "/api/ws"))), payloads)


def _dashboard_socket(rng: random.Random, access: Access, facts: Facts) -> Made:
    target = "/api/v1/ws/dashboard" + rng.choice(
        ("", "?range=24h", "?range=x", "?timeRangePreset=all_time", f"?after={quote(facts.cursor)}")
    )
    return socket_input(rng, access, facts, target, [rng.choice(commands()) for _ in range(rng.choice((0, 1, 3)))])


#: Name → how often it is chosen, and the function that makes the input.
ENTRIES: dict[str, tuple[int, Entry]] = {
    "heads": (8, _heads),
    "rest": (10, _rest),
    "ingest": (12, _ingest),
    "board-socket": (10, _board_socket),
    "dashboard-socket": (3, _dashboard_socket),
    "sse": (6, _sse),
    "pages": (3, _pages),
    "metrics": (2, _metrics),
    **GRAPHQL_ENTRIES,
}
