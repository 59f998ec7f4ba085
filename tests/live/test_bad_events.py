"""Bad input at the ingest: 422 (or 400, 413) that names index and field, and nothing of the batch is stored."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer
from tests.kit.publishing import Publisher, event
from tests.kit.raw_http import Answer, exchange
from tests.kit.recordings import Json
from tests.kit.sse_reader import open_stream
from tests.live.boards import BOARD, TODO, everything

_GOOD = event("agent.registered", {"agent": "GOOD"})
_LOG = {"attemptId": "a", "boardId": BOARD, "level": "info", "message": "m"}
_QUEUED = {
    "attemptId": "a",
    "boardId": BOARD,
    "cardId": "free",
    "agent": "CODEX",
    "baseBranch": "main",
    "branchName": "b",
}


def _state(cards: Json, order: list[str] | None = None) -> Json:
    column = {"id": TODO, "title": "Backlog", "cardIds": list(cards) if order is None else order}
    state = {"columns": {TODO: column}, "columnOrder": [TODO], "cards": cards}
    return event("board.state.changed", {"boardId": BOARD, "state": state})


def _card(id: str, **more: object) -> Json:
    return {"id": id, "title": "t", **more}


def _cycle(length: int) -> Json:
    return {f"c{n}": _card(f"c{n}", dependsOn=[f"c{(n + 1) % length}"]) for n in range(length)}


#: Name → an invalid event, and the field that the answer names, below the event's index.
_CASES: dict[str, tuple[object, str]] = {
    "no-object": ("x", ""),
    "null": (None, ""),
    "list-in-list": ([_GOOD], ""),
    "no-name": ({"payload": {}}, "name"),
    "name-number": (event(7, {}), "name"),  # type: ignore[arg-type]
    "name-unknown": (event("card.exploded", {}), "name"),
    "name-inherited": (event("__class__", {}), "name"),
    "no-payload": ({"name": "agent.registered"}, "payload"),
    "payload-list": ({"name": "agent.registered", "payload": []}, "payload"),
    "extra-key": ({**_GOOD, "when": 1}, "when"),
    "payload-field-missing": (event("agent.registered", {}), "payload.agent"),
    "payload-field-null": (event("agent.registered", {"agent": None}), "payload.agent"),
    "at-no-time": (event("agent.registered", {"agent": "A"}, "yesterday"), "at"),
    "at-week": (event("agent.registered", {"agent": "A"}, "2026-W01-1T00:00:00Z"), "at"),
    "at-without-dashes": (event("agent.registered", {"agent": "A"}, "20260101T000000Z"), "at"),
    "at-long": (event("agent.registered", {"agent": "A"}, f"2026-01-01T00:00:00.{'1' * 900_000}Z"), "at"),
    "at-no-such-day": (event("agent.registered", {"agent": "A"}, "2025-02-30T00:00:00Z"), "at"),
    "at-without-zone": (event("agent.registered", {"agent": "A"}, "2025-02-03T00:00:00"), "at"),
    "at-number": ({**_GOOD, "at": 1735787045678}, "at"),
    "id-empty": ({**_GOOD, "id": ""}, "id"),
    "id-long": ({**_GOOD, "id": "x" * 201}, "id"),
    "id-number": ({**_GOOD, "id": 1}, "id"),
    "board-unknown": (event("attempt.log.appended", {**_LOG, "boardId": "nope"}), "payload.boardId"),
    "board-empty": (event("attempt.log.appended", {**_LOG, "boardId": ""}), "payload.boardId"),
    "board-number": (event("attempt.log.appended", {**_LOG, "boardId": 5}), "payload.boardId"),
    "project-unknown": (event("project.deleted", {"projectId": "nope", "projectName": "x"}), "payload.projectId"),
    "attempt-long": (event("attempt.log.appended", {**_LOG, "attemptId": "x" * 201}), "payload.attemptId"),
    "level": (event("attempt.log.appended", {**_LOG, "level": "fatal"}), "payload.level"),
    "status": (
        event("attempt.status.changed", {"attemptId": "a", "boardId": BOARD, "status": "lost"}),
        "payload.status",
    ),
    "queued-without-card": (event("attempt.queued", {**_QUEUED, "cardId": None}), "payload.cardId"),
    "item": (
        event("attempt.conversation.appended", {"attemptId": "a", "boardId": BOARD, "item": {"type": "song"}}),
        "payload.item",
    ),
    "no-state": (event("board.state.changed", {"boardId": BOARD}), "payload.state"),
    "state-list": (event("board.state.changed", {"boardId": BOARD, "state": []}), "payload.state"),
    "state-cycle": (_state(_cycle(2)), "payload.state"),
    "state-cycle-of-one": (_state(_cycle(1)), "payload.state"),
    "state-long-cycle": (_state(_cycle(1000)), "payload.state"),
    "state-unknown-dependency": (_state({"c": _card("c", dependsOn=["nope"])}), "payload.state"),
    "state-card-nowhere": (_state({"c": _card("c")}, []), "payload.state"),
    "state-card-twice": (_state({"c": _card("c")}, ["c", "c"]), "payload.state"),
    "state-card-unknown": (_state({"c": _card("c")}, ["c", "d"]), "payload.state"),
    "state-other-id": (_state({"c": _card("d")}), "payload.state"),
    "state-long-title": (_state({"c": _card("c", title="x" * 501)}), "payload.state.cards.c.title"),
    "state-flag": (_state({"c": _card("c", isEnhanced="yes")}), "payload.state.cards.c.isEnhanced"),
    "state-time": (_state({"c": _card("c", createdAt="soon")}), "payload.state.cards.c.createdAt"),
}


async def _post(live: LiveServer, body: object) -> Answer:
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    async with deadline(20):
        answer = await exchange(live.address, "POST", "/api/v1/events", content)
        assert answer.header("X-Request-Id"), answer
    return answer


def _fields(answer: Answer, status: int = 422) -> list[str]:
    assert answer.status == status, answer
    assert answer.header("Content-Type") == "application/problem+json"
    problem: Any = answer.json()
    return [error["field"] for error in problem.get("errors", [])]


@pytest.mark.parametrize("case", _CASES)
async def test_bad_last_event_refuses_the_whole_batch(case: str, unchanged: LiveServer) -> None:
    bad, field = _CASES[case]
    project = event("project.created", {"projectId": "new", "name": "New", "repositoryPath": "/n"})
    fields = _fields(await _post(unchanged, [_GOOD, project, bad]))
    expected = f"2.{field}".rstrip(".")
    assert fields
    assert all(found == expected or found.startswith(f"{expected}.") for found in fields), fields


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b'[{"name":]', b"\xff", b'[{"name":"agent.registered","payload":{"agent":"\\ud800"}}]'],
    ids=["empty", "half", "broken", "not-utf8", "surrogate"],
)
async def test_body_that_is_no_json_is_400(body: bytes, unchanged: LiveServer) -> None:
    assert _fields(await _post(unchanged, body), 400) == []


async def test_empty_list_and_1001_events_are_refused(unchanged: LiveServer) -> None:
    assert _fields(await _post(unchanged, [])) == [""]
    assert _fields(await _post(unchanged, [_GOOD] * 1001)) == [""]


async def test_thousand_events_are_accepted(boards: LiveServer) -> None:
    answer: Any = (await _post(boards, [_GOOD] * 1000)).json()
    assert len({entry["cursor"] for entry in answer["accepted"]}) == 1000


async def test_every_bad_event_of_a_batch_is_named(unchanged: LiveServer) -> None:
    unknown = event("attempt.log.appended", {**_LOG, "boardId": "nope"})
    assert _fields(await _post(unchanged, [unknown, _GOOD, unknown])) == ["0.payload.boardId", "2.payload.boardId"]
    wrong = event("agent.registered", {})
    assert _fields(await _post(unchanged, [wrong, _GOOD, wrong])) == ["0.payload.agent", "2.payload.agent"]


async def test_event_before_its_project_is_refused_and_after_it_accepted(boards: LiveServer) -> None:
    project = event("project.created", {"projectId": "new", "name": "New", "repositoryPath": "/n"})
    log = event("attempt.log.appended", {**_LOG, "boardId": "new"})
    before = await everything(boards.node)
    assert _fields(await _post(boards, [log, project])) == ["0.payload.boardId"]
    assert await everything(boards.node) == before
    assert (await _post(boards, [project, log])).status == 202
    deleted = event("project.deleted", {"projectId": "new", "projectName": "New"})
    assert _fields(await _post(boards, [log, deleted, log])) == ["2.payload.boardId"]
    assert (await _post(boards, [log, deleted])).status == 202


async def test_repeated_id_answers_the_first_cursor_and_publishes_nothing(boards: LiveServer) -> None:
    first = {**_GOOD, "id": "k-1"}
    async with open_stream(boards.address, f"/api/v1/sse?boardId={BOARD}") as stream, deadline(10):
        [accepted] = await _accepted(boards, first)
        before = await everything(boards.node)
        assert await _accepted(boards, first) == [{**accepted, "duplicate": True}]
        assert await everything(boards.node) == before
        again = await _accepted(boards, first, {**_GOOD, "id": "k-2"}, {**_GOOD, "id": "k-2"})
        await Publisher(boards.address).mark("last")
        labels = [(await stream.event()) for _ in range(5)]
    assert [entry["duplicate"] for entry in again] == [True, False, True]
    assert again[1]["cursor"] == again[2]["cursor"] != again[0]["cursor"]
    assert [(payload or {}).get("agent") for _, payload in labels[2:]] == ["GOOD", "GOOD", "MARKER"]  # type: ignore[attr-defined]


async def test_repeated_id_of_a_deleted_board_is_still_known(boards: LiveServer) -> None:
    log = {**event("attempt.log.appended", _LOG), "id": "k"}
    await _accepted(boards, log)
    assert (await exchange(boards.address, "DELETE", f"/api/v1/projects/{BOARD}")).status == 204
    answer = await _post(boards, log)
    assert answer.status in {202, 422}
    if answer.status == 202:
        assert b'"duplicate":true' in answer.body


async def test_refused_batch_leaves_its_ids_free(boards: LiveServer) -> None:
    keyed = {**_GOOD, "id": "k"}
    _fields(await _post(boards, [keyed, event("attempt.log.appended", {**_LOG, "boardId": "nope"})]))
    assert [entry["duplicate"] for entry in await _accepted(boards, keyed)] == [False]


async def _accepted(live: LiveServer, *events: Json) -> list[Json]:
    answer = await _post(live, events)
    assert answer.status == 202, answer
    body: Any = answer.json()
    entries: list[Json] = body["accepted"]
    assert [list(entry) for entry in entries] == [["name", "cursor", "duplicate"]] * len(events)
    return entries


@pytest.mark.parametrize("label", ["a\x00b", "\u2028\u2029", "\r\n\r\ndata: x\r\n", "x" * 100_000, "ünïcödé 😀"])
async def test_any_text_travels_unharmed(label: str, boards: LiveServer) -> None:
    async with open_stream(boards.address, f"/api/v1/sse?boardId={BOARD}") as stream, deadline(10):
        await Publisher(boards.address).mark(label)
        events = [await stream.event() for _ in range(3)]
    assert events[2] == ("agent_registered", {"agent": "MARKER", "label": label})


@pytest.mark.parametrize("number", [2**53, 2**63, 2**64 - 1, -(2**63)])
async def test_huge_integers_are_kept_or_refused(number: int, boards: LiveServer) -> None:
    pr = {"number": number, "url": "https://example.org/1", "state": "open", "draft": False}
    body = event("github.pr.created", {"projectId": BOARD, "attemptId": "a", "pr": pr})
    answer = await _post(boards, [body])
    assert answer.status in {202, 422}, answer
