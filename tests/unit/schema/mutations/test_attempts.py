"""Mutations of attempts: queue and stop, with typed refusals."""

from __future__ import annotations

from typing import Any

import pytest

from realtime.kanban.board import Board
from realtime.kanban.models import DONE
from tests.kit.nodes import BOARD, column_id, create_board, publish
from tests.kit.publishing import event
from tests.unit.schema.caller import Caller
from tests.unit.schema.mutations.mutating import mutate, refused

Json = dict[str, Any]


async def card(caller: Caller, board: Board, title: str = "Backlog", **values: Any) -> str:
    """Make a card in a column; return its id."""
    given = {"columnId": column_id(board.state, title), "title": "A card", **values}
    made: str = (await mutate(caller, "createCard", boardId=BOARD, input=given))["card"]["cardId"]
    return made


async def queue(caller: Caller, card_id: str, **values: Any) -> Json:
    """Queue an attempt; return the payload."""
    return await mutate(caller, "queueAttempt", boardId=BOARD, input={"cardId": card_id, "agentKey": "CODEX", **values})


async def refused_queue(caller: Caller, card_id: str, **values: Any) -> Json:
    """Queue an attempt, which must be refused; return the refusal."""
    given = {"cardId": card_id, "agentKey": "CODEX", **values}
    return await refused(caller, "queueAttempt", boardId=BOARD, input=given)


async def test_queued_attempt_has_the_given_values(caller: Caller, board: Board) -> None:
    made = await card(caller, board)
    answer = await queue(caller, made, baseBranch="dev", branchName="b")
    attempt = answer["attempt"]
    assert {
        name: attempt[name] for name in ("boardId", "cardId", "agentKey", "status", "baseBranch", "branchName")
    } == {
        "boardId": BOARD,
        "cardId": made,
        "agentKey": "CODEX",
        "status": "QUEUED",
        "baseBranch": "dev",
        "branchName": "b",
    }
    assert (attempt["startedAt"], attempt["endedAt"], attempt["sessionId"]) == (None, None, None)
    assert attempt["createdAt"] == attempt["updatedAt"]
    assert answer["cursor"]


async def test_queued_attempt_has_branches_of_its_own(caller: Caller, board: Board) -> None:
    attempt = (await queue(caller, await card(caller, board)))["attempt"]
    assert (attempt["baseBranch"], attempt["branchName"]) == ("main", "AB/AB-1-a-card")


@pytest.mark.parametrize(("runs", "status"), [(False, "STOPPED"), (True, "STOPPING")])
async def test_stopped_attempt_ends_or_is_stopping(caller: Caller, board: Board, runs: bool, status: str) -> None:
    made = await card(caller, board)
    queued = await queue(caller, made)
    of_attempt = {"boardId": BOARD, "attemptId": queued["attempt"]["attemptId"]}
    if runs:
        await publish(caller.node, event("attempt.started", {**of_attempt, "cardId": made, "agent": "CODEX"}))
    answer = await mutate(caller, "stopAttempt", input={"attemptId": of_attempt["attemptId"]})
    assert (answer["attempt"]["status"], answer["attempt"]["endedAt"] is None) == (status, runs)
    assert answer["cursor"] != queued["cursor"]
    refusal = await refused(caller, "stopAttempt", input={"attemptId": of_attempt["attemptId"]})
    assert (refusal["__typename"], refusal["code"]) == ("AttemptNotRunning", "ATTEMPT_NOT_RUNNING")


async def test_card_that_may_not_be_tried_is_refused(caller: Caller, board: Board) -> None:
    first, done = await card(caller, board), await card(caller, board, DONE)
    blocked = await card(caller, board, dependsOn=[first])
    await queue(caller, first)
    assert (await refused_queue(caller, first))["__typename"] == "AttemptActive"
    assert (await refused_queue(caller, done))["__typename"] == "CardIsDone"
    refusal = await refused_queue(caller, blocked)
    assert (refusal["__typename"], refusal["waitsFor"]) == ("CardBlocked", [first])
    assert (await refused_queue(caller, "nothing"))["__typename"] == "CardNotFound"


async def test_card_of_another_board_is_not_found(caller: Caller, board: Board) -> None:
    made = await card(caller, board)
    await create_board(caller.node, "p2", "Beta")
    refusal = await refused(caller, "queueAttempt", boardId="p2", input={"cardId": made, "agentKey": "CODEX"})
    assert refusal["__typename"] == "CardNotFound"


async def test_thing_that_does_not_exist_is_not_found(caller: Caller) -> None:
    refusal = await refused(caller, "queueAttempt", boardId="nowhere", input={"cardId": "k", "agentKey": "CODEX"})
    assert refusal["__typename"] == "BoardNotFound"
    refusal = await refused(caller, "stopAttempt", input={"attemptId": "nothing", "boardId": "nowhere"})
    assert refusal["__typename"] == "BoardNotFound"
    refusal = await refused(caller, "stopAttempt", input={"attemptId": "nothing"})
    assert (refusal["__typename"], refusal["code"]) == ("AttemptNotFound", "ATTEMPT_NOT_FOUND")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"agentKey": ""}, "agentKey"),
        ({"agentKey": "x" * 201}, "agentKey"),
        ({"baseBranch": None}, "baseBranch"),
        ({"branchName": ""}, "branchName"),
        ({"profileId": ""}, "profileId"),
    ],
)
async def test_field_that_does_not_fit_is_named(caller: Caller, board: Board, values: Json, field: str) -> None:
    refusal = await refused_queue(caller, await card(caller, board), **values)
    assert (refusal["__typename"], refusal["field"]) == ("InvalidInput", field)


async def test_id_of_an_attempt_that_does_not_fit_is_named(caller: Caller) -> None:
    refusal = await refused(caller, "stopAttempt", input={"attemptId": "x" * 201})
    assert (refusal["__typename"], refusal["field"]) == ("InvalidInput", "attemptId")


async def test_attempt_whose_board_goes_meanwhile_is_not_found(
    caller: Caller, board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt_id = (await queue(caller, await card(caller, board)))["attempt"]["attemptId"]
    find = type(caller.node.store).attempt

    async def find_and_delete(store: Any, *key: Any) -> Any:
        found = await find(store, *key)
        await publish(caller.node, event("project.deleted", {"projectId": BOARD}))
        return found

    monkeypatch.setattr(type(caller.node.store), "attempt", find_and_delete)
    document = f'mutation {{ stopAttempt(input: {{ attemptId: "{attempt_id}" }}) {{ __typename }} }}'
    assert await caller.run(document) == {"__typename": "AttemptNotFound"}
