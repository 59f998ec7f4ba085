"""Domain event → envelopes: the exact types, payloads and order, for each name (docs/protocol.md)."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from realtime.clock import iso
from realtime.kanban.board import Recorded
from realtime.kanban.changes import Difference
from realtime.kanban.commands import DeleteCard
from realtime.kanban.events import EVENT_NAMES, parse_event
from realtime.kanban.models import BoardState
from realtime.messages.options import Delivery
from realtime.messages.payloads import Patch, Payload, State, of_change
from realtime.messages.timeline import Timeline
from realtime.messages.translate import changes_board, translate, translate_change
from tests.unit.realtime.boards import LATER, add_attempt, carry_out, make_board
from tests.unit.realtime.event_samples import AT, ITEMS, PR, SAMPLES, TODOS

Json = dict[str, Any]


def _log(message: str, ts: str = AT) -> tuple[str, Json]:
    return ("attempt_log", {"attemptId": "a1", "level": "info", "message": message, "ts": ts})


_COMMIT = {"attemptId": "a1", "shortSha": "abc1234", "subject": "feat: x", "ts": AT}
_PUSH = {"attemptId": "a1", "remote": "origin", "branch": "f/x", "ts": AT}
_LINE = {"attemptId": "a1", "level": "warn", "message": "a\nb", "ts": AT}

TRANSLATED: dict[str, list[tuple[str, Json]]] = {
    "attempt.started": [("attempt_started", {"attemptId": "a1", "cardId": "k1"})],
    "attempt.status.changed": [("attempt_status", {"attemptId": "a1", "cardId": "k1", "status": "running"})],
    "attempt.log.appended": [("attempt_log", _LINE)],
    "attempt.stopped": [_log("Attempt stopped by user", iso(LATER))],
    "attempt.conversation.appended": [("conversation_item", {"attemptId": "a1", "item": ITEMS["message"]})],
    "attempt.session.recorded": [("attempt_session", {"attemptId": "a1", "sessionId": "s-1"})],
    "attempt.todos.updated": [("attempt_todos", {"attemptId": "a1", "todos": TODOS})],
    "git.status.changed": [("git_status", {})],
    "git.commit.created": [_log("[git] committed abc1234 feat: x"), ("git_commit", _COMMIT)],
    "git.push.completed": [_log("[git] pushed to origin/f/x"), ("git_push", _PUSH)],
    "github.pr.created": [("attempt_pr", {"attemptId": "a1", "pr": PR})],
    "agent.registered": [("agent_registered", {"agent": "CODEX", "label": "Codex"})],
    "agent.profile.changed": [
        ("agent_profile", {"kind": "created", "profileId": "ap-1", "agent": "CODEX", "label": None})
    ],
}


def translated(
    name: str, *, known: bool = True, without: tuple[str, ...] = (), **changes: Any
) -> list[tuple[str, Any]]:
    """Return type and payload of the envelopes of the sample of that name, without the keys `without`."""
    board = make_board(backlog=("k1",))
    if known:
        add_attempt(board, "a1", "k1", "queued")
    payload = {key: value for key, value in {**SAMPLES[name], **changes}.items() if key not in without}
    event = parse_event(name, payload)
    recorded = Recorded(event, LATER)
    board.apply(recorded)
    return [_read(payload) for payload in translate(recorded, None if event.board_id is None else board)]


def _read(payload: Payload) -> tuple[str, Any]:
    return payload.type, orjson.loads(payload.json())


@pytest.mark.parametrize("name", [name for name in EVENT_NAMES if name != "board.state.changed"])
def test_event_makes_exactly_its_envelopes(name: str) -> None:
    made = translated(name)
    assert made == TRANSLATED.get(name, [])
    assert [list(payload) for _, payload in made] == [list(payload) for _, payload in TRANSLATED.get(name, [])]


def _moved_and_freed() -> tuple[Recorded, BoardState, BoardState]:
    """Delete a card on which another depends: an event with two changes, and the states before and after it."""
    board = make_board(backlog=("k1", "k2"), needs={"k2": ("k1",)})
    before = board.state
    recorded = carry_out(board, DeleteCard(card_id="k1"))[-1]
    return recorded, before, board.state


def test_changed_board_makes_its_state_once() -> None:
    recorded, before, after = _moved_and_freed()
    assert changes_board(recorded)
    assert translate(recorded, None) == []
    for seen in (0, 1):
        (payload,) = translate_change(recorded, before, after, Delivery.STATE, seen)
        assert isinstance(payload, State)
        assert payload.state is after


def test_changed_board_makes_an_envelope_of_each_change_that_was_not_seen() -> None:
    recorded, before, after = _moved_and_freed()
    updated, deleted = translate_change(recorded, before, after, Delivery.CHANGES)
    made = [change for change in recorded.changes if isinstance(change, Difference)]
    assert [updated, deleted] == list(map(of_change, Timeline().moments(before, after, made)))
    assert (updated.type, deleted.type) == ("card_updated", "card_deleted")
    assert translate_change(recorded, before, after, Delivery.CHANGES, 1) == [deleted]


def test_changed_board_makes_one_patch_of_the_changes_that_were_not_seen() -> None:
    recorded, before, after = _moved_and_freed()
    free = {"op": "remove", "path": "/cards/k2/dependsOn"}
    delete = [
        {"op": "remove", "path": "/columns/backlog/cardIds/0"},
        {"op": "remove", "path": "/cards/k1"},
        {"op": "replace", "path": "/cards/k2/updatedAt", "value": iso(LATER)},
    ]
    assert translate_change(recorded, before, after, Delivery.PATCH) == [Patch([free, *delete])]
    assert translate_change(recorded, before, after, Delivery.PATCH, 1) == [Patch(delete)]


@pytest.mark.parametrize("name", ["git.commit.created", "git.push.completed", "github.pr.created"])
@pytest.mark.parametrize("attempt", [{"without": ("attemptId",)}, {"attemptId": None}])
def test_git_event_without_an_attempt_has_an_empty_one_and_no_log(name: str, attempt: Any) -> None:
    ((type, payload),) = translated(name, **attempt)
    assert type == TRANSLATED[name][-1][0]
    assert payload == {**TRANSLATED[name][-1][1], "attemptId": ""}


def test_empty_sha_leaves_no_double_space() -> None:
    log, commit = translated("git.commit.created", shortSha="")
    assert log[1]["message"] == "[git] committed feat: x"
    assert commit[1]["shortSha"] == ""


def test_status_takes_the_card_of_the_known_attempt() -> None:
    assert translated("attempt.status.changed", without=("cardId",)) == TRANSLATED["attempt.status.changed"]
    ((_, payload),) = translated("attempt.status.changed", known=False, without=("cardId",))
    assert payload == {"attemptId": "a1", "status": "running"}


def test_log_without_a_time_has_none() -> None:
    assert translated("attempt.log.appended", without=("ts",)) == [
        ("attempt_log", {"attemptId": "a1", "level": "warn", "message": "a\nb"})
    ]


def test_agent_without_a_label_has_null() -> None:
    assert translated("agent.registered", without=("label",)) == [
        ("agent_registered", {"agent": "CODEX", "label": None})
    ]


@pytest.mark.parametrize("kind", ITEMS)
def test_conversation_item_of_each_kind_travels_as_it_came(kind: str) -> None:
    ((_, payload),) = translated("attempt.conversation.appended", item=ITEMS[kind])
    assert list(payload["item"].items()) == list(ITEMS[kind].items())
