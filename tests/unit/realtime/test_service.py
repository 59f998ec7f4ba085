"""The service checks the grants of its caller; without them, it answers as if the board did not exist."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from contextlib import aclosing
from typing import Any

import pytest

from realtime.dashboard.time_range import DEFAULT_TIME_RANGE
from realtime.errors import Forbidden, InvalidInput, NotFound, Refused
from realtime.global_ids import tag_of
from realtime.kanban.attempts import QueueAttempt
from realtime.kanban.board import Board
from realtime.kanban.commands import CreateCard
from realtime.kanban.ids import AttemptId, BoardId, CardId
from realtime.kanban.incoming import parse_incoming
from realtime.kanban.projects import CreateProject, UpdateProject
from realtime.lifetimes.credentials import Credential
from realtime.messages.options import StreamOptions
from realtime.node import Node
from realtime.service import Action, Caller, CreateToken, Grants, Service
from tests.kit.deadline import deadline
from tests.kit.envelope_streams import board_stream
from tests.kit.nodes import BOARD, TESTER, column_id, create_board, publish
from tests.kit.publishing import event

OTHER, NOWHERE = BoardId("p2"), BoardId("nowhere")
CARD, ATTEMPT = CardId("k1"), AttemptId("a1")


def limited(*actions: Action, boards: Collection[BoardId] = (OTHER,)) -> Caller:
    """Return a caller with grants for some boards: for all actions, unless some are named."""
    return Caller("192.0.2.7", grants=Grants(frozenset(actions or Action), frozenset(boards)))


STRANGER = limited()


@pytest.fixture
async def full(node: Node, board: Board) -> Node:
    """The node with a card and an attempt with log, conversation and todos on the board, and another board."""
    await create_board(node, OTHER)
    await node.bus.execute(BOARD, CreateCard(column_id=column_id(board.state, "Backlog"), title="t", id=CARD))
    of = {"boardId": BOARD, "attemptId": ATTEMPT}
    await publish(
        node,
        event("attempt.queued", {**of, "cardId": CARD, "agent": "A"}),
        event("attempt.log.appended", {**of, "level": "info", "message": "m"}),
        event("agent.registered", {"agent": "A"}),
    )
    return node


async def _first(service: Service, caller: Caller, board_id: BoardId) -> Any:
    queue = service.streams.subscriber(service.metrics("board-ws"))
    async with deadline(5), aclosing(service.streams.board(caller, board_id, queue, StreamOptions())) as stream:
        return [envelope.type for envelope in await anext(stream)]


async def _first_of_dashboard(service: Service, caller: Caller) -> Any:
    queue, options = service.streams.subscriber(service.metrics("dashboard-ws")), StreamOptions()
    stream = service.streams.dashboard(caller, DEFAULT_TIME_RANGE, queue, options)
    async with deadline(5), aclosing(stream):
        return [envelope.type for envelope in await anext(stream)]


Ask = Callable[[Service, Caller, BoardId], Awaitable[Any]]
#: Each request about a board, of which an unknown board gets nothing.
OF_BOARD: dict[str, Ask] = {
    "boards.stored": lambda s, c, b: s.boards.stored(c, b),
    "boards.current": lambda s, c, b: s.boards.current(c, b),
    "boards.by_id": lambda s, c, b: s.boards.by_id(c, [b]),
    "boards.by_tag": lambda s, c, b: s.boards.by_tag(c, [tag_of(b)]),
    "boards.cards_by_key": lambda s, c, b: s.boards.cards_by_key(c, [(b, CARD)]),
    "boards.execute": lambda s, c, b: s.boards.execute(c, b, CreateCard(column_id="c", title="t")),
    "boards.execute_each": lambda s, c, b: s.boards.execute_each(c, b, [(CreateCard(column_id="c", title="t"), None)]),
    "projects.find": lambda s, c, b: s.projects.find(c, b),
    "projects.get": lambda s, c, b: s.projects.get(c, b),
    "projects.by_id": lambda s, c, b: s.projects.by_id(c, [b]),
    "projects.update": lambda s, c, b: s.projects.update(c, b, UpdateProject(name="Beta")),
    "projects.delete": lambda s, c, b: s.projects.delete(c, b),
    "attempts.find": lambda s, c, b: s.attempts.find(c, ATTEMPT, b),
    "attempts.of_board": lambda s, c, b: s.attempts.of_board(c, b),
    "attempts.logs": lambda s, c, b: s.attempts.logs(c, ATTEMPT, b, 0, 10),
    "attempts.by_key": lambda s, c, b: s.attempts.by_key(c, [(b, ATTEMPT)]),
    "attempts.of_cards": lambda s, c, b: s.attempts.of_cards(c, [(b, CARD)]),
    "attempts.log_pages": lambda s, c, b: s.attempts.log_pages(c, [(b, ATTEMPT)], 0, 10),
    "attempts.conversation_pages": lambda s, c, b: s.attempts.conversation_pages(c, [(b, ATTEMPT)], 0, 10),
    "attempts.todos_by_key": lambda s, c, b: s.attempts.todos_by_key(c, [(b, ATTEMPT)]),
    "attempts.queue": lambda s, c, b: s.attempts.queue(c, b, QueueAttempt(card_id=CARD, agent="A")),
    "events.page": lambda s, c, b: s.events.page(c, b, None, 10),
    "streams.board": _first,
    "streams.state": lambda s, c, b: s.streams.state(c, b),
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
    service = Service(full)
    async with aclosing(board_stream(full, BOARD)) as watched:
        await anext(watched)
        refused = await _outcome(OF_BOARD[name](service, STRANGER, BOARD))
    assert refused == await _outcome(OF_BOARD[name](service, STRANGER, NOWHERE))
    assert await full.store.project(BOARD) is not None


async def test_attempt_of_a_refused_board_is_not_to_be_had_by_its_id(full: Node) -> None:
    attempt = await Service(full).attempts.find(TESTER, ATTEMPT)
    assert attempt is not None
    service = Service(full)
    assert await service.attempts.find(STRANGER, ATTEMPT) is None
    assert list((await service.attempts.logs(STRANGER, ATTEMPT, None, 0, 10)).entries) == []
    assert list((await service.attempts.conversation(STRANGER, attempt, 0, 10)).entries) == []
    assert await service.attempts.todos(STRANGER, attempt) is None
    with pytest.raises(NotFound, match="Board not found"):
        await service.attempts.stop(STRANGER, attempt)


async def test_board_that_is_refused_is_in_no_list(full: Node) -> None:
    service = Service(full)
    assert [one.id for one in await service.projects.all(STRANGER)] == [OTHER]
    assert await service.boards.boards_of_card(STRANGER, CARD) == {}
    assert set(await service.boards.by_id(STRANGER, [BOARD, OTHER])) == {OTHER}


async def test_events_of_a_refused_board_are_those_of_one_that_is_not_there(full: Node) -> None:
    service = Service(full)
    batch = parse_incoming([event("git.status.changed", {"projectId": one}) for one in (OTHER, BOARD, NOWHERE)])
    with pytest.raises(InvalidInput) as refused:
        await service.events.ingest(STRANGER, batch)
    assert [str(one) for one in refused.value.fields] == [
        f"{index}.payload.projectId: expected the id of a board, got '{one}'"
        for index, one in ((1, BOARD), (2, NOWHERE))
    ]


async def test_caller_without_the_dashboard_gets_none_of_it(full: Node) -> None:
    service = Service(full)
    assert await service.dashboard.agents(STRANGER) == ([], [])
    made = CreateProject(name="Alpha", repository_path="/srv/alpha")
    for refused in (
        service.dashboard.overview(STRANGER, DEFAULT_TIME_RANGE),
        _first_of_dashboard(service, STRANGER),
        service.projects.create(STRANGER, made),
    ):
        with pytest.raises(Forbidden, match="on all boards"):
            await refused
    with pytest.raises(Forbidden, match="expected a token with the grant publish on all boards"):
        await service.events.ingest(STRANGER, parse_incoming(event("agent.registered", {"agent": "B"})))
    assert len(await full.store.projects()) == 2


async def test_callers_share_results_with_equal_grants_only(full: Node) -> None:
    service = Service(full)
    alike = Caller("192.0.2.8", grants=Grants(frozenset(Action), frozenset({OTHER})))
    assert service.sharing_key(STRANGER) == service.sharing_key(alike)
    others = (TESTER, limited(Action.READ), limited(boards=(OTHER, BOARD)))
    assert len({service.sharing_key(one) for one in (STRANGER, *others)}) == 4


@pytest.mark.parametrize("name", ["boards.execute", "boards.execute_each", "attempts.queue", "projects.update"])
async def test_caller_that_may_only_read_is_told_so(name: str, full: Node) -> None:
    reader = limited(Action.READ, boards=(BOARD,))
    kind, message, code = await _outcome(OF_BOARD[name](Service(full), reader, BOARD))
    assert (kind, code) == (Forbidden, "forbidden")
    assert message in {
        f"expected a token with the grant {grant} on this board, got one without it" for grant in ("write", "admin")
    }


async def test_grant_to_write_alone_reveals_no_board(full: Node) -> None:
    writer = limited(Action.WRITE, boards=(BOARD,))
    assert (await _outcome(OF_BOARD["boards.execute"](Service(full), writer, BOARD)))[0] is NotFound


async def test_publisher_needs_not_read(full: Node) -> None:
    publisher, reader = limited(Action.PUBLISH, boards=(BOARD,)), limited(Action.READ, boards=(BOARD,))
    service, batch = Service(full), parse_incoming([event("git.status.changed", {"projectId": BOARD})])
    assert len(await service.events.ingest(publisher, batch)) == 1
    assert await service.boards.stored(publisher, BOARD) is None
    with pytest.raises(Forbidden, match="the grant publish on this board"):
        await service.events.ingest(reader, batch)


@pytest.mark.parametrize(
    "change",
    [
        lambda service, caller: service.boards.execute(caller, BOARD, CreateCard(column_id="c", title="t")),
        lambda service, caller: service.projects.create(caller, CreateProject(name="P", repository_path="/p")),
        lambda service, caller: service.projects.delete(caller, BOARD),
        lambda service, caller: service.attempts.queue(caller, BOARD, QueueAttempt(card_id=CARD, agent="A")),
        lambda service, caller: service.events.ingest(
            caller, parse_incoming(event("git.status.changed", {"projectId": BOARD}))
        ),
        lambda service, caller: service.tokens.create(caller, CreateToken(name="x", boards=["*"], can=[Action.READ])),
        lambda service, caller: service.tokens.revoke(caller, "tok-unknown"),
    ],
    ids=["command", "new-project", "project", "attempt", "event", "new-token", "token"],
)
async def test_ended_token_changes_nothing_and_reads_until_its_connection_ends(
    change: Callable[[Service, Caller], Awaitable[Any]], full: Node
) -> None:
    service = Service(full)
    caller = Caller("user", credential=Credential.revocable(None))
    assert caller.credential is not None
    await full.lifetimes.revoke(caller.credential)
    with pytest.raises(Forbidden, match="has expired or was revoked"):
        await change(service, caller)
    assert await service.boards.stored(caller, BOARD) is not None
