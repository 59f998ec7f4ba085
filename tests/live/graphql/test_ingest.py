"""Events by mutation on a real server: raw subscribers get them, and invalid events are refused as in the ingest."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer
from tests.kit.publishing import Publisher, event
from tests.kit.raw_http import exchange
from tests.kit.recordings import Json
from tests.kit.sse_reader import open_stream
from tests.live.boards import BOARD

_WAIT_UNITS = 10
_LOG = {"attemptId": "a", "boardId": BOARD, "level": "info", "message": "m", "ts": "2025-01-02T03:04:05.678Z"}
_LINE = event("attempt.log.appended", _LOG)
_BATCH = """mutation ($events: [EventInput!]!) {
  publishEvents(events: $events) {
    ... on PublishEventsPayload { accepted { name cursor duplicate } }
    ... on InvalidInput { fields { field message } }
  }
}"""
_TYPED = """mutation ($event: AttemptEventInput!) {
  publishAttemptEvent(event: $event) {
    ... on PublishEventPayload { accepted { name cursor duplicate } }
    ... on Refusal { code message }
  }
}"""

#: Batches that must not be stored, not even in part.
_BAD: dict[str, list[Json]] = {
    "none": [],
    "unknown-name": [_LINE, event("card.exploded", {})],
    "unknown-board": [_LINE, event("attempt.log.appended", {**_LOG, "boardId": "nowhere"})],
    "bad-field": [_LINE, event("attempt.log.appended", {**_LOG, "level": "fatal", "ts": 5})],
    "no-state": [event("board.state.changed", {"boardId": BOARD})],
}


async def _mutate(live: LiveServer, query: str, **variables: object) -> Any:
    body = orjson.dumps({"query": query, "variables": variables})
    answer: Any = (await exchange(live.address, "POST", "/graphql", body)).json()
    assert "errors" not in answer, answer
    return next(iter(answer["data"].values()))


async def test_event_by_mutation_reaches_raw_subscriber_with_its_cursor(boards: LiveServer) -> None:
    async with open_stream(boards.address, f"/api/v1/sse?boardId={BOARD}") as stream, deadline(_WAIT_UNITS):
        assert [(await stream.event())[0] for _ in range(2)] == ["hello", "state"]
        batch = await _mutate(boards, _BATCH, events=[_LINE])
        assert await stream.event() == ("attempt_log", {name: _LOG[name] for name in _LOG if name != "boardId"})
        typed = await _mutate(boards, _TYPED, event={"attemptLogAppended": {**_LOG, "level": "WARN"}})
        name, payload = await stream.event()
        assert isinstance(payload, dict)
        assert (name, payload["level"]) == ("attempt_log", "warn")
    assert (batch["accepted"][0]["name"], typed["accepted"]["duplicate"]) == ("attempt.log.appended", False)
    assert batch["accepted"][0]["cursor"] != typed["accepted"]["cursor"]


async def test_idempotency_key_is_shared_by_both_transports(boards: LiveServer) -> None:
    async with deadline(_WAIT_UNITS):
        (cursor,) = await Publisher(boards.address).publish({**_LINE, "id": "key-1"})
        accepted = (await _mutate(boards, _BATCH, events=[{**_LINE, "id": "key-1"}]))["accepted"]
    assert accepted == [{"name": "attempt.log.appended", "cursor": cursor, "duplicate": True}]


@pytest.mark.parametrize("case", _BAD)
async def test_bad_batch_is_refused_for_the_same_fields_as_by_the_ingest(case: str, unchanged: LiveServer) -> None:
    async with deadline(_WAIT_UNITS):
        posted = await Publisher(unchanged.address).try_publish(_BAD[case])
        refused = await _mutate(unchanged, _BATCH, events=_BAD[case])
    problem: Any = posted.json()
    assert (posted.status, refused["fields"]) == (422, problem["errors"])
