"""The material for inputs: the recordings of the original, the suite's tables of bad inputs, the operations.

The ids of the boards of `stage` replace the recorded ids, so that an unmodified input has an effect.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from tests.kit.recordings import load, scenarios
from tests.live.boards import BOARD, TODO
from tests.live.event_table import MATRIX
from tests.live.test_bad_commands import _CASES as BAD_COMMANDS
from tests.live.test_bad_events import _CASES as BAD_EVENTS
from tests.live.test_bad_input import _CASES as BAD_CALLS

__all__ = ["ATTEMPT", "Call", "Operation", "calls", "commands", "events", "operations"]

ATTEMPT = "att-1"
_OPERATIONS = Path(__file__).resolve().parents[2] / "graphql" / "operations"
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_IDS = (
    (re.compile(rf"col-{_UUID}"), TODO),
    (re.compile(rf"card-{_UUID}"), "free"),
    (re.compile(rf"att-{_UUID}"), ATTEMPT),
    (re.compile(rf"(?<=cards/){_UUID}"), "free"),
    (re.compile(rf"(?<=attempts/){_UUID}"), ATTEMPT),
    (re.compile(_UUID), BOARD),
)


@dataclass(frozen=True)
class Call:
    """An HTTP request without the usual header lines."""

    method: str
    target: str
    body: bytes


@dataclass(frozen=True)
class Operation:
    """A GraphQL document and valid variables for it."""

    document: str
    variables: dict[str, Any]

    @property
    def subscribes(self) -> bool:
        """Whether it is a subscription."""
        return bool(re.search(r"^\s*subscription\b", self.document, re.MULTILINE))


def _ours(text: str) -> str:
    for pattern, id in _IDS:
        text = pattern.sub(id, text)
    return text


@cache
def calls() -> tuple[Call, ...]:
    """Return the recorded requests and the suite's bad ones."""
    recorded = [call["request"] for call in load("http-api")["calls"]]
    found = [Call(one["method"], _ours(one["path"]), _ours(one["body"] or "").encode()) for one in recorded]
    bad = [(method, target, body) for method, target, body, *_ in BAD_CALLS.values()]
    return (*found, *(Call(method, target, _bytes(body)) for method, target, body in bad))


@cache
def events() -> tuple[Any, ...]:
    """Return events for the ingest: the recorded ones, one of each name, and the suite's bad ones."""
    recorded = [*load("ws-events")["events"], *load("sse-events")["events"]]
    found = [{"name": one["event"], "payload": orjson.loads(_ours(_text(one["payload"])))} for one in recorded]
    each = [{"name": name, "payload": row.payload} for name, row in MATRIX.items()]
    return (*found, *each, *(event for event, _ in BAD_EVENTS.values()))


@cache
def commands() -> tuple[bytes, ...]:
    """Return messages for a board's socket: those of the original's client, and the suite's bad ones."""
    lines = (
        line for scenario in scenarios("ws-transcripts") for socket in scenario["sockets"] for line in _sent(socket)
    )
    return (*dict.fromkeys(_ours(line).encode() for line in lines), *(message for message, *_ in BAD_COMMANDS.values()))


