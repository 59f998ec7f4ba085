"""The rows for each recorded REST call: the recordings of calls do not contain the creation of their rows.

Each call is replayed on a new server, with the rows that its recorded request and answer need. Ids are the recorded
ones, so that paths and bodies can be sent unchanged.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import orjson

from tests.kit.publishing import event
from tests.kit.recordings import Json, load
from tests.live.replay.stage import board_events

__all__ = ["call_named", "events_before"]

ALPHA = "00000000-0000-4000-8000-000000000010"
BETA = "00000000-0000-4000-8000-000000000016"
_BETA_CARD = "card-00000000-0000-4000-8000-000000000055"
_TITLES = ("Backlog", "In Progress", "Review", "Done")
#: The first letters make the prefix ABC, which a setting of the original had put in place of AB.
_NAME_FOR_ABC = "Alpha Bravo Charlie"


def call_named(name: str) -> Json:
    """Return a recorded call."""
    found: Json = next(one for one in load("http-api")["calls"] if one["name"] == name)
    return found


def events_before(call: Json) -> list[Json]:
    """Return the events that make the rows that `call` needs."""
    if call["name"] == "projects list":
        return _listed_projects(call)
    if call["name"].startswith("attempt ") or "attempt" in call["request"]["path"]:
        return [*_boards(_state_before("card create with image")), *_attempt_events()]
    if "/cards" in call["request"]["path"]:
        return _boards(_state_before(call["name"]))
    return _plain_boards()


def _listed_projects(call: Json) -> list[Json]:
    events: list[Json] = []
    for project in orjson.loads(call["W"]["body"]):
        events += _project(project["id"], project)
    return events


def _project(board_id: str, project: Json) -> list[Json]:
    names = ("name", "repositoryPath", "repositoryUrl", "repositorySlug", "createdAt")
    return [event("project.created", {"projectId": board_id, **{name: project[name] for name in names}})]


def _plain_boards() -> list[Json]:
    """Return the two projects of the recorded list, with the recorded column numbers and no cards."""
    listed = {one["id"]: one for one in orjson.loads(call_named("projects list")["W"]["body"])}
    events: list[Json] = []
    for board_id, first_column in ((ALPHA, 0x11), (BETA, 0x17)):
        changed = {"boardId": board_id, "state": _empty(first_column)}
        events += [*_project(board_id, listed[board_id]), event("board.state.changed", changed)]
    return events


def _empty(first_column: int) -> Json:
    ids = [f"col-00000000-0000-4000-8000-{first_column + n:012x}" for n in range(4)]
    columns = {key: {"id": key, "title": title, "cardIds": []} for key, title in zip(ids, _TITLES, strict=True)}
    return {"columns": columns, "columnOrder": ids, "cards": {}}


def _boards(state: Json) -> list[Json]:
    beta: Any = _empty(0x17)
    beta["columns"][beta["columnOrder"][0]]["cardIds"].append(_BETA_CARD)
    beta["cards"][_BETA_CARD] = {"id": _BETA_CARD, "title": "Of the other board", "ticketKey": "BC2-1"}
    return [*board_events(ALPHA, state, _NAME_FOR_ABC), *board_events(BETA, beta, "Beta & Co 2")]


@cache
def _recorded_states() -> dict[str, Json]:
    """Return the state in each call's answer, by name and in order."""
    found: dict[str, Json] = {}
    for call in load("http-api")["calls"]:
        if call["W"]["body"].startswith('{"state":'):
            found[call["name"]] = orjson.loads(call["W"]["body"])
    return found


def _state_before(name: str) -> Json:
    """Return the state before a call: the state of its answer without its effect, or the last one before it."""
    states = _recorded_states()
    if name not in states:
        return _last_state_before(name)
    state: Json = states[name]["state"]
    created = states[name].get("cardId")
    if created:
        return _without(state, created)
    card_id = call_named(name)["request"]["path"].rpartition("/")[2]
    before = _last_state_before(name)["cards"].get(card_id, state["cards"].get(card_id))
    return {**state, "cards": {**state["cards"], card_id: before}} if before else state


def _last_state_before(name: str) -> Json:
    """Return the newest recorded state before a call whose answer contains no state."""
    latest: Json = _empty(0x11)
    for call in load("http-api")["calls"]:
        if call["name"] == name:
            break
        found = _recorded_states().get(call["name"])
        latest = found["state"] if found else latest
    return {**latest, "cards": {key: _without_itself(card) for key, card in latest["cards"].items()}}


def _without_itself(card: Json) -> Json:
    """Return the card without the dependency on itself, which the original accepted (row 21)."""
    others = [one for one in card.get("dependsOn", []) if one != card["id"]]
    return {
        **{key: value for key, value in card.items() if key != "dependsOn"},
        **({"dependsOn": others} if others else {}),
    }


def _without(state: Json, card_id: str) -> Json:
    columns = {
        key: {**column, "cardIds": [one for one in column["cardIds"] if one != card_id]}
        for key, column in state["columns"].items()
    }
    return {**state, "columns": columns, "cards": {key: card for key, card in state["cards"].items() if key != card_id}}


def _attempt_events() -> list[Json]:
    """Return the events of a runner that make the attempt of the recorded answers."""
    recorded = orjson.loads(call_named("attempt of card (with logs, conversation, todos)")["W"]["body"])
    attempt = recorded["attempt"]
    of_board = {"attemptId": attempt["id"], "boardId": attempt["boardId"]}
    ids = {**of_board, "cardId": attempt["cardId"]}
    start = {"agent": attempt["agent"], "baseBranch": attempt["baseBranch"], "branchName": attempt["branchName"]}
    created, started, ended = attempt["createdAt"], attempt["startedAt"], attempt["endedAt"]
    status = {**ids, "status": "stopped", "previousStatus": "running", "endedAt": ended}
    return [
        event("attempt.queued", {**ids, **start}, created),
        event("attempt.status.changed", {**ids, "status": "running", "previousStatus": "queued"}, started),
        event("attempt.started", {**ids, **start, "worktreePath": attempt["worktreePath"]}, started),
        event("attempt.session.recorded", {**of_board, "sessionId": attempt["sessionId"]}, started),
        *(event("attempt.log.appended", {**of_board, **_line(log)}, log["ts"]) for log in recorded["logs"]),
        *(
            event("attempt.conversation.appended", {**of_board, "item": item}, started)
            for item in recorded["conversation"]
        ),
        event("attempt.todos.updated", {**of_board, "todos": recorded["todos"]}, started),
        event("attempt.stopped", {**of_board, "reason": "user"}, ended),
        event("attempt.status.changed", status, ended),
    ]


def _line(log: Json) -> Json:
    return {key: log[key] for key in ("level", "message", "ts")}
