"""Inputs as large as a client may send, or a little larger. The most expensive inputs are among these."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import orjson

from tests.fuzz.building import JSON, SSE, Entry, Made, head_of, http, surely
from tests.fuzz.frames import CONTINUATION, frame, handshake_lines
from tests.fuzz.heads import request
from tests.fuzz.inputs import Access, Facts, Say, Talk
from tests.fuzz.mutate import as_json
from tests.kit.publishing import event
from tests.kit.raw_socket import PING, TEXT
from tests.live.boards import BOARD, TODO

__all__ = ["BOUNDS"]

_MIB = 1024 * 1024
_CARDS = f"/api/v1/boards/{BOARD}/cards"
_LOG = {"attemptId": "att-1", "boardId": BOARD, "level": "info"}


def _bodies(rng: random.Random, access: Access, facts: Facts) -> Made:
    """Send a body of up to 1 MiB with very many errors, or with very many valid parts."""
    path, body = rng.choice(_BODIES)(rng)
    text = body if isinstance(body, bytes) else orjson.dumps(body)
    return surely(head_of(rng, access, facts, "POST", path, JSON), text[: _MIB + rng.choice((0, 1))])


def _documents(rng: random.Random, access: Access, facts: Facts) -> Made:
    """Send a small document that is expensive to validate or to execute."""
    document = rng.choice(_DOCUMENTS)(rng.choice((10, 100, 400, 1_240)))
    accept = SSE if document.startswith("subscription") else (b"Accept", b"application/json")
    head = head_of(rng, access, facts, "POST", "/graphql", JSON, accept)
    return surely(head, as_json({"query": document}).encode())


def _messages(rng: random.Random, access: Access, facts: Facts) -> Made:
    """Send the largest permitted amount to a socket: fragments, pings, commands, all at once."""
    head = head_of(rng, access, facts, "GET", f"/api/v1/ws?boardId={BOARD}", *handshake_lines())
    said = rng.choice(_MESSAGES)(rng)
    return Talk.WEBSOCKET, (Say(request(head)), Say(said)), 1, True


def _heads(rng: random.Random, access: Access, facts: Facts) -> Made:
    """Send a head of the maximum size in bytes or lines, or a larger one."""
    match rng.randrange(4):
        case 0:
            lines = [(b"X-%d" % n, b"v" * rng.choice((1, 400))) for n in range(rng.choice((100, 126, 127, 5_000)))]
        case 1:
            lines = [(b"X-Long", b"v" * rng.choice((60_000, 65_000, 2_000_000)))]
        case 2:
            lines = [(b"Accept", b", ".join(b"a/b%d;q=0.5" % n for n in range(4_000)))]
        case _:
            lines = [(b"Cookie", b"; ".join(b"a%d=b" % n for n in range(6_000)))]
    target = rng.choice(("/api/v1/healthz", f"/api/v1/sse?boardId={BOARD}", "/graphql?query=" + "%7B" * 15_000))
    return http(request(head_of(rng, access, facts, "GET", target, *lines)), 1)


def _log_lines(rng: random.Random) -> tuple[str, Any]:
    return "/api/v1/events", [event("attempt.log.appended", {**_LOG, "message": "m" * 900}) for _ in range(1_000)]


def _wrong_entries(rng: random.Random) -> tuple[str, Any]:
    return "/api/v1/events", rng.choice(
        ([0] * 1_000, [{}] * 1_000, [{"name": "x", "payload": {}, "at": 1, "id": 2}] * 1_000)
    )


def _wrong_list(rng: random.Random) -> tuple[str, Any]:
    return _CARDS, {"columnId": TODO, "title": "x", "dependsOn": [rng.choice((0, ""))] * 300_000}


def _many_fields(rng: random.Random) -> tuple[str, Any]:
    return _CARDS, {"columnId": TODO, "title": "x", **{f"f{n}": n for n in range(60_000)}}


def _long_time(rng: random.Random) -> tuple[str, Any]:
    at = f"2025-01-01T00:00:00.{'9' * rng.choice((9, 10, 900_000))}Z"
    return "/api/v1/events", [event("agent.registered", {"agent": "CODEX"}, at)]


def _large_state(rng: random.Random) -> tuple[str, Any]:
    ids = [f"c{n}" for n in range(rng.choice((500, 2_500)))]
    before = zip(ids, [None, *ids], strict=False)
    cards = {id: {"id": id, "title": "t" * 20, "dependsOn": [other] if other else []} for id, other in before}
    state = {"columns": {TODO: {"id": TODO, "title": "Backlog", "cardIds": ids}}, "columnOrder": [TODO], "cards": cards}
    return "/api/v1/events", event("board.state.changed", {"boardId": BOARD, "state": state})


def _wide_item(rng: random.Random) -> tuple[str, Any]:
    metadata = {f"k{n}": [n] * 10 for n in range(10_000)}
    item = {
        "type": "tool",
        "timestamp": "2025-01-01T00:00:00Z",
        "tool": {"name": "t", "status": "running", "metadata": metadata},
    }
    return "/api/v1/events", event(
        "attempt.conversation.appended", {"attemptId": "att-1", "boardId": BOARD, "item": item}
    )


def _no_json(rng: random.Random) -> tuple[str, Any]:
    return rng.choice(("/api/v1/events", "/graphql", _CARDS)), rng.choice((b"[", b'{"a":', b'"', b"9", b" ")) * 200_000


_BODIES: tuple[Callable[[random.Random], tuple[str, Any]], ...] = (
    *(_log_lines, _wrong_entries, _wrong_list, _many_fields, _long_time, _large_state, _wide_item, _no_json),
)


def _fragments(count: int) -> str:
    spread = " ".join(f"...F{n}" for n in range(count))
    defined = " ".join(f"fragment F{n} on Query {{ agents {{ label ...P }} }}" for n in range(count))
    return f"{{ {spread} }} {defined} fragment P on Project {{ name }}"


_DOCUMENTS: tuple[Callable[[int], str], ...] = (
    lambda count: "{ " + "agents { label } " * count + "}",
    lambda count: "{ " + " ".join(f"a{n}: agents {{ label agentKey }}" for n in range(count)) + " }",
    lambda count: "{ " + "...F " * count + "} fragment F on Query { " + "agents { label } " * 150 + "}",
    lambda count: (
        "{ "
        + " ".join(f"...F{n}" for n in range(count))
        + " } "
        + " ".join(f"fragment F{n} on Query {{ agents {{ label ...P }} }}" for n in range(count))
        + " fragment P on Agent { label }"
    ),
    lambda count: '{ board(boardId: "board-1") { columns { cards { ' + "id title " * count + "} } } }",
    lambda count: "{ " + "... on Query { " * min(count, 300) + "__typename" + " }" * min(count, 300) + " }",
    lambda count: f'{{ events(boardId: "board-1", first: {count}) {{ nodes {{ name payload }} }} }}',
    lambda count: "query (" + " ".join(f"$v{n}: Int = {n}" for n in range(count)) + ") { __typename }",
    lambda count: "{ __schema { types { " + "fields { type { name } } " * count + "} } }",
    lambda count: (
        'subscription { boardState(boardId: "board-1") { ' + "columns { cards { id title } } " * count + "} }"
    ),
)

_MESSAGES: tuple[Callable[[random.Random], bytes], ...] = (
    lambda rng: frame(rng, TEXT, b"", fin=False) + frame(rng, CONTINUATION, b"", fin=False) * 20_000,
    lambda rng: frame(rng, TEXT, b"[", fin=False) + frame(rng, CONTINUATION, b"1", fin=False) * 20_000,
    lambda rng: frame(rng, PING, b"x" * 125) * 5_000,
    lambda rng: frame(rng, TEXT, b'{"type":"get_state"}') * 300,
    lambda rng: frame(rng, TEXT, b'{"type":"ping"}') * 3_000,
    lambda rng: frame(rng, TEXT, b"[" * rng.choice((1_000, 500_000))) * 3,
    lambda rng: frame(rng, TEXT, orjson.dumps({"type": "x" * 900_000})) * 2,
    lambda rng: frame(rng, TEXT, _create(rng)) * rng.choice((1, 20)),
)


def _create(rng: random.Random) -> bytes:
    payload = {"columnId": TODO, "title": "t" * 500, "description": "d" * rng.choice((60_000, 65_537))}
    return orjson.dumps({"type": "create_card", "payload": payload})


#: Name → how often it is chosen, and the function that makes the input.
BOUNDS: dict[str, tuple[int, Entry]] = {
    "bodies-at-bounds": (2, _bodies),
    "documents-at-bounds": (3, _documents),
    "messages-at-bounds": (2, _messages),
    "heads-at-bounds": (2, _heads),
}
