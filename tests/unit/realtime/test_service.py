"""The service asks the policy before each operation; a refused caller gets the answers of a board that is not there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from contextlib import aclosing
from typing import Any

import pytest

from realtime.dashboard.time_range import DEFAULT_TIME_RANGE
from realtime.errors import InvalidInput, NotFound, Refused
from realtime.kanban.attempts import QueueAttempt
from realtime.kanban.board import Board
from realtime.kanban.commands import CreateCard
from realtime.kanban.ids import AttemptId, BoardId, CardId
from realtime.kanban.incoming import parse_incoming
from realtime.kanban.projects import CreateProject, UpdateProject
from realtime.messages.options import StreamOptions
from realtime.node import Node
from realtime.service import Action, Caller, Service
from tests.kit.deadline import deadline
from tests.kit.envelope_streams import board_stream
from tests.kit.nodes import BOARD, TESTER, column_id, create_board, publish
from tests.kit.publishing import event

OTHER, NOWHERE = BoardId("p2"), BoardId("nowhere")
CARD, ATTEMPT = CardId("k1"), AttemptId("a1")


class Without:
    """A policy that refuses one board, or everything that is of no board, and notes its questions."""

    def __init__(self, hidden: BoardId | None) -> None:
        self.hidden = hidden
        self.asked: list[tuple[Caller, Action, BoardId | None]] = []

    def allows(self, caller: Caller, action: Action, board_id: BoardId | None) -> bool:
        """Refuse the hidden board."""
        self.asked.append((caller, action, board_id))
        return board_id != self.hidden

    def scope(self, caller: Caller) -> Hashable:
        """Return the client: nobody shares."""
        return caller.client


@pytest.fixture
async def full(node: Node, board: Board) -> Node:
    """The node with a card and an attempt with log, conversation and todos on the board, and another board."""
    await create_board(node, OTHER)
    await node.bus.execute(BOARD, CreateCard(column_id=column_id(board.state, "Backlog"), title="t", card_id=CARD))
    of = {"boardId": BOARD, "attemptId": ATTEMPT}
    await publish(
        node,
        event("attempt.queued", {**of, "cardId": CARD, "agent": "A"}),
        event("attempt.log.appended", {**of, "level": "info", "message": "m"}),
        event("agent.registered", {"agent": "A"}),
    )
    return node


async def _first(service: Service, board_id: BoardId) -> Any:
    queue = service.streams.subscriber(service.metrics("board-ws"))
    async with deadline(5), aclosing(service.streams.board(TESTER, board_id, queue, StreamOptions())) as stream:
        return [envelope.type for envelope in await anext(stream)]


async def _first_of_dashboard(service: Service, _: BoardId) -> Any:
    queue, options = service.streams.subscriber(service.metrics("dashboard-ws")), StreamOptions()
    stream = service.streams.dashboard(TESTER, DEFAULT_TIME_RANGE, queue, options)
    async with deadline(5), aclosing(stream):
        return [envelope.type for envelope in await anext(stream)]


Ask = Callable[[Service, BoardId], Awaitable[Any]]
#: Each request about a board, of which an unknown board gets nothing.
OF_BOARD: dict[str, Ask] = {
    "boards.stored": lambda s, b: s.boards.stored(TESTER, b),
    "boards.current": lambda s, b: s.boards.current(TESTER, b),
    "boards.by_id": lambda s, b: s.boards.by_id(TESTER, [b]),
    "boards.cards_by_key": lambda s, b: s.boards.cards_by_key(TESTER, [(b, CARD)]),
    "boards.execute": lambda s, b: s.boards.execute(TESTER, b, CreateCard(column_id="c", title="t")),
    "boards.execute_each": lambda s, b: s.boards.execute_each(TESTER, b, [CreateCard(column_id="c", title="t")]),
    "projects.find": lambda s, b: s.projects.find(TESTER, b),
    "projects.get": lambda s, b: s.projects.get(TESTER, b),
    "projects.by_id": lambda s, b: s.projects.by_id(TESTER, [b]),
    "projects.update": lambda s, b: s.projects.update(TESTER, b, UpdateProject(name="Beta")),
    "projects.delete": lambda s, b: s.projects.delete(TESTER, b),
    "attempts.find": lambda s, b: s.attempts.find(TESTER, ATTEMPT, b),
    "attempts.of_board": lambda s, b: s.attempts.of_board(TESTER, b),
    "attempts.logs": lambda s, b: s.attempts.logs(TESTER, ATTEMPT, b, 0, 10),
    "attempts.by_key": lambda s, b: s.attempts.by_key(TESTER, [(b, ATTEMPT)]),
    "attempts.of_cards": lambda s, b: s.attempts.of_cards(TESTER, [(b, CARD)]),
    "attempts.log_pages": lambda s, b: s.attempts.log_pages(TESTER, [(b, ATTEMPT)], 0, 10),
    "attempts.conversation_pages": lambda s, b: s.attempts.conversation_pages(TESTER, [(b, ATTEMPT)], 0, 10),
    "attempts.todos_by_key": lambda s, b: s.attempts.todos_by_key(TESTER, [(b, ATTEMPT)]),
    "attempts.queue": lambda s, b: s.attempts.queue(TESTER, b, QueueAttempt(card_id=CARD, agent="A")),
    "events.page": lambda s, b: s.events.page(TESTER, b, None, 10),
    "streams.board": _first,
    "streams.state": lambda s, b: s.streams.state(TESTER, b),
}


async def _outcome(answer: Awaitable[Any]) -> Any:
    try:
        found = await answer
    except Refused as refused:
        return type(refused), refused.message, refused.code
    # Of a page its entries: what else a store says of an empty one is the same.
    return list(found.entries) if hasattr(found, "entries") else found


@pytest.mark.parametrize("name", OF_BOARD)
async def test_board_that_is_refused_is_like_one_that_is_not_there(name: str, full: Node) -> None:
    policy = Without(BOARD)
    service = Service(full, policy)
    async with aclosing(board_stream(full, BOARD)) as watched:
        await anext(watched)
        refused = await _outcome(OF_BOARD[name](service, BOARD))
    assert refused == await _outcome(OF_BOARD[name](service, NOWHERE))
    assert {(caller, board_id) for caller, _, board_id in policy.asked} == {(TESTER, BOARD), (TESTER, NOWHERE)}
    assert await full.store.project(BOARD) is not None


async def test_attempt_of_a_refused_board_is_not_to_be_had_by_its_id(full: Node) -> None:
    attempt = await Service(full).attempts.find(TESTER, ATTEMPT)
    assert attempt is not None
    service = Service(full, Without(BOARD))
    assert await service.attempts.find(TESTER, ATTEMPT) is None
    assert list((await service.attempts.logs(TESTER, ATTEMPT, None, 0, 10)).entries) == []
    assert list((await service.attempts.conversation(TESTER, attempt, 0, 10)).entries) == []
    assert await service.attempts.todos(TESTER, attempt) is None
    with pytest.raises(NotFound, match="Board not found"):
        await service.attempts.stop(TESTER, attempt)


async def test_board_that_is_refused_is_in_no_list(full: Node) -> None:
    service = Service(full, Without(BOARD))
    assert [one.id for one in await service.projects.all(TESTER)] == [OTHER]
    assert await service.boards.boards_of_card(TESTER, CARD) == {}
    assert set(await service.boards.by_id(TESTER, [BOARD, OTHER])) == {OTHER}


async def test_events_of_a_refused_board_are_those_of_one_that_is_not_there(full: Node) -> None:
    service = Service(full, Without(BOARD))
    batch = parse_incoming([event("git.status.changed", {"projectId": one}) for one in (OTHER, BOARD, NOWHERE)])
    with pytest.raises(InvalidInput) as refused:
        await service.events.ingest(TESTER, batch)
    assert [str(one) for one in refused.value.fields] == [
        f"{index}.payload.projectId: expected the id of a board, got '{one}'"
        for index, one in ((1, BOARD), (2, NOWHERE))
    ]


async def test_caller_without_the_dashboard_gets_none_of_it(full: Node) -> None:
    service = Service(full, Without(None))
    assert await service.dashboard.agents(TESTER) == ([], [])
    made = CreateProject(name="Alpha", repository_path="/srv/alpha")
    for refused in (
        service.dashboard.overview(TESTER, DEFAULT_TIME_RANGE),
        _first_of_dashboard(service, BOARD),
        service.projects.create(TESTER, made),
    ):
        with pytest.raises(NotFound):
            await refused
    with pytest.raises(InvalidInput, match="expected the id of a board"):
        await service.events.ingest(TESTER, parse_incoming(event("agent.registered", {"agent": "B"})))
    assert len(await full.store.projects()) == 2


async def test_callers_of_different_scope_share_no_results(full: Node) -> None:
    apart, alike = Service(full, Without(BOARD)), Service(full)
    other = Caller("192.0.2.1")
    assert apart.sharing_key(TESTER) != apart.sharing_key(other)
    assert alike.sharing_key(TESTER) == alike.sharing_key(other)
