"""Requests with an idempotency key: a repeated one changes nothing and has the first answer, whenever it comes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from realtime.errors import InvalidInput, KeyReused, NotFound, StoreUnavailable
from realtime.kanban.attempts import QueueAttempt
from realtime.kanban.board import Board
from realtime.kanban.commands import Command, CreateCard, DeleteCard, MoveCard, UpdateCard
from realtime.kanban.ids import BoardId
from realtime.kanban.projects import CreateProject, UpdateProject
from realtime.messages.channels import board_channel
from realtime.node import Node
from realtime.ports import FirstAnswer, Horizon, RequestKey, StoredEvent
from realtime.service import Caller, Executed, Service
from realtime.writing.repeats import first_answer
from tests.kit.nodes import BOARD, TESTER, GatedBroker, column_id, create_board, incoming, open_node, open_store
from tests.kit.nodes import publish as publish_now
from tests.kit.publishing import event

ONE, TWO = Caller("10.0.0.1", "token one"), Caller("10.0.0.1", "token two")
OF_BOARD = board_channel(BOARD)
LINE = {"attemptId": "a1", "boardId": BOARD, "level": "info", "message": "m"}


def create(board: Board, title: str = "card") -> CreateCard:
    return CreateCard(column_id=column_id(board.state, "Backlog"), title=title)


async def execute(
    service: Service, *commands: Command, key: str | None = "k", caller: Caller = ONE, board_id: BoardId = BOARD
) -> Executed:
    return await service.boards.execute(caller, board_id, *commands, key=key)


async def offset(node: Node) -> int:
    return await node.store.offset(OF_BOARD)


def facts(executed: Executed) -> tuple[Any, ...]:
    return executed.board.state, executed.position, executed.recorded


async def test_repeated_command_has_the_first_answer_and_changes_nothing(
    service: Service, node: Node, board: Board
) -> None:
    first = await execute(service, create(board))
    head = await offset(node)
    again = await execute(service, create(board))
    assert facts(again) == facts(first)
    assert (first.is_repeated, again.is_repeated) == (False, True)
    assert again.created_card == first.created_card
    assert await offset(node) == head


async def test_answer_is_that_of_then_whatever_happened_since(service: Service, node: Node, board: Board) -> None:
    first = await execute(service, create(board))
    card_id = first.created_card
    await execute(service, UpdateCard(card_id=card_id, title="new"), key="k2")
    await execute(service, DeleteCard(card_id=card_id), key="k3")
    assert facts(await execute(service, create(board))) == facts(first)
    assert (await execute(service, DeleteCard(card_id=card_id), key="k3")).board.state.cards == {}


async def test_command_that_changed_nothing_is_remembered(service: Service, node: Node, board: Board) -> None:
    card_id = (await execute(service, create(board, "same"), key=None)).created_card
    rename = UpdateCard(card_id=card_id, title="same")
    first = await execute(service, rename)
    await execute(service, UpdateCard(card_id=card_id, title="other"), key=None)
    assert facts(await execute(service, rename)) == facts(first)
    stored = await node.store.board(BOARD)
    assert stored is not None
    assert stored.board.state.cards[card_id].title == "other"


async def test_several_commands_under_one_key_are_one_request(service: Service, board: Board) -> None:
    card_id = (await execute(service, create(board), key=None)).created_card
    move = MoveCard(card_id=card_id, to_column_id=column_id(board.state, "Review"), to_index=0)
    rename = UpdateCard(card_id=card_id, title="new")
    first = await execute(service, rename, move)
    assert facts(await execute(service, rename, move)) == facts(first)
    for other in ((rename,), (move, rename), (rename, move, move)):
        with pytest.raises(KeyReused):
            await execute(service, *other)


@pytest.mark.parametrize(
    "other",
    [
        lambda column: CreateCard(column_id=column, title="other"),
        lambda column: CreateCard(column_id=column, title="card", description="d"),
        lambda column: CreateCard(column_id=column, title="card", id="chosen"),
        lambda _: UpdateCard(card_id="card", title="card"),
        lambda _: DeleteCard(card_id="card"),
    ],
)
async def test_another_request_under_the_key_is_refused(service: Service, node: Node, board: Board, other: Any) -> None:
    await execute(service, create(board))
    head = await offset(node)
    with pytest.raises(KeyReused) as refused:
        await execute(service, other(column_id(board.state, "Backlog")))
    assert refused.value.code == "idempotency_key_reused"
    assert "'k'" in refused.value.message
    assert await offset(node) == head


async def test_field_that_is_absent_is_another_request_than_null(service: Service, board: Board) -> None:
    card_id = (await execute(service, create(board), key=None)).created_card
    await execute(service, UpdateCard(card_id=card_id, title="t"))
    with pytest.raises(KeyReused):
        await execute(service, UpdateCard(card_id=card_id, title="t", description=None))
    await execute(service, CreateCard(column_id=column_id(board.state, "Done"), title="t"), key="k2")
    again = CreateCard(column_id=column_id(board.state, "Done"), title="t", description=None, depends_on=())
    assert (await execute(service, again, key="k2")).is_repeated


async def test_key_belongs_to_its_subject_and_its_board(service: Service, node: Node, board: Board) -> None:
    other = await create_board(node, "p2")
    made = [
        await execute(service, create(board)),
        await execute(service, create(board), caller=TWO),
        await execute(service, create(board), caller=TESTER),
        await execute(service, create(other), board_id=BoardId("p2")),
    ]
    assert len({one.created_card for one in made}) == 4
    anonymous = await execute(service, create(board), caller=Caller("192.0.2.1"))
    assert anonymous.created_card == made[2].created_card


async def test_refusal_is_not_kept(service: Service, board: Board) -> None:
    with pytest.raises(NotFound):
        await execute(service, DeleteCard(card_id="unknown"))
    assert not (await execute(service, create(board))).is_repeated


async def test_two_equal_requests_at_once_happen_once(service: Service, node: Node, board: Board) -> None:
    made = await asyncio.gather(*(execute(service, create(board)) for _ in range(5)))
    assert len({one.created_card for one in made}) == 1
    assert [one.is_repeated for one in made] == [False, True, True, True, True]
    assert await offset(node) == 3


async def test_equal_requests_of_one_unit_happen_once(service: Service, node: Node, board: Board) -> None:
    asked: list[tuple[Command, str | None]] = [(create(board), "k"), (create(board), "k"), (create(board, "x"), "k")]
    one, same, other = await service.boards.execute_each(ONE, BOARD, asked)
    assert isinstance(one, Executed)
    assert isinstance(same, Executed)
    assert facts(same) == facts(one)
    assert isinstance(other, KeyReused)
    assert await offset(node) == 3


async def test_repeated_and_new_requests_of_one_unit(service: Service, node: Node, board: Board) -> None:
    first = await execute(service, create(board))
    asked: list[tuple[Command, str | None]] = [(create(board), "k"), (create(board, "new"), "k2")]
    again, new = await service.boards.execute_each(ONE, BOARD, asked)
    assert isinstance(again, Executed)
    assert isinstance(new, Executed)
    assert facts(again) == facts(first)
    assert len(new.board.state.cards) == 2


async def test_repeated_command_is_published_once(store: Any, board: Board) -> None:
    broker, log = GatedBroker(), list[StoredEvent]()
    broker.subscribe(log.extend)
    async with open_store() as fresh, open_node(fresh, broker=broker) as node:
        made, service = await create_board(node), Service(node)
        await execute(service, create(made))
        log.clear()
        await execute(service, create(made))
        assert log == []


async def test_repeat_is_answered_when_the_board_is_gone(service: Service, node: Node, board: Board) -> None:
    first = await execute(service, create(board))
    cursor = await service.projects.delete(ONE, BOARD, "delete")
    assert facts(await execute(service, create(board))) == facts(first)
    assert await service.projects.delete(ONE, BOARD, "delete") == cursor
    asked: list[tuple[Command, str | None]] = [(create(board), "k"), (create(board), "k2")]
    again, new = await service.boards.execute_each(ONE, BOARD, asked)
    assert isinstance(again, Executed)
    assert isinstance(new, NotFound)
    with pytest.raises(NotFound):
        await execute(service, create(board), key="k2")


async def test_project_is_created_once_and_shown_as_it_was(service: Service, node: Node) -> None:
    command = CreateProject(name="Alpha", repository_path="/r")
    first = await service.projects.create(ONE, command, "k")
    await service.projects.update(ONE, first.project.id, UpdateProject(name="Beta"), "k2")
    again = await service.projects.create(ONE, CreateProject(name="Alpha", repository_path="/r"), "k")
    assert again == first
    assert len(await node.store.projects()) == 1
    with pytest.raises(KeyReused):
        await service.projects.create(ONE, CreateProject(name="Beta", repository_path="/r"), "k")
    with pytest.raises(KeyReused):
        await service.projects.update(ONE, first.project.id, UpdateProject(name="Beta"), "k")
    assert (await service.projects.create(TWO, command, "k")).project.id == first.project.id


async def test_attempt_is_queued_and_stopped_once(service: Service, node: Node, board: Board) -> None:
    card_id = (await execute(service, create(board), key=None)).created_card
    command = QueueAttempt(card_id=card_id, agent="CODEX")
    queued = await service.attempts.queue(ONE, BOARD, command, "queue")
    started = {"attemptId": queued.attempt.id, "boardId": BOARD, "cardId": card_id, "agent": "CODEX"}
    await publish_now(node, event("attempt.started", started))
    assert await service.attempts.queue(ONE, BOARD, QueueAttempt(card_id=card_id, agent="CODEX"), "queue") == queued
    running = await node.store.attempt(BOARD, queued.attempt.id)
    assert running is not None
    stopped = await service.attempts.stop(ONE, running, "stop")
    ended = {"attemptId": queued.attempt.id, "boardId": BOARD, "cardId": card_id, "status": "stopped"}
    await publish_now(node, event("attempt.status.changed", ended))
    now = await node.store.attempt(BOARD, queued.attempt.id)
    assert now is not None
    again = await service.attempts.stop(ONE, now, "stop")
    assert (again.attempt.status, again.attempt.ended_at, again.cursor) == ("stopping", None, stopped.cursor)


async def test_key_is_forgotten_with_its_events(service: Service, node: Node, board: Board) -> None:
    first = await execute(service, create(board))
    await node.store.prune(OF_BOARD, Horizon(newest_events=1), 100)  # type: ignore[attr-defined]  # of the real store
    assert (await execute(service, create(board))).created_card != first.created_card


async def test_card_gets_the_chosen_id_or_a_clear_refusal(service: Service, board: Board) -> None:
    column = column_id(board.state, "Backlog")
    made = await execute(service, CreateCard(column_id=column, title="t", id="mine"))
    assert made.created_card == "mine"
    assert (await execute(service, CreateCard(column_id=column, title="t", id="mine"))).is_repeated
    with pytest.raises(InvalidInput, match="no card of this board has, got 'mine'"):
        await execute(service, CreateCard(column_id=column, title="t", id="mine"), key=None)
    await execute(service, DeleteCard(card_id="mine"), key=None)
    assert (await execute(service, CreateCard(column_id=column, title="t", id="mine"), key=None)).created_card == "mine"


def keyed(text: str, message: str = "m", **more: Any) -> dict[str, Any]:
    return {**event("attempt.log.appended", {**LINE, "message": message}), "id": text, **more}


async def test_event_under_the_id_of_another_one_is_refused_by_its_index(
    service: Service, node: Node, board: Board
) -> None:
    first = await service.events.ingest(ONE, incoming(keyed("k1"), keyed("k2")))
    head = await offset(node)
    batch = [keyed("k1"), keyed("k2", "other"), keyed("new"), keyed("new", "other")]
    with pytest.raises(KeyReused) as refused:
        await service.events.ingest(ONE, incoming(*batch))
    assert [field.field for field in refused.value.fields] == ["1.id", "3.id"]
    assert await offset(node) == head
    (again,) = await service.events.ingest(ONE, incoming(keyed("k1")))
    assert again == first[0]._replace(duplicate=True)
    with pytest.raises(KeyReused):
        await service.events.ingest(ONE, incoming(keyed("k1", at="2025-01-02T03:04:05Z")))


async def test_id_of_an_event_belongs_to_its_sender_and_its_board(service: Service, node: Node, board: Board) -> None:
    await create_board(node, "p2")
    elsewhere = {**keyed("k"), "payload": {**LINE, "boardId": "p2"}}
    sent = [
        *await service.events.ingest(ONE, incoming(keyed("k"), elsewhere)),
        *await service.events.ingest(TWO, incoming(keyed("k", "another"))),
    ]
    assert [one.duplicate for one in sent] == [False] * 3


async def test_command_and_event_share_the_keys_of_a_board(service: Service, board: Board) -> None:
    await execute(service, create(board))
    with pytest.raises(KeyReused):
        await service.events.ingest(ONE, incoming(keyed("k")))
    await service.events.ingest(ONE, incoming(keyed("k2")))
    with pytest.raises(KeyReused):
        await execute(service, create(board), key="k2")


async def test_answer_that_is_pruned_while_it_is_read_is_asked_for_again(
    service: Service, node: Node, board: Board
) -> None:
    made = await execute(service, create(board))
    place = made.position
    key = RequestKey(OF_BOARD, "token one", "k")
    first = FirstAnswer(key, b"f", OF_BOARD, place.offset - 2, place.offset, place.global_offset)
    whole = await first_answer(node.store, node.store.epoch, BOARD, first, None)
    assert isinstance(whole, Executed)
    assert facts(whole) == facts(made)
    await node.store.prune(OF_BOARD, Horizon(newest_events=1), 100)  # type: ignore[attr-defined]  # of the real store
    assert isinstance(await first_answer(node.store, node.store.epoch, BOARD, first, None), StoreUnavailable)
