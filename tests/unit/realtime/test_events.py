"""Domain events: every name with the fields of the recordings, unchanged by the model and the log."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from realtime.kanban.events import DASHBOARD_EVENTS, EVENT_MODELS, EVENT_NAMES, ProjectCreated, parse_event
from realtime.kanban.input.fields import STORED
from tests.unit.realtime.event_samples import ITEMS, PR, SAMPLES, TODOS

#: Events without a board are global. Those of the editor are global if they name no project.
_GLOBAL = {
    *("agent.registered", "agent.profile.changed", "settings.global.updated", "github.connected"),
    *("github.disconnected", "editor.open.succeeded", "editor.open.failed"),
}


def test_every_event_has_a_sample() -> None:
    assert set(EVENT_NAMES) == set(SAMPLES)
    assert set(EVENT_NAMES) >= DASHBOARD_EVENTS


@pytest.mark.parametrize("name", EVENT_NAMES)
def test_every_field_is_described(name: str) -> None:
    model = EVENT_MODELS[name]
    assert model.__doc__
    fields = {field: found.description for field, found in model.model_fields.items() if field != "type"}
    assert [field for field, description in fields.items() if not description] == []


@pytest.mark.parametrize("name", [name for name in SAMPLES if name != "board.state.changed"])
def test_payload_comes_out_as_it_went_in(name: str) -> None:
    event = parse_event(name, SAMPLES[name])
    assert event.type == name
    stored = orjson.loads(orjson.dumps(event.payload()))
    assert stored == SAMPLES[name]
    assert event.board_id == (None if name in _GLOBAL else "p1")
    assert parse_event(name, stored) == event


@pytest.mark.parametrize("name", SAMPLES)
def test_payload_as_json_says_the_same(name: str) -> None:
    odd = {"text": "\u2028 \x7f é 🙂", "numbers": [0.1, 1e16, 5e-324, -0.0, 2**63 - 1, True, None]}
    event = parse_event(name, {**SAMPLES[name], "unknownField": odd})
    assert orjson.loads(event.payload_json()) == orjson.loads(orjson.dumps(event.payload()))


@pytest.mark.parametrize("name", SAMPLES)
def test_unknown_fields_are_kept_and_the_payload_cannot_rename_the_event(name: str) -> None:
    event = parse_event(name, {**SAMPLES[name], "unknownField": {"a": [1]}, "type": "project.deleted"})
    assert event.type == name
    assert event.payload()["unknownField"] == {"a": [1]}
    assert "type" not in event.payload()


@pytest.mark.parametrize("name", SAMPLES)
def test_event_is_frozen(name: str) -> None:
    event = parse_event(name, SAMPLES[name])
    with pytest.raises(ValidationError, match="frozen"):
        setattr(event, "type", "another")  # noqa: B010 - a type checker would see it


def test_state_of_a_board_stays_a_whole_one() -> None:
    event = parse_event("board.state.changed", SAMPLES["board.state.changed"])
    assert event.board_id == "p1"
    assert event.payload()["reason"] == "because"
    without = {key: value for key, value in SAMPLES["board.state.changed"].items() if key != "state"}
    assert parse_event("board.state.changed", without).payload() == without


def test_editor_event_without_a_project_is_global() -> None:
    sample = {"path": "/w", "editorKey": "vscode"}
    assert parse_event("editor.open.requested", sample).board_id is None
    assert parse_event("editor.open.requested", {**sample, "projectId": "p1"}).board_id == "p1"


def test_unknown_keys_keep_their_order() -> None:
    turned = dict(reversed(PR.items()))
    event = parse_event("github.pr.created", {"projectId": "p1", "pr": {**turned, "more": 1}})
    assert list(event.payload()["pr"]) == [*turned, "more"]


def test_absent_fields_stay_absent_and_null_stays_null() -> None:
    given = {"projectId": "p1", "name": "A", "repositoryPath": "/r"}
    assert parse_event("project.created", given).payload() == given
    assert parse_event("project.created", {**given, "repositoryUrl": None}).payload()["repositoryUrl"] is None


def _without(name: str, field: str) -> dict[str, Any]:
    return {key: value for key, value in SAMPLES[name].items() if key != field}


@pytest.mark.parametrize(
    ("name", "field"),
    [
        *((name, "boardId") for name in SAMPLES if "boardId" in SAMPLES[name]),
        *((name, "projectId") for name in SAMPLES if "projectId" in SAMPLES[name] and not name.startswith("editor.")),
        *((name, "attemptId") for name in SAMPLES if name.startswith("attempt.")),
        *((name, "cardId") for name in ("card.created", "attempt.started", "attempt.queued", "attempt.completed")),
        *(("git.commit.created", field) for field in ("shortSha", "subject", "ts")),
        *(("git.push.completed", field) for field in ("remote", "branch", "ts")),
        *(("attempt.log.appended", field) for field in ("level", "message")),
        *(("project.created", field) for field in ("name", "repositoryPath")),
        ("attempt.status.changed", "status"),
        ("attempt.session.recorded", "sessionId"),
        ("agent.registered", "agent"),
        ("github.pr.created", "pr"),
    ],
)
def test_field_that_is_needed_is_missed_by_its_wire_name(name: str, field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        parse_event(name, _without(name, field))
    assert [found["loc"] for found in refused.value.errors()] == [(field,)]


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("attempt.status.changed", {"status": "paused"}),
        ("attempt.log.appended", {"level": "debug"}),
        ("attempt.log.appended", {"ts": "yesterday"}),
        ("attempt.log.appended", {"message": 7}),
        ("attempt.started", {"attemptId": ""}),
        ("attempt.started", {"attemptId": "a" * 201}),
        ("attempt.started", {"cardId": 7}),
        ("attempt.todos.updated", {"todos": {**TODOS, "total": "2"}}),
        ("attempt.todos.updated", {"todos": {**TODOS, "items": [{"id": "t", "text": "x", "status": "later"}]}}),
        ("attempt.conversation.appended", {"item": {**ITEMS["message"], "role": "robot"}}),
        ("github.pr.created", {"pr": {**PR, "number": "7"}}),
        ("github.pr.created", {"pr": {**PR, "draft": "no"}}),
        ("agent.profile.changed", {"kind": "renamed"}),
        ("project.created", {"name": ""}),
        ("project.updated", {"changes": {"name": ""}}),
        ("git.commit.created", {"ts": "2025-02-30T00:00:00Z"}),
        ("board.columns.initialized", {"columnIds": "c1"}),
    ],
)
def test_field_that_does_not_fit_is_refused(name: str, changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        parse_event(name, {**SAMPLES[name], **changes})


def test_name_of_no_event_is_unknown() -> None:
    with pytest.raises(KeyError):
        parse_event("some.unknown.event", {})


def test_inner_names_of_fields_are_no_wire_names() -> None:
    with pytest.raises(ValidationError):
        parse_event("project.created", {"project_id": "p1", "name": "A", "repositoryPath": "/r"})
    event = parse_event("project.created", {**SAMPLES["project.created"], "project_id": "p2"})
    assert isinstance(event, ProjectCreated)
    assert (event.project_id, event.board_id) == ("p1", "p1")


def test_time_of_an_older_form_in_the_log_is_shown_in_the_new_form() -> None:
    line = {**SAMPLES["attempt.log.appended"], "ts": "20250102T030405.678+00:00"}
    with pytest.raises(ValidationError):
        parse_event("attempt.log.appended", line)
    assert parse_event("attempt.log.appended", line, STORED).payload() == SAMPLES["attempt.log.appended"]
    with pytest.raises(ValidationError):
        parse_event("attempt.log.appended", {**line, "ts": "yesterday"}, STORED)


_PROJECT = {"projectId": "p", "name": "n", "repositoryPath": "/r"}
_LONG: list[tuple[str, dict[str, Any]]] = [
    ("project.created", {**_PROJECT, "name": "n" * 1001}),
    ("project.created", {**_PROJECT, "repositoryPath": "/" * 4097}),
    ("project.created", {**_PROJECT, "repositoryUrl": "/" * 4097}),
    ("project.created", {**_PROJECT, "repositorySlug": "/" * 4097}),
    ("project.updated", {"projectId": "p", "changes": {"name": "n" * 1001}}),
    ("project.updated", {"projectId": "p", "changes": {"repositoryUrl": "/" * 4097}}),
    (
        "github.pr.created",
        {"projectId": "p", "pr": {"number": 1, "url": "u" * 4097, "state": "open", "draft": False}},
    ),
]


@pytest.mark.parametrize(("name", "payload"), _LONG)
def test_text_that_every_subscriber_gets_is_bounded_and_what_is_in_the_log_stays(
    name: str, payload: dict[str, Any]
) -> None:
    with pytest.raises(ValidationError, match="expected at most"):
        parse_event(name, payload)
    assert parse_event(name, payload, STORED).payload() == payload