@cache
def operations() -> tuple[Operation, ...]:
    """Return the operations of `graphql/operations`, with variables, and documents with one error."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(_OPERATIONS.glob("*.graphql"))]
    return (*(Operation(text, _variables(text)) for text in texts), *(Operation(text, {}) for text in _WRONG))


def _sent(socket: dict[str, Any]) -> list[str]:
    return [one["text"] for one in socket.get("timeline", ()) if one.get("dir") == "send" and one.get("text")]


def _bytes(body: object) -> bytes:
    return body if isinstance(body, bytes) else orjson.dumps(body)


def _text(value: object) -> str:
    return orjson.dumps(value).decode()


def _variables(document: str) -> dict[str, Any]:
    name = re.search(r"(?:mutation|query|subscription) (\w+)", document)
    declared = re.findall(r"\$(\w+):", document)
    inputs = _INPUTS.get(name[1] if name else "", {})
    return {one: inputs.get(one, _VALUES.get(one)) for one in declared}


_LOG = {"attemptId": ATTEMPT, "boardId": BOARD, "level": "INFO", "message": "m"}
#: Variable → a value that is valid for every declaration of it.
_VALUES: dict[str, Any] = {
    "boardId": BOARD,
    "projectId": BOARD,
    "attemptId": ATTEMPT,
    "first": 20,
    "status": ["RUNNING", "QUEUED"],
    "timeRange": {"preset": "LAST_7D"},
    "at": "2025-01-02T03:04:05.678Z",
    "id": None,
    "tokenId": "tok-unknown",
    "node": BOARD,
    "nodes": [BOARD],
}
#: Operation → the values of its own variables.
_INPUTS: dict[str, dict[str, Any]] = {
    "CreateCard": {"input": {"columnId": TODO, "title": "x", "ticketType": "FEAT", "dependsOn": ["free"]}},
    "UpdateCard": {"input": {"cardId": "free", "title": "x", "description": None, "isEnhanced": True}},
    "MoveCard": {"input": {"cardId": "free", "toColumnId": TODO, "toIndex": 0}},
    "DeleteCard": {"input": {"cardId": "waiting"}},
    "Authenticate": {"token": "x"},
    "CreateAccessToken": {"input": {"name": "x", "boards": [BOARD], "can": ["READ"]}},
    "CreateProject": {"input": {"name": "x", "repositoryPath": "/x", "repositoryUrl": "https://example.org/a/b"}},
    "UpdateProject": {"input": {"name": "x"}},
    "QueueAttempt": {"input": {"cardId": "free", "agentKey": "CODEX"}},
    "StopAttempt": {"input": {"attemptId": ATTEMPT}},
    "PublishAgentEvent": {"event": {"agentRegistered": {"agentKey": "CODEX", "label": "x"}}},
    "PublishAttemptEvent": {"event": {"attemptLogAppended": _LOG}},
    "PublishEvents": {"events": [{"event": {"attempt": {"attemptLogAppended": _LOG}}}]},
    "PublishBoardEvent": {"event": {"boardStateChanged": {"boardId": BOARD, "state": {}}}},
    "PublishCardEvent": {"event": {"cardDeleted": {"boardId": BOARD, "cardId": "free", "columnId": TODO}}},
    "PublishProjectEvent": {"event": {"projectUpdated": {"projectId": BOARD, "changes": {"name": "x"}}}},
}

#: Documents that are partly invalid: in syntax, in validation, or in execution.
_WRONG = (
    "",
    " ",
    "{",
    "{}",
    "}",
    "{ projects { nodes { ...Z } } }",
    "{ projects {} }",
    "{...F} fragment F on Query {}",
    "#",
    "\ufeff{a}",
    "{ projects }",
    "{ nope }",
    "query Q { __typename } query Q { __typename }",
    "{ __typename } { __typename }",
    "{ ...F } fragment F on Query { ...G } fragment G on Query { ...F }",
    'query ($f: Int) { events(boardId: "board-1", first: $f) { nodes { name } } }',
    "query ($b: ID = null) { board(boardId: $b) { cursor } }",
    "subscription ($b: ID = null) { boardEvents(boardId: $b) { __typename } }",
    'subscription { boardEvents(boardId: "board-1") { __typename } boardState(boardId: "board-1") { cursor } }',
    'subscription { boardState(boardId: "nope") { columns { id } } }',
    "subscription ($i: Boolean!) { dashboardEvents @include(if: $i) { __typename } }",
    "{ __schema { types { name fields { name type { name ofType { name ofType { name } } } } } } }",
    '{ __type(name: "Board") { name } a: __type(name: "\\u0000") { name } }',
    'mutation { deleteProject(projectId: "nope") { __typename } }',
    'mutation ($u: JSON) { publishAgentEvent(event: {agentRegistered: {agentKey: "A", label: $u}}) { __typename } }',
    "query @skip(if: true) { __typename } ",
    "{ __typename @include(if: null) @skip }",
    "{ a: __typename a: __schema { description } }",
    "type A { b: C }",
    "extend schema { query: Q }",
    "query ($v: [[[Int!]!]!]! = 5) { __typename }",
    "{ projects(id: 1, id: 2) { id } }",
)
