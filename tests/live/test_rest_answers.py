"""Each REST call answers in the form and with the status that docs/rest.md says."""

from __future__ import annotations

from types import NoneType, UnionType
from typing import Annotated, Any, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict

import orjson
import pytest

from server.transports.descriptions.calls import Entry, entries
from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer, live_server
from tests.kit.raw_http import Answer, exchange

_BODIES: dict[str, dict[str, Any]] = {
    "POST /projects": {"name": "P", "repositoryPath": "/r"},
    "PATCH /projects/{id}": {"name": "Q"},
    "POST /boards/{id}/cards": {"title": "t"},
    "PATCH /boards/{id}/cards/{card}": {"title": "u"},
    "POST /boards/{id}/cards/{card}/attempts": {"agent": "A"},
    "PATCH /attempts/{attempt}": {"status": "stopped"},
    "POST /session": {"token": "any"},
    "POST /tokens": {"name": "ci", "boards": ["*"], "can": ["read"]},
}
_PREFIX = "/api/v1"


class _Board:
    """A board with a card and a queued attempt, and an access token, whose ids stand for the parameters of a path."""

    def __init__(self, live: LiveServer) -> None:
        self._live = live
        self.ids: dict[str, str] = {}
        self.column = ""

    async def fill(self) -> None:
        project = await self.send("POST", "/projects", _BODIES["POST /projects"])
        self.ids["{id}"] = _json(project)["id"]
        board = await self.send("GET", "/boards/{id}")
        self.column = _json(board)["state"]["columnOrder"][0]
        card = await self.send("POST", "/boards/{id}/cards", {"title": "t", "columnId": self.column})
        self.ids["{card}"] = _json(card)["cardId"]
        attempt = await self.send("POST", "/boards/{id}/cards/{card}/attempts", {"agent": "A"})
        self.ids["{attempt}"] = _json(attempt)["id"]
        token = await self.send("POST", "/tokens", _BODIES["POST /tokens"])
        self.ids["{token}"] = _json(token)["id"]
        payload = {"attemptId": self.ids["{attempt}"], "boardId": self.ids["{id}"], "level": "info", "message": "m"}
        agents = {"name": "agent.profile.changed", "payload": {"kind": "created", "profileId": "p", "agent": "A"}}
        events = [{"name": "attempt.log.appended", "payload": payload}, agents]
        assert (await exchange(self._live.address, "POST", f"{_PREFIX}/events", orjson.dumps(events))).status == 202

    async def send(self, method: str, path: str, body: dict[str, Any] | None = None) -> Answer:
        for name, id in self.ids.items():
            path = path.replace(name, id)
        text = None if body is None else orjson.dumps(body)
        return await exchange(self._live.address, method, _PREFIX + path, text)


def _json(answer: Answer) -> Any:
    return answer.json()


def _misfits(value: Any, kind: Any, place: str = "answer") -> list[str]:
    """Return the places at which `value` has another form than `kind`."""
    if get_origin(kind) in (Union, UnionType):
        found = [_misfits(value, one, place) for one in get_args(kind)]
        return min(found, key=len)
    if is_typeddict(kind):
        return _key_misfits(value, kind, place)
    if get_origin(kind) is list and isinstance(value, list):
        return [
            bad for number, one in enumerate(value) for bad in _misfits(one, get_args(kind)[0], f"{place}.{number}")
        ]
    expected = _plain(kind)
    return [] if isinstance(value, expected) else [f"{place}: expected {expected}, got {value!r}"]


def _key_misfits(value: Any, kind: Any, place: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{place}: expected an object, got {value!r}"]
    hints = get_type_hints(kind, include_extras=True)
    needed = {name for name, hint in hints.items() if get_origin(hint) is not NotRequired}
    if not needed <= value.keys() <= hints.keys():
        return [f"{place}: expected {sorted(hints)}, got {sorted(value)}"]
    return [bad for name, one in value.items() for bad in _misfits(one, hints[name], f"{place}.{name}")]


def _plain(kind: Any) -> Any:
    """Return the type of plain JSON of a kind; JSON that was encoded before is an object."""
    if kind is None:
        return NoneType
    origin = get_origin(kind)
    if origin is Annotated:
        return _plain(get_args(kind)[0])
    if origin is NotRequired or (isinstance(kind, type) and issubclass(kind, str)):
        return str
    return dict if kind is orjson.Fragment else origin or kind


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.title)
async def test_call_answers_as_the_page_says(entry: Entry) -> None:
    async with live_server() as live, deadline(20):
        board = _Board(live)
        await board.fill()
        if entry.path.endswith("/attempts"):
            await board.send("PATCH", "/attempts/{attempt}", {"status": "stopped"})
        body = _BODIES.get(f"{entry.method} {entry.path}")
        if entry.path.endswith("/cards") and body:
            body = {**body, "columnId": board.column}
        answer = await board.send(entry.method, entry.path, body)
    assert answer.status == entry.call.status
    is_empty = entry.call.status == 204
    assert is_empty or _misfits(_json(answer), get_type_hints(entry.call.work)["return"]) == []
    assert (answer.body == b"") == is_empty


async def test_moved_card_is_answered_as_the_page_says() -> None:
    (entry,) = (one for one in entries() if one.title == "`PATCH /boards/{id}/cards/{card}`")
    async with live_server() as live, deadline(20):
        board = _Board(live)
        await board.fill()
        moved = await board.send(entry.method, entry.path, {"columnId": board.column, "index": 0})
        logs = await board.send("GET", "/attempts/{attempt}/logs?limit=1")
    _, other = get_args(get_type_hints(entry.call.work)["return"])
    assert _misfits(_json(moved), other) == []
    assert len(_json(logs)["logs"]) == 1
