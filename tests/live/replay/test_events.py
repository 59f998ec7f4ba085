"""Each domain event of the recordings, published while a board, another board and the dashboard have subscribers."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from tests.kit.live_server import LiveServer
from tests.kit.matching import Matcher
from tests.kit.publishing import Publisher, event
from tests.kit.recordings import Json, load
from tests.live.replay.departures import EVENTS
from tests.live.replay.listeners import Era, listening
from tests.live.replay.stage import board_events

_OTHER_BOARD = "00000000-0000-4000-8000-0000000fffff"
_DEFAULT_BOARD = "00000000-0000-4000-8000-0000000eeeee"
#: `test_lifecycle.py` replays these.
_APART = "project.deleted"
_CASES = [(era, one) for era in ("ws", "sse") for one in load(f"{era}-events")["events"] if one["event"] != _APART]
_IDS = [f"{era}-{number}-{one['event']}-{one['variant']}" for number, (era, one) in enumerate(_CASES)]

#: The card of `board.state.changed`, completed as in docs/ingest.md, "A whole state".
_WHOLE_CARD = {
    "id": "k1",
    "disableAutoCloseOnPRMerge": False,
    "ticketType": None,
    "isEnhanced": False,
    "title": "Not in the database",
    "createdAt": "2025-01-02T03:04:05.678Z",
    "updatedAt": "2025-01-02T03:04:05.678Z",
}


@pytest.mark.parametrize(("era", "recorded"), _CASES, ids=_IDS)
async def test_event_reaches_the_recorded_subscribers(era: Era, recorded: Json, live: LiveServer) -> None:
    publisher = Publisher(live.address)
    instead = EVENTS.get((recorded["event"], recorded["variant"]))
    board_id = _board_id(recorded) if not (instead and instead.is_refused) else _DEFAULT_BOARD
    await publisher.publish(*_stage(recorded, board_id), *board_events(_OTHER_BOARD, _default_state("b")))
    async with listening(live.address, era, board_id, _OTHER_BOARD) as listeners:
        answer = await publisher.try_publish([event(recorded["event"], recorded["payload"])])
        assert answer.status == (422 if instead and instead.is_refused else 202), answer
        expected = {name: [_envelope(era, one["raw"]) for one in got] for name, got in recorded["received"].items()}
        if instead:
            expected = (
                {name: [] for name in expected} if instead.is_refused else {**expected, "board-1": [_whole_state()]}
            )
        if any(one["type"] == "dashboard_overview" for one in expected["dashboard"]):
            await listeners.overview()
        received = await listeners.received("afterwards")
    matcher = Matcher()
    for name, envelopes in expected.items():
        wanted = [one for one in envelopes if one["type"] != "dashboard_overview"]
        matcher.match(wanted, received[name], name)


def _envelope(era: Era, raw: str) -> Json:
    if era == "ws":
        parsed: Json = orjson.loads(raw)
        return parsed
    event_line, data_line = raw.strip().split("\n")
    return {"type": event_line.removeprefix("event: "), "payload": orjson.loads(data_line.removeprefix("data: "))}


def _board_id(recorded: Json) -> str:
    payload = recorded["payload"]
    board_id: str = payload.get("boardId") or payload.get("projectId") or _DEFAULT_BOARD
    return board_id


def _stage(recorded: Json, board_id: str) -> list[Json]:
    """Return the events that make the board before the event, and the attempt that a completion ends."""
    moves = [
        one["payload"] for one in recorded.get("events_published_as_a_consequence", []) if "cardId" in one["payload"]
    ]
    states = [one["payload"] for one in map(_state_of, recorded["received"]["board-1"]) if one]
    if not moves:
        return board_events(board_id, _default_state("a", recorded["payload"].get("cardId")))
    events = board_events(board_id, _moved_back(states[0], moves[0]))
    if recorded["event"] == "attempt.completed":
        payload = recorded["payload"]
        ids = {"attemptId": payload["attemptId"], "boardId": board_id, "cardId": payload["cardId"]}
        events.append(event("attempt.queued", {**ids, "agent": "CODEX", "baseBranch": "main", "branchName": "b"}))
    return events


def _state_of(frame: Json) -> Json | None:
    era: Era = "ws" if frame["raw"].startswith("{") else "sse"
    envelope = _envelope(era, frame["raw"])
    return envelope if envelope["type"] == "state" else None


def _moved_back(state: Json, move: Json) -> Json:
    card_id = move["cardId"]
    columns: Any = {key: {**column, "cardIds": list(column["cardIds"])} for key, column in state["columns"].items()}
    columns[move["toColumnId"]]["cardIds"].remove(card_id)
    columns[move["fromColumnId"]]["cardIds"].insert(0, card_id)
    return {**state, "columns": columns}


def _default_state(prefix: str, card_id: str | None = None) -> Json:
    """Return a board with the default columns and one card in Backlog. The card is left out if it must be unknown."""
    titles = ["Backlog", "In Progress", "Review", "Done"]
    columns: Any = {
        f"{prefix}-{n}": {"id": f"{prefix}-{n}", "title": title, "cardIds": []} for n, title in enumerate(titles)
    }
    cards: Json = {}
    if card_id and card_id != "card-unknown":
        columns[f"{prefix}-0"]["cardIds"].append(card_id)
        cards[card_id] = {"id": card_id, "title": "Card A", "ticketKey": "AB-1"}
    return {"columns": columns, "columnOrder": list(columns), "cards": cards}


def _whole_state() -> Json:
    columns = {"c1": {"id": "c1", "title": "Any", "cardIds": ["k1"]}}
    return {"type": "state", "payload": {"columns": columns, "columnOrder": ["c1"], "cards": {"k1": _WHOLE_CARD}}}
