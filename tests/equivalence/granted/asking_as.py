"""Asks the server as a subject for a board and everything near it, over REST and GraphQL."""

from __future__ import annotations

from typing import Any

import orjson

from tests.equivalence.granted.subjects import Subject
from tests.equivalence.model import BoardModel
from tests.kit.access_tokens import Admin
from tests.kit.raw_http import exchange

__all__ = ["ask_as"]

_IDS = """query ($id: ID!) {
    board(boardId: $id) { id cards { id attempts { nodes { id } } } } project(projectId: $id) { id } }"""
_EVERYTHING = """query ($id: ID!, $attempt: ID!, $ids: [ID!]!) {
    projects { nodes { projectId name board { boardId } } }
    agents { agentKey label }
    board(boardId: $id) { project { name } cards { title attempts { nodes { attemptId logs { nodes { message } } } } } }
    project(projectId: $id) { name board { cards { title } } }
    attempts(boardId: $id) { nodes { attemptId card { title } } }
    events(boardId: $id) { nodes { cursor name } }
    attempt(attemptId: $attempt) { boardId todos { total } }
    nodes(ids: $ids) { __typename id ... on Card { title attempts { nodes { attemptId } } } ... on Project { name } }
}"""
_OF_BOARD = ("board", "project", "attempts", "events")


async def ask_as(subject: Subject, admin: Admin, board: BoardModel, other: BoardModel) -> bytes:
    """Check the answers about a board; return all bytes of them."""
    client = Admin(admin.address, subject.token.secret)
    known = _data(await _query(admin, _IDS, {"id": board.id}))
    cards = known["board"]["cards"]
    ids = [known["board"]["id"], known["project"]["id"], *(card["id"] for card in cards)]
    ids += [attempt["id"] for card in cards for attempt in card["attempts"]["nodes"]]
    attempt_id = next(iter(board.attempts), f"{board.id}-a0")
    whole = await _query(client, _EVERYTHING, {"id": board.id, "attempt": attempt_id, "ids": ids[:100]})
    _check(subject, board, other, _data(whole), attempt_id)
    return whole + await _by_rest(subject, client, board, other)


def _check(subject: Subject, board: BoardModel, other: BoardModel, found: Any, attempt_id: str) -> None:
    may_read = subject.grants.may_read(board.id)
    assert {name: found[name] is not None for name in _OF_BOARD} == dict.fromkeys(_OF_BOARD, may_read), found
    assert all((node is not None) == may_read for node in found["nodes"]), found["nodes"]
    assert (found["attempt"] is not None) == (may_read and attempt_id in board.attempts), found["attempt"]
    assert bool(found["agents"]) == subject.grants.may_see_dashboard, found["agents"]
    _check_list(subject, board, other, [one["projectId"] for one in found["projects"]["nodes"]])


def _check_list(subject: Subject, board: BoardModel, other: BoardModel, listed: list[str]) -> None:
    both = {board.id, other.id}
    assert both.intersection(listed) == {id for id in both if subject.grants.may_read(id)}, listed


async def _by_rest(subject: Subject, client: Admin, board: BoardModel, other: BoardModel) -> bytes:
    state = await client.ask("GET", target=f"/api/v1/boards/{board.id}")
    assert state.status == (200 if subject.grants.may_read(board.id) else 404), state
    projects = await client.ask("GET", target="/api/v1/projects")
    _check_list(subject, board, other, [one["id"] for one in orjson.loads(projects.body)])
    dashboard = await client.ask("GET", target="/api/v1/dashboard")
    assert dashboard.status == (200 if subject.grants.may_see_dashboard else 403), dashboard
    shown = b"" if dashboard.status == 200 else dashboard.body  # the dashboard shows all boards
    return state.body + projects.body + shown


async def _query(client: Admin, query: str, variables: dict[str, Any]) -> bytes:
    body = orjson.dumps({"query": query, "variables": variables})
    headers = [("Authorization", f"Bearer {client.secret}"), ("Content-Type", "application/json")]
    answer = await exchange(client.address, "POST", "/graphql", body, headers)
    assert answer.status == 200, answer
    return answer.body


def _data(body: bytes) -> Any:
    parsed = orjson.loads(body)
    assert "errors" not in parsed, parsed
    return parsed["data"]
