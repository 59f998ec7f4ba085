"""Makes the boards, columns, cards and attempts of a scenario, only through the ingest.

The initial state comes from the recording: the first `state` and the first `attempt_status` envelopes of each
subscriber.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.kit.publishing import Publisher, event
from tests.kit.recordings import Json

__all__ = ["board_events", "set_stage"]

_NAMES = {"AB": "Alpha Board", "BB": "Beta Board"}
_LONG_AGO = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


def board_events(board_id: str, state: Json, name: str = "Alpha Board", path: str = "<repos>/alpha") -> list[Json]:
    """Return the events that make a board with exactly this state.

    The cards are created oldest first, as their ids were numbered. The age decides the order of cards that have the
    same index in two columns.
    """
    cards = {card_id: state["cards"][card_id] for card_id in sorted(state["cards"])}
    project = {
        "projectId": board_id,
        "name": name,
        "repositoryPath": path,
        "repositoryUrl": None,
        "repositorySlug": path.rpartition("/")[2],
        "createdAt": "2026-11-23T04:00:00.000Z",
    }
    changed = {"boardId": board_id, "state": {**state, "cards": cards}}
    return [event("project.created", project), event("board.state.changed", changed)]


def _attempt_events(board_id: str, statuses: Sequence[Json]) -> list[Json]:
    """Return the events that make these attempts. The argument is sorted newest first."""
    made: list[Json] = []
    for age, status in enumerate(reversed(statuses)):
        at = (_LONG_AGO + timedelta(seconds=age)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        ids = {"attemptId": status["attemptId"], "boardId": board_id, "cardId": status["cardId"]}
        queued = {**ids, "agent": "CODEX", "baseBranch": "main", "branchName": "b"}
        made.append(event("attempt.queued", queued, at))
        if status["status"] != "queued":
            changed = {**ids, "status": status["status"], "previousStatus": "queued"}
            made.append(event("attempt.status.changed", changed, at))
    return made


def _empty_state(fixtures: Json) -> Json:
    """Return the state of a board without subscribers in the scenario. Such boards had no cards."""
    assert not fixtures["cards"]
    columns: dict[str, str] = fixtures["columns"]
    return {
        "columns": {column: {"id": column, "title": title, "cardIds": []} for title, column in columns.items()},
        "columnOrder": list(columns.values()),
        "cards": {},
    }


def _name(state: Json) -> str:
    """Return the project's name, which determines the prefix of the ticket keys."""
    prefixes = {card["ticketKey"].partition("-")[0] for card in state["cards"].values()}
    return _NAMES[prefixes.pop()] if prefixes else _NAMES["AB"]


async def set_stage(publisher: Publisher, scenario: Json, opening: dict[str, list[Json]], other: set[str]) -> None:
    """Make every board of `scenario`.

    Args:
        publisher: the ingest of the server.
        scenario: the recorded scenario.
        opening: per board id, the first envelopes of a subscriber.
        other: the boards that are named `Beta Board`.
    """
    events: list[Json] = []
    for board_id, envelopes in opening.items():
        states: list[Any] = [one["payload"] for one in envelopes if one["type"] == "state"]
        statuses = [one["payload"] for one in envelopes if one["type"] == "attempt_status"]
        name = _NAMES["BB"] if board_id in other else _name(states[0])
        events += board_events(board_id, states[0], name)
        events += _attempt_events(board_id, statuses)
    fixtures = scenario.get("fixtures")
    if fixtures and fixtures["boardId"] not in opening:
        events += board_events(fixtures["boardId"], _empty_state(fixtures))
    if events:
        await publisher.publish(*events)
