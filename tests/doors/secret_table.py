"""Requests on one board that name things of another one, which the caller may not read.

Ids and cursors of that board have `{…}` names of `names_of`, so that each request can be made about a board that does
not exist too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from realtime.global_ids import Kind, global_id, tag_of
from realtime.kanban.ids import BoardId
from realtime.messages.channels import board_channel
from realtime.messages.position import Position, channel_tag
from tests.unit.realtime.event_samples import SAMPLES

__all__ = ["GHOST", "HttpRequest", "as_ghost", "graphql_reports", "graphql_requests", "http_requests"]

#: The words in the ids of the board that exists, and of the one that does not.
WORD, GHOST = "alpha", "ghost"
_JSON = (("Accept", "application/json"),)
#: Ids of the samples → ids of the board.
_SAMPLE_IDS = {
    "p1": "board-alpha",
    "k1": "free-alpha",
    "a1": "attempt-alpha",
    "c1": "column-alpha",
    "c2": "doing-alpha",
}


@dataclass(frozen=True)
class HttpRequest:
    """A request without a token."""

    method: str
    target: str
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = _JSON

    def about_ghost(self, epoch: str) -> HttpRequest:
        """Return the same request about the board that does not exist."""
        body = as_ghost(self.body, epoch)
        return HttpRequest(self.method, as_ghost(self.target.encode(), epoch).decode(), body, self.headers)


def as_ghost(text: bytes, epoch: str) -> bytes:
    """Return a text with the ids, tags and cursors of the other board."""
    pairs = [(tag_of(f"board-{WORD}"), tag_of(f"board-{GHOST}")), (_cursor(epoch, WORD), _cursor(epoch, GHOST))]
    for old, new in (*pairs, (WORD, GHOST)):
        text = text.replace(old.encode(), new.encode())
    return text


def _cursor(epoch: str, word: str) -> str:
    return Position(epoch, channel_tag(board_channel(BoardId(f"board-{word}"))), 2, 2).cursor


def _http(method: str, target: str, body: object = None) -> HttpRequest:
    return HttpRequest(method, f"/api/v1{target}", b"" if body is None else orjson.dumps(body))


def http_requests(epoch: str) -> Iterator[HttpRequest]:
    """Yield the requests over HTTP of a caller that may do everything on `board-other`."""
    board, card = "/boards/board-other", "/boards/board-other/cards/free-alpha"
    yield _http("POST", f"{board}/cards", {"columnId": "column-alpha", "title": "x"})
    yield _http("POST", f"{board}/cards", {"columnId": "column-other", "title": "x", "dependsOn": ["free-alpha"]})
    yield _http("PATCH", f"{board}/cards/free-other", {"dependsOn": ["free-alpha"]})
    yield _http("PATCH", f"{board}/cards/free-other", {"columnId": "column-alpha", "index": 0})
    yield _http("PATCH", card, {"title": "x"})
    yield _http("PATCH", card, {"columnId": "column-other", "index": 0})
    yield _http("DELETE", card)
    yield _http("GET", f"{card}/images")
    yield _http("GET", f"{card}/attempt")
    yield _http("POST", f"{card}/attempts", {"agent": "CODEX"})
    yield _http("GET", "/attempts/attempt-alpha?boardId=board-other")
    yield _http("GET", "/attempts/attempt-alpha/logs?boardId=board-other")
    yield _http("PATCH", "/attempts/attempt-alpha?boardId=board-other", {"status": "stopped"})
    other = {"name": "git.status.changed", "payload": {"projectId": "board-other"}}
    for name, payload in SAMPLES.items():
        text = orjson.dumps({"name": name, "payload": payload}).decode()
        for old, new in _SAMPLE_IDS.items():
            text = text.replace(f'"{old}"', f'"{new}"')
        if "board-alpha" in text:
            yield HttpRequest("POST", "/api/v1/events", text.encode())
            yield HttpRequest("POST", "/api/v1/events", f"[{orjson.dumps(other).decode()},{text}]".encode())
    stream = (("Accept", "text/event-stream"),)
    yield HttpRequest("GET", f"/api/v1/sse?boardId=board-other&after={_cursor(epoch, WORD)}", headers=stream)


def graphql_requests(epoch: str) -> Iterator[HttpRequest]:
    """Yield the operations of the same caller."""
    for document, variables in _operations(epoch):
        body = orjson.dumps({"query": document, "variables": variables})
        accept = "text/event-stream" if document.startswith("subscription") else "application/json"
        yield HttpRequest("POST", "/graphql", body, (("Accept", accept),))


def graphql_reports() -> Iterator[HttpRequest]:
    """Yield reports on `board-other` that the caller may make, with each `id` in a field for an id of the wire."""
    for id in _ids().values():
        document = (
            'mutation ($id: ID!) { publishCardEvent(event: { cardDeleted: { boardId: "board-other", cardId: $id } }) '
            "{ __typename ... on InvalidInput { fields { field message } } } }"
        )
        yield HttpRequest("POST", "/graphql", orjson.dumps({"query": document, "variables": {"id": id}}))


def _ids() -> dict[Kind, str]:
    """Return an `id` of each kind of thing of the secret board."""
    board = "board-alpha"
    things = {Kind.CARD: "free-alpha", Kind.COLUMN: "column-alpha", Kind.ATTEMPT: "attempt-alpha"}
    return {kind: global_id(kind, board, id) for kind, id in {**things, Kind.BOARD: board, Kind.PROJECT: board}.items()}


def _operations(epoch: str) -> Iterator[tuple[str, dict[str, Any]]]:
    ids = _ids()
    yield (
        "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }",
        {"ids": [*ids.values(), global_id(Kind.CARD, "board-other", "free-other")]},
    )
    for id in ids.values():
        yield (
            "query ($id: ID!) { node(id: $id) { id } board(boardId: $id) { id } project(projectId: $id) { id } }",
            {"id": id},
        )
        yield (
            "mutation ($id: ID!) { deleteProject(projectId: $id) { __typename ... on Refusal { message } } }",
            {"id": id},
        )
        yield "query ($id: ID!) { attempt(attemptId: $id) { id } }", {"id": id}
        yield 'query ($id: ID!) { attempt(attemptId: $id, boardId: "board-other") { id } }', {"id": id}
        yield 'query ($id: ID!) { attempts(cardId: $id, boardId: "board-other") { nodes { id } } }', {"id": id}
        yield (
            "mutation ($id: ID!) { stopAttempt(input: { attemptId: $id }) { __typename ... on Refusal { message } } }",
            {"id": id},
        )
        yield (
            'subscription ($id: ID!) { attemptEvents(boardId: "board-other", attemptId: $id) { __typename } }',
            {"id": id},
        )
        yield (
            'subscription ($id: ID!) { boardEvents(boardId: "board-other", attemptId: $id) { __typename } }',
            {"id": id},
        )
    cursor = _cursor(epoch, WORD)
    yield 'query ($id: String) { events(boardId: "board-other", after: $id) { nodes { name } } }', {"id": cursor}
    yield (
        'subscription ($id: String) { boardEvents(boardId: "board-other", after: $id) { __typename } }',
        {"id": cursor},
    )
    yield from _commands(ids)


def _commands(ids: dict[Kind, str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield mutations of cards and reports on `board-other`, with each id in each of its forms."""
    refusal = "{ __typename ... on Refusal { message } ... on InvalidInput { fields { field message } } }"
    for card, column in (
        (ids[Kind.CARD], ids[Kind.COLUMN]),
        ("free-alpha", "column-alpha"),
        (ids[Kind.ATTEMPT], ids[Kind.CARD]),
    ):
        commands: list[tuple[str, dict[str, Any]]] = [
            (_on_other("createCard", refusal), {"input": {"columnId": column, "title": "x"}}),
            (
                _on_other("createCard", refusal),
                {"input": {"columnId": "column-other", "title": "x", "dependsOn": [card]}},
            ),
            (_on_other("updateCard", refusal), {"input": {"cardId": card, "title": "x"}}),
            (_on_other("updateCard", refusal), {"input": {"cardId": "free-other", "dependsOn": [card]}}),
            (_on_other("moveCard", refusal), {"input": {"cardId": card, "toColumnId": "column-other", "toIndex": 0}}),
            (_on_other("moveCard", refusal), {"input": {"cardId": "free-other", "toColumnId": column, "toIndex": 0}}),
            (_on_other("deleteCard", refusal), {"input": {"cardId": card}}),
            (_on_other("queueAttempt", refusal), {"input": {"cardId": card, "agentKey": "CODEX"}}),
        ]
        yield from commands


def _on_other(field: str, selection: str) -> str:
    kind = f"{field[0].upper()}{field[1:]}Input"
    return f'mutation ($input: {kind}!) {{ {field}(boardId: "board-other", input: $input) {selection} }}'
