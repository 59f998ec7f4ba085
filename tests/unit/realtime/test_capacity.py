"""Limits of stored data: counted within the unit of writing, on every transport. Oversized objects may shrink."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from realtime.backends.memory import MemoryBroker
from realtime.errors import Refused
from realtime.kanban.capacity import state_bytes
from realtime.kanban.commands import CreateCard, DeleteCard, MoveCard, UpdateCard
from realtime.kanban.ids import BoardId
from realtime.kanban.incoming import parse_incoming
from realtime.kanban.models import BoardState, TicketType
from realtime.kanban.wire.board_wire import state_json
from realtime.limits import Capacity, LimitReached
from realtime.node import Limits, Node, make_node
from tests.kit.nodes import BOARD, SteppingClock, create_board, open_store
from tests.kit.publishing import event

_CAPACITY = Capacity(boards=2, agents=3, profiles=2, cards_per_board=3, board_bytes=20_000)


@pytest.fixture
async def small() -> AsyncIterator[Node]:
    """Run a node with small limits, and a board in it."""
    clock = SteppingClock()
    async with open_store() as store:
        node = await make_node(store, MemoryBroker(), clock, Limits(capacity=_CAPACITY))
        await create_board(node)
        yield node
        await node.bus.aclose()


async def _state(node: Node) -> BoardState:
    found = await node.store.board(BOARD)
    assert found is not None
    return found.board.state


async def _create(node: Node, **fields: Any) -> str:
    column = next(iter((await _state(node)).columns))
    command = CreateCard(**{"column_id": column, "title": "t", **fields})
    await node.bus.execute(BOARD, command)
    return command.card_id


async def _publish(node: Node, *events: dict[str, Any]) -> None:
    await node.bus.ingest(parse_incoming(list(events)))


async def _refused(node: Node, *events: dict[str, Any]) -> LimitReached:
    before = await _state(node), await node.store.projects(), await node.store.agents()
    with pytest.raises(LimitReached) as refused:
        await _publish(node, *events)
    assert (await _state(node), await node.store.projects(), await node.store.agents()) == before
    return refused.value


@pytest.mark.parametrize("is_watched", [True, False])
async def test_board_has_no_more_cards_than_it_may(is_watched: bool, small: Node) -> None:
    async def fill() -> None:
        cards = [await _create(small) for _ in range(3)]
        with pytest.raises(LimitReached, match="at most 3 cards"):
            await _create(small)
        await small.bus.execute(BOARD, DeleteCard(card_id=cards[0]))
        await _create(small)
        assert len((await _state(small)).cards) == 3

    if is_watched:
        async with small.views.watch(BOARD):
            await fill()
    else:
        await fill()


async def test_two_at_once_do_not_both_pass(small: Node) -> None:
    answers = await asyncio.gather(*(_create(small) for _ in range(10)), return_exceptions=True)
    assert sum(isinstance(one, str) for one in answers) == 3
    assert all(isinstance(one, str | LimitReached) for one in answers)


async def test_board_has_no_more_bytes_than_it_may_and_may_lose_some(small: Node) -> None:
    card = await _create(small, description="d" * 15_000)
    with pytest.raises(LimitReached, match="at most 20000 bytes"):
        await _create(small, description="d" * 6_000)
    with pytest.raises(LimitReached):
        await small.bus.execute(BOARD, UpdateCard(card_id=card, description="\x01" * 5_000))  # six bytes each
    await small.bus.execute(BOARD, UpdateCard(card_id=card, description="short"))
    await _create(small, description="d" * 15_000)
    column = list((await _state(small)).columns)[1]
    await small.bus.execute(BOARD, MoveCard(card_id=card, to_column_id=column, to_index=0))


def _replaced(cards: int, description: str = "") -> dict[str, Any]:
    ids = [f"c{n}" for n in range(cards)]
    column = {"id": "x", "title": "X", "cardIds": ids}
    state = {
        "columns": {"x": column},
        "columnOrder": ["x"],
        "cards": {id: {"id": id, "title": "t", "description": description} for id in ids},
    }
    return event("board.state.changed", {"boardId": BOARD, "state": state})


async def test_state_from_outside_may_not_be_larger(small: Node) -> None:
    agent = event("agent.registered", {"agent": "A"})
    for wrong in (_replaced(4), _replaced(2, "d" * 15_000)):
        refused = await _refused(small, agent, wrong)
        assert [field.field for field in refused.fields] == ["1.payload"]
    await _publish(small, _replaced(3))


async def test_board_that_is_too_large_already_may_become_smaller(small: Node) -> None:
    await _publish(small, _replaced(3))
    tight = replace(small.limits, capacity=replace(_CAPACITY, cards_per_board=1, board_bytes=100))
    node = await make_node(small.store, MemoryBroker(), small.clock, tight)
    with pytest.raises(LimitReached):
        await _create(node)
    with pytest.raises(LimitReached):
        await node.bus.execute(BOARD, UpdateCard(card_id="c0", title="longer"))
    await node.bus.execute(BOARD, UpdateCard(card_id="c0", description=None))
    await node.bus.execute(BOARD, DeleteCard(card_id="c0"))
    await _publish(node, _replaced(2))
    await node.bus.aclose()


def _project(id: str) -> dict[str, Any]:
    return event("project.created", {"projectId": id, "name": "n", "repositoryPath": "/r"})


async def test_boards_are_bounded_and_one_that_goes_makes_room(small: Node) -> None:
    await _publish(small, _project("p2"), _project("p2"), _project(BOARD))
    refused = await _refused(small, _project("p2"), _project("p3"))
    assert "at most 2 boards" in refused.message
    assert [field.field for field in refused.fields] == ["1.payload"]
    await _publish(small, event("project.deleted", {"projectId": "p2"}), _project("p3"))
    assert await small.store.project(BoardId("p3")) is not None


async def test_agents_are_bounded_and_known_ones_may_come_again(small: Node) -> None:
    known = len((await small.store.agents())[0])
    names = [f"A{n}" for n in range(3 - known)]
    await _publish(small, *(event("agent.registered", {"agent": name}) for name in [*names, *names]))
    refused = await _refused(small, event("agent.registered", {"agent": "ONE MORE"}))
    assert "at most 3 agents" in refused.message
    await _publish(small, event("agent.registered", {"agent": names[0], "label": "again"}))


def _profile(id: str, kind: str) -> dict[str, Any]:
    return event("agent.profile.changed", {"profileId": id, "agent": "A", "kind": kind})


async def test_profiles_are_bounded_and_one_that_goes_makes_room(small: Node) -> None:
    await _publish(small, _profile("1", "created"), _profile("2", "created"), _profile("1", "updated"))
    assert "at most 2 profiles" in (await _refused(small, _profile("3", "created"))).message
    await _publish(small, _profile("1", "deleted"), _profile("3", "created"))


async def test_size_of_a_state_follows_its_changes(small: Node) -> None:
    async with small.views.watch(BOARD) as view:
        first = await _create(small, title="ü" * 100, description="a\nb\x00" * 50)
        second = await _create(small, depends_on=(first,))
        assert abs(state_bytes(view.board.state) - len(state_json(view.board.state))) < 300
        for command in (
            UpdateCard(card_id=first, title="x", description=None),
            UpdateCard(card_id=second, ticket_type=TicketType.FIX),
            DeleteCard(card_id=first),
        ):
            await small.bus.execute(BOARD, command)
            fresh = BoardState(view.board.state.columns, dict(view.board.state.cards))
            assert state_bytes(view.board.state) == state_bytes(fresh)


def test_refusal_has_one_code() -> None:
    assert issubclass(LimitReached, Refused)
    assert LimitReached("full").code == "rate_limited"
