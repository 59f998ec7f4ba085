"""Events by mutation equal those of `POST /api/v1/events`: stored in the same way, refused for the same fields."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import strawberry

from realtime.backends.memory import MemoryBroker
from realtime.errors import InvalidInput
from realtime.global_ids import Kind, global_id
from realtime.kanban.board import Board
from realtime.kanban.ids import BoardId
from realtime.kanban.incoming import MAX_EVENTS
from realtime.node import Node
from realtime.ports import StoredEvent
from tests.kit.attempt_contents import lines_of
from tests.kit.nodes import BOARD, create_board, open_node, open_store, publish
from tests.unit.realtime.event_samples import AT, SAMPLES
from tests.unit.schema.caller import Caller
from tests.unit.schema.event_arguments import event_argument, family_of
from tests.unit.schema.mutations.mutating import MUTATIONS, mutate, refused

Json = dict[str, Any]
LINE = {"name": "attempt.log.appended", "payload": SAMPLES["attempt.log.appended"]}


def mutation_of(name: str) -> str:
    """The typed mutation for an event name."""
    return f"publish{family_of(name).title()}Event"


@asynccontextmanager
async def recording(schema: strawberry.Schema) -> AsyncIterator[tuple[Caller, list[StoredEvent]]]:
    """A client of a node with a board, and a record of all later events."""
    broker, stored = MemoryBroker(), list[StoredEvent]()
    async with open_store() as store, open_node(store, broker=broker) as node:
        await create_board(node)
        broker.subscribe(stored.extend)
        yield Caller(schema, node), stored


@pytest.mark.parametrize("name", SAMPLES)
async def test_typed_mutation_stores_what_the_ingest_stores(schema: strawberry.Schema, name: str) -> None:
    entry = {"name": name, "payload": SAMPLES[name], "at": AT, "id": "k-1"}
    async with recording(schema) as (one, expected), recording(schema) as (other, stored):
        (posted,) = await publish(one.node, entry)
        argument = event_argument(name, SAMPLES[name])
        answer = await mutate(other, mutation_of(name), event=argument, at=AT, id="k-1")
        assert [event.recorded for event in stored] == [event.recorded for event in expected] != []
        assert [(event.channel, event.offset) for event in stored] == [(one.channel, one.offset) for one in expected]
        places = [cursor.partition("-")[2] for cursor in (answer["accepted"]["cursor"], posted.cursor)]
        assert places[0] == places[1]
        assert (answer["accepted"]["name"], answer["accepted"]["duplicate"]) == (name, False)
        again = (await mutate(other, mutation_of(name), event=argument, at=AT, id="k-1"))["accepted"]
        assert again == {**answer["accepted"], "duplicate": True}


async def test_untyped_mutation_stores_what_the_ingest_stores(schema: strawberry.Schema) -> None:
    # The deletion of a project on the way would also delete the board of the others.
    batch = [{"name": name, "payload": SAMPLES[name], "at": AT} for name in SAMPLES if name != "project.deleted"]
    async with recording(schema) as (one, expected), recording(schema) as (other, stored):
        posted = await publish(one.node, *batch)
        answer = await mutate(other, "publishEvents", events=batch)
        assert [event.recorded for event in stored] == [event.recorded for event in expected]
        assert [accepted["name"] for accepted in answer["accepted"]] == [one.name for one in posted]


async def test_duplicates_within_a_batch_are_reported(caller: Caller, board: Board) -> None:
    accepted = (await mutate(caller, "publishEvents", events=[{**LINE, "id": "k"}, {**LINE, "id": "k"}]))["accepted"]
    assert [one["duplicate"] for one in accepted] == [False, True]
    assert accepted[0]["cursor"] == accepted[1]["cursor"]


@pytest.mark.parametrize(
    "events",
    [
        [],
        [LINE] * (MAX_EVENTS + 1),
        [LINE, {"name": "no.such.event", "payload": {}}],
        [{"name": "attempt.started", "payload": []}, {**LINE, "id": "k" * 201}],
        [LINE, {**LINE, "payload": {**SAMPLES["attempt.log.appended"], "level": "debug", "boardId": ""}}],
        [{"name": "board.state.changed", "payload": {"boardId": "p1"}}],
        [LINE, {**LINE, "payload": {**SAMPLES["attempt.log.appended"], "boardId": "nowhere"}}],
    ],
    ids=["none", "too-many", "name", "entry", "payload", "state", "board"],
)
async def test_batch_that_does_not_fit_is_refused_as_by_the_ingest(
    caller: Caller, board: Board, events: list[Json]
) -> None:
    with pytest.raises(InvalidInput) as posted:
        await publish(caller.node, *events)
    refusal = await refused(caller, "publishEvents", events=events)
    assert (refusal["__typename"], refusal["code"]) == ("InvalidInput", "INVALID_PAYLOAD")
    assert refusal["fields"] == [{"field": one.field, "message": one.message} for one in posted.value.fields]
    assert await lines_of(caller.node.store, SAMPLES["attempt.log.appended"]["attemptId"]) == []


@pytest.mark.parametrize(
    ("name", "payload", "arguments", "field"),
    [
        ("attempt.log.appended", {"boardId": "nowhere"}, {}, "event.attemptLogAppended.boardId"),
        ("attempt.log.appended", {"attemptId": ""}, {}, "event.attemptLogAppended.attemptId"),
        ("attempt.log.appended", {}, {"id": ""}, "id"),
        ("board.state.changed", {"state": None}, {}, "event.boardStateChanged.state"),
        ("git.status.changed", {"projectId": "nowhere"}, {}, "event.gitStatusChanged.projectId"),
        ("project.updated", {"changes": {"name": ""}}, {}, "event.projectUpdated.changes.name"),
    ],
)
async def test_field_of_a_typed_event_is_named_where_it_is(
    caller: Caller, board: Board, name: str, payload: Json, arguments: Json, field: str
) -> None:
    argument = event_argument(name, {**SAMPLES[name], **payload})
    refusal = await refused(caller, mutation_of(name), event=argument, **arguments)
    assert (refusal["__typename"], refusal["field"]) == ("InvalidInput", field)


@pytest.mark.parametrize(
    ("name", "place", "variables"),
    [
        ("publishAttemptEvent", "'$event' has invalid value at .attemptLogAppended.ts", {"ts": "yesterday"}),
        ("publishAttemptEvent", "'$at' has invalid value", {"at": "yesterday"}),
        ("publishEvents", "'$events' has invalid value at [0].at", {"events": [{**LINE, "at": "yesterday"}]}),
    ],
)
async def test_time_that_does_not_fit_is_named_where_it_is(
    caller: Caller, board: Board, name: str, place: str, variables: Json
) -> None:
    if name != "publishEvents":
        payload = {**SAMPLES["attempt.log.appended"], "ts": variables.pop("ts", None)}
        variables["event"] = event_argument("attempt.log.appended", payload)
    message, extensions = await caller.refused(MUTATIONS[name], **variables)
    assert message.startswith(f"Variable {place}: expected an RFC 3339 time with an offset")
    assert extensions["code"] == "GRAPHQL_VALIDATION_FAILED"


async def test_null_is_kept_apart_from_absent(schema: strawberry.Schema) -> None:
    payload = {"attemptId": "a1", "boardId": BOARD, "status": "SUCCEEDED"}
    async with recording(schema) as (caller, stored):
        for given in (payload, {**payload, "endedAt": None}):
            await mutate(caller, "publishAttemptEvent", event={"attemptStatusChanged": given})
        assert ["endedAt" in one.recorded.event.payload() for one in stored] == [False, True]


async def test_unknown_fields_are_kept_at_their_place(schema: strawberry.Schema) -> None:
    items = [{"todoKey": "t", "text": "x", "status": "OPEN", "extra": {"note": [1]}}]
    todos = {"total": 1, "completed": 0, "items": items, "extra": {"total": 7, "shown": True}}
    event = {"attemptId": "a1", "boardId": BOARD, "todos": todos, "extra": {"by": {"name": "x"}}}
    async with recording(schema) as (caller, stored):
        await mutate(caller, "publishAttemptEvent", event={"attemptTodosUpdated": event})
        assert stored[0].recorded.event.payload() == {
            "attemptId": "a1",
            "boardId": BOARD,
            "todos": {
                "total": 1,
                "completed": 0,
                "items": [{"id": "t", "text": "x", "status": "open", "note": [1]}],
                "shown": True,
            },
            "by": {"name": "x"},
        }


async def test_payload_that_is_nested_too_deeply_is_refused(caller: Caller, board: Board) -> None:
    item: Any = "core"
    for _ in range(1000):
        item = [item]
    given = {"attemptId": "a1", "boardId": BOARD, "item": item}
    refusal = await refused(caller, "publishAttemptEvent", event={"attemptConversationAppended": given})
    assert refusal["fields"] == [
        {"field": "event.attemptConversationAppended", "message": "expected at most 100 levels of nesting"}
    ]


async def test_extra_that_is_no_object_is_refused(caller: Caller, board: Board) -> None:
    refusal = await refused(caller, "publishGitEvent", event={"gitStatusChanged": {"projectId": BOARD, "extra": [1]}})
    assert refusal["field"] == "event.gitStatusChanged.extra"


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"gitStatusChanged": None},
        {"gitStatusChanged": {"projectId": "p1"}, "gitRebaseStarted": {"projectId": "p1"}},
        {"gitStatusChanged": {}},
        {"gitCommitCreated": {"projectId": "p1", "shortSha": 7, "subject": "s", "ts": AT}},
    ],
    ids=["none", "null", "two", "required", "type"],
)
async def test_event_that_does_not_fit_the_schema_is_a_validation_error(
    caller: Caller, board: Board, event: Json
) -> None:
    _, extensions = await caller.refused(MUTATIONS["publishGitEvent"], event=event)
    assert extensions == {"code": "GRAPHQL_VALIDATION_FAILED"}


@pytest.mark.parametrize("number", ["1" * 25, "1e999", "9" * 5000])
async def test_number_that_json_cannot_hold_is_a_validation_error(caller: Caller, board: Board, number: str) -> None:
    event = f'{{ gitStatusChanged: {{ projectId: "p1", extra: {{ number: {number} }} }} }}'
    _, extensions = await caller.refused(f"mutation {{ publishGitEvent(event: {event}) {{ __typename }} }}")
    assert extensions == {"code": "GRAPHQL_VALIDATION_FAILED"}


async def test_event_names_things_by_either_id(caller: Caller, node: Node, board: Board) -> None:
    ids = {"boardId": global_id(Kind.BOARD, BOARD, BOARD), "attemptId": global_id(Kind.ATTEMPT, BOARD, "a")}
    named = {**ids, "cardId": global_id(Kind.CARD, BOARD, "k"), "agentKey": global_id(Kind.AGENT, "CODEX", "CODEX")}
    await mutate(caller, "publishAttemptEvent", event={"attemptQueued": named})
    (attempt,) = await node.store.attempts(BOARD)
    assert (attempt.id, attempt.card_id, attempt.agent) == ("a", "k", "CODEX")


_OTHER = "another board"


@pytest.mark.parametrize(
    ("family", "member", "fields", "wrong", "message"),
    [
        (
            "Attempt",
            "attemptLogAppended",
            {"level": "INFO", "message": "m"},
            {"attemptId": global_id(Kind.ATTEMPT, _OTHER, "a")},
            "expected an attempt of this board, got '{}', the id of another attempt",
        ),
        (
            "Attempt",
            "attemptQueued",
            {"attemptId": "a", "agentKey": "A"},
            {"cardId": global_id(Kind.CARD, _OTHER, "k")},
            "expected a card of this board, got '{}', the id of another card",
        ),
        (
            "Attempt",
            "attemptQueued",
            {"attemptId": "a", "agentKey": "A"},
            {"cardId": global_id(Kind.ATTEMPT, BOARD, "a")},
            "expected a card of this board, got '{}', the id of another attempt",
        ),
        (
            "Attempt",
            "attemptQueued",
            {"attemptId": "a", "cardId": "k"},
            {"agentKey": global_id(Kind.PROFILE, "p", "p")},
            "expected an agent, got '{}', the id of another profile",
        ),
        (
            "Project",
            "projectCreated",
            {"name": "New", "repositoryPath": "/r"},
            {"projectId": global_id(Kind.CARD, BOARD, "k")},
            "expected a project, got '{}', the id of another card",
        ),
    ],
)
async def test_id_of_another_thing_in_a_typed_event_is_refused(
    caller: Caller, board: Board, family: str, member: str, fields: Json, wrong: Json, message: str
) -> None:
    await create_board(caller.node, BoardId(_OTHER))
    event = {member: {**({} if "projectId" in wrong else {"boardId": BOARD}), **fields, **wrong}}
    ((field, given),) = wrong.items()
    refusal = await refused(caller, f"publish{family}Event", event=event)
    assert refusal["fields"] == [{"field": f"event.{member}.{field}", "message": message.format(given)}]


async def test_ids_of_the_wire_that_only_look_like_others_are_taken(caller: Caller, board: Board) -> None:
    # A letter and eleven characters are the form of an `id`; only the tag of a board that exists makes it one.
    for attempt_id in ("ATTEMPT-2025-0001", global_id(Kind.ATTEMPT, "no such board", "a")):
        line = {"boardId": BOARD, "attemptId": attempt_id, "level": "INFO", "message": "m"}
        await mutate(caller, "publishAttemptEvent", event={"attemptLogAppended": line})
        assert [one.message for one in await lines_of(caller.node.store, attempt_id)] == ["m"]
