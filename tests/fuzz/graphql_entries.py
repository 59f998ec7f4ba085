"""The entries of GraphQL: over HTTP by POST and GET, streams, the reserved stream, and both subprotocols."""

from __future__ import annotations

import random
from typing import Any
from urllib.parse import quote

from tests.fuzz.building import JSON, MULTIPART, SSE, Entry, Made, ask, head_of, post, socket_input
from tests.fuzz.corpus import operations
from tests.fuzz.credentials import bearer_of
from tests.fuzz.heads import Lines
from tests.fuzz.inputs import Access, Facts
from tests.fuzz.mutate import as_json, document_near, json_near, value

__all__ = ["GRAPHQL_ENTRIES"]


_AUTHENTICATE = "mutation ($token: String!) { authenticate(token: $token) { expiresAt } }"


def _request_of(rng: random.Random, subscribes: bool | None = None) -> dict[str, Any]:
    wanted = [one for one in operations() if subscribes is None or one.subscribes is subscribes]
    operation = rng.choice(wanted)
    document = document_near(rng, operation.document) if rng.random() < 0.5 else operation.document
    payload: dict[str, Any] = {"query": document, "variables": operation.variables}
    match rng.randrange(12):
        case 0:
            payload["operationName"] = rng.choice((None, "", "Nope", 5))
        case 1:
            payload["extensions"] = rng.choice(
                (None, {}, {"persistedQuery": {"version": 1, "sha256Hash": "x"}}, [], {"a": value(rng)})
            )
        case 2:
            del payload["query"]
    return payload


def _graphql_text(rng: random.Random, subscribes: bool | None = None) -> str:
    payload = _request_of(rng, subscribes)
    if rng.random() < 0.4:
        return as_json(payload)
    if rng.random() < 0.1:
        return as_json([payload] * rng.choice((0, 1, 10, 100)))
    if rng.random() < 0.5 and "query" in payload:
        return f'{{"query":{as_json(payload["query"])},"variables":{json_near(rng, payload["variables"])}}}'
    return json_near(rng, payload)


def _graphql_post(rng: random.Random, access: Access, facts: Facts) -> Made:
    accept = rng.choice(
        (
            b"application/json",
            b"application/graphql-response+json",
            b"*/*",
            b"",
            b"application/json, text/event-stream",
            b"image/png",
        )
    )
    content = rng.choice(
        (b"application/json",) * 4 + (b"application/graphql", b"text/plain", b"multipart/form-data; boundary=b", b"")
    )
    head = head_of(rng, access, facts, "POST", "/graphql", (b"Content-Type", content), (b"Accept", accept))
    return post(rng, head, _graphql_text(rng, False).encode("utf-8", "replace"))


def _graphql_get(rng: random.Random, access: Access, facts: Facts) -> Made:
    payload = _request_of(rng)
    parts = {**payload, "variables": json_near(rng, payload["variables"])}
    pairs = [
        f"{name}={quote(part if isinstance(part, str) else as_json(part), errors='replace')}"
        for name, part in parts.items()
    ]
    if rng.random() < 0.1:
        pairs.append(rng.choice(pairs))
    head = head_of(
        rng,
        access,
        facts,
        rng.choice(("GET", "GET", "HEAD")),
        "/graphql?" + "&".join(pairs),
        rng.choice((SSE, (b"Accept", b"*/*"))),
    )
    return ask(rng, head)


def _graphql_stream(rng: random.Random, access: Access, facts: Facts) -> Made:
    head = head_of(rng, access, facts, "POST", "/graphql", JSON, rng.choice((SSE, SSE, MULTIPART)))
    return post(rng, head, _graphql_text(rng, True).encode("utf-8", "replace"))


def _reserved(rng: random.Random, access: Access, facts: Facts) -> Made:
    method = rng.choice(("PUT", "PUT", "GET", "POST", "DELETE", "HEAD"))
    token = rng.choice(("", "nope", "\x00", "x" * 300, "ü"))
    query = rng.choice(("", f"?token={quote(token)}", f"?operationId={quote(token)}"))
    lines: Lines = [(b"X-GraphQL-Event-Stream-Token", token.encode()), JSON, SSE]
    head = head_of(rng, access, facts, method, f"/graphql/stream{query}", *lines)
    return post(rng, head, _graphql_text(rng).encode("utf-8", "replace")) if method == "POST" else ask(rng, head)


def _graphql_messages(rng: random.Random, access: Access, facts: Facts, start: str, stop: str) -> list[bytes]:
    token = bearer_of(rng, access, facts)
    given = rng.choice(({"authorization": f"Bearer {token}"}, {"token": token})) if token else {}
    init: dict[str, Any] = {"type": "connection_init", "payload": given}
    said: list[Any] = [init] if rng.random() < 0.93 else []
    for number in range(rng.choice((1, 1, 2, 4))):
        id = rng.choice((str(number), "1", "", "x" * 300, "\x00", 5))
        said.append({"id": id, "type": start, "payload": _request_of(rng)})
        if rng.random() < 0.4:
            said.append({"id": id, "type": stop})
    said.extend(
        {"type": kind, "payload": value(rng)}
        for kind in rng.sample(("ping", "pong", "ka", "nope", "connection_init"), rng.choice((0, 0, 1, 2)))
    )
    if rng.random() < 0.2:
        said.extend(_new_tokens(start, bearer_of(rng, rng.choice(list(Access)), facts)))
    if rng.random() < 0.2:
        rng.shuffle(said)
    return [(json_near(rng, one) if rng.random() < 0.35 else as_json(one)).encode() for one in said]


def _new_tokens(start: str, token: str | None) -> list[dict[str, Any]]:
    """Return the messages that put another token in place."""
    mutation = {"query": _AUTHENTICATE, "variables": {"token": token}}
    return [{"type": "ping", "payload": {"token": token}}, {"id": "token", "type": start, "payload": mutation}]


def _graphql_socket(rng: random.Random, access: Access, facts: Facts) -> Made:
    payloads = _graphql_messages(rng, access, facts, "subscribe", "complete")
    return socket_input(rng, access, facts, "/graphql", payloads, protocol=b"graphql-transport-ws")


def _older_socket(rng: random.Random, access: Access, facts: Facts) -> Made:
    payloads = _graphql_messages(rng, access, facts, "start", "stop")
    if rng.random() < 0.2:
        payloads.append(b'{"type":"connection_terminate"}')
    return socket_input(
        rng,
        access,
        facts,
        "/graphql",
        payloads,
        protocol=rng.choice((b"graphql-ws",) * 9 + (b"nope, graphql-ws", b"nope")),
    )


#: Name → how often it is chosen, and the function that makes the input.
GRAPHQL_ENTRIES: dict[str, tuple[int, Entry]] = {
    "graphql-post": (12, _graphql_post),
    "graphql-get": (5, _graphql_get),
    "graphql-stream": (6, _graphql_stream),
    "graphql-reserved": (3, _reserved),
    "graphql-transport-ws": (10, _graphql_socket),
    "graphql-ws": (6, _older_socket),
}
