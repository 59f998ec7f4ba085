"""One request is one unit (docs/protocol.md): one state for it, or each change, both live and in a replay."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

import orjson
import pytest

from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer
from tests.kit.publishing import Publisher, event
from tests.kit.raw_http import connect, exchange
from tests.live.boards import BOARD, DOING
from tests.live.exits import EXITS, open_exit
from tests.live.raw_board import RAW_EXITS, RawSubscriber, Received, open_board

_WAIT_UNITS = 20
_BOARD_EXITS = [name for name in EXITS if not name.startswith("dashboard")]
_PATCH = {"title": "Otherwise", "description": "new", "columnId": DOING, "index": 0}


async def _patch(boards: LiveServer) -> None:
    answer = await exchange(boards.address, "PATCH", f"/api/v1/boards/{BOARD}/cards/free", orjson.dumps(_PATCH))
    assert answer.status == 200, answer.body
    await Publisher(boards.address).mark("end")


async def _until_end(subscriber: RawSubscriber) -> list[Received]:
    received: list[Received] = []
    while not received or received[-1].type != "agent_registered":
        received.append(await subscriber.envelope())
    return received[:-1]


async def _opened(subscriber: RawSubscriber) -> None:
    assert [(await subscriber.envelope()).type for _ in range(2)] == ["hello", "state"]


@pytest.mark.parametrize("name", _BOARD_EXITS)
async def test_patch_of_fields_and_place_makes_one_state(name: str, boards: LiveServer) -> None:
    async with deadline(_WAIT_UNITS), connect(boards.address) as connection:
        subscriber = await open_exit(name, connection)
        await _patch(boards)
        kind, payload = await subscriber.event()
        cards: Any = payload.get("state", payload)["cards"]
        titles = [card["title"] for card in (cards.values() if isinstance(cards, dict) else cards)]
        assert (kind, "Otherwise" in titles) == ("state", True)
        assert (await subscriber.event())[0] == "agent_registered"


@pytest.mark.parametrize("exit", RAW_EXITS)
async def test_patch_of_fields_and_place_makes_an_envelope_per_change(exit: str, boards: LiveServer) -> None:
    async with deadline(_WAIT_UNITS), AsyncExitStack() as stack:
        subscribers = {
            delivery: await stack.enter_async_context(open_board(boards.address, exit, delivery=delivery))
            for delivery in ("state", "changes", "patch")
        }
        for subscriber in subscribers.values():
            await _opened(subscriber)
        await _patch(boards)
        received = {delivery: await _until_end(subscriber) for delivery, subscriber in subscribers.items()}
        assert [one.type for one in received["changes"]] == ["card_updated", "card_moved"]
        assert [one.type for one in received["patch"]] == ["patch", "patch"]
        (state,) = received["state"]
        # The state represents the whole unit: its cursor is that of the last event.
        assert state.cursor == received["changes"][-1].cursor == received["patch"][-1].cursor


@pytest.mark.parametrize("exit", RAW_EXITS)
async def test_subscriber_that_comes_back_from_within_a_unit_gets_its_one_state(exit: str, boards: LiveServer) -> None:
    async with deadline(_WAIT_UNITS):
        async with open_board(boards.address, exit, delivery="changes") as subscriber:
            await _opened(subscriber)
            await _patch(boards)
            updated, moved = await _until_end(subscriber)
        assert updated.cursor is not None
        async with open_board(boards.address, exit, after=updated.cursor) as subscriber:
            assert (await subscriber.envelope()).type == "hello"
            (state,) = await _until_end(subscriber)
        assert (state.type, state.cursor) == ("state", moved.cursor)
        assert state.payload["cards"]["free"]["title"] == "Otherwise"
        assert state.payload["columns"][DOING]["cardIds"] == ["free"]


async def test_subscriber_that_reconnects_gets_the_same_as_one_that_stayed(boards: LiveServer) -> None:
    async with deadline(_WAIT_UNITS):
        async with open_board(boards.address, "board-ws") as subscriber:
            hello = await subscriber.envelope()
            state = await subscriber.envelope()
            await _patch(boards)
            live = await _until_end(subscriber)
        assert hello.type == "hello"
        assert state.cursor is not None
        async with open_board(boards.address, "board-ws", after=state.cursor) as subscriber:
            assert (await subscriber.envelope()).type == "hello"
            assert await _until_end(subscriber) == live


async def test_event_with_consequences_makes_one_state(boards: LiveServer) -> None:
    attempt = {"attemptId": "a1", "boardId": BOARD, "cardId": "free", "agent": "A"}
    pr = {"number": 1, "url": "https://example.org/1", "state": "open", "draft": False}
    happening: list[tuple[str, dict[str, Any], list[str]]] = [
        ("attempt.started", attempt, ["attempt_started", "state"]),
        ("attempt.completed", {**attempt, "status": "succeeded"}, []),
        ("github.pr.created", {"projectId": BOARD, "attemptId": "a1", "pr": pr}, ["attempt_pr", "state"]),
    ]
    async with deadline(_WAIT_UNITS), open_board(boards.address, "board-ws") as subscriber:
        await _opened(subscriber)
        publisher = Publisher(boards.address)
        for name, payload, expected in happening:
            await publisher.publish(event(name, payload))
            await publisher.mark("end")
            assert [one.type for one in await _until_end(subscriber)] == expected, name


_MUTATION = """mutation ($board: ID!, $update: UpdateCardInput!, $move: MoveCardInput!) {
  update: updateCard(boardId: $board, input: $update) { __typename }
  move: moveCard(boardId: $board, input: $move) { __typename }
}"""


@pytest.mark.parametrize("name", _BOARD_EXITS)
async def test_mutation_of_several_commands_makes_one_state(name: str, boards: LiveServer) -> None:
    update, move = {"cardId": "free", "title": "Otherwise"}, {"cardId": "free", "toColumnId": DOING, "toIndex": 0}
    body = {"query": _MUTATION, "variables": {"board": BOARD, "update": update, "move": move}}
    async with deadline(_WAIT_UNITS), connect(boards.address) as connection:
        subscriber = await open_exit(name, connection)
        answer = await exchange(boards.address, "POST", "/graphql", orjson.dumps(body))
        assert orjson.loads(answer.body)["data"] == {
            "update": {"__typename": "UpdateCardPayload"},
            "move": {"__typename": "MoveCardPayload"},
        }
        await Publisher(boards.address).mark("end")
        assert [(await subscriber.event())[0] for _ in range(2)] == ["state", "agent_registered"]


async def test_events_of_one_batch_make_a_state_each(boards: LiveServer) -> None:
    started = {"attemptId": "a1", "boardId": BOARD, "cardId": "free", "agent": "A"}
    async with deadline(_WAIT_UNITS), open_board(boards.address, "board-ws") as subscriber:
        await _opened(subscriber)
        publisher = Publisher(boards.address)
        await publisher.publish(
            event("attempt.started", started),
            event("attempt.started", {**started, "attemptId": "a2", "cardId": "waiting"}),
        )
        await publisher.mark("end")
        received = [one.type for one in await _until_end(subscriber)]
        assert received == ["attempt_started", "state", "attempt_started", "state"]
