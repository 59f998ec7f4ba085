"""The demo on a real node: seeding, its streams, user actions and faults, and its end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import anyio
import orjson
import pytest

from realtime.backends.memory import MemoryBroker
from realtime.backends.sql.store import SqlStore
from realtime.errors import StoreUnavailable
from realtime.kanban.attempts import QueueAttempt, StopAttempt
from realtime.kanban.board import Board
from realtime.kanban.commands import CreateCard, DeleteCard, MoveCard
from realtime.kanban.ids import AttemptId, BoardId, CardId
from realtime.kanban.incoming import parse_incoming
from realtime.kanban.models import DEFAULT_COLUMNS, DONE, AttemptStatus
from realtime.messages.channels import board_channel
from realtime.messages.envelopes import Envelope
from realtime.node import Node
from realtime.ports import Attempt, StoredEvent
from realtime.service import Service
from server.demo import running_demo
from server.demo.catalogue import AGENTS, BACKLOG, PROJECTS
from tests.kit.deadline import deadline
from tests.kit.envelope_streams import board_stream
from tests.kit.nodes import MEMORY, open_node

BOARD = PROJECTS[0].id
PACE = 1000
#: Units for some attempts at that pace, on a machine that is also busy with other tests.
LONG = 30


class FaultyStore(SqlStore):
    """A store whose reads of attempts fail as often as requested."""

    faults = 0

    async def attempts(self, board_id: BoardId, *card_ids: CardId) -> list[Attempt]:
        if self.faults:
            self.faults -= 1
            raise StoreUnavailable("the disk is away")
        return await super().attempts(board_id, *card_ids)


@dataclass
class Stage:
    """A node, and all its published events."""

    store: FaultyStore
    broker: MemoryBroker
    node: Node
    log: list[StoredEvent] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.broker.subscribe(self._note)

    def _note(self, batch: Sequence[StoredEvent]) -> None:
        self.log.extend(batch)
        self.news.set()

    async def published(self, count: int) -> list[tuple[str, dict[str, Any], datetime]]:
        """Wait for this many events; return name, payload and time of each."""
        while len(self.log) < count:
            self.news.clear()
            await self.news.wait()
        return [(e.recorded.event.type, e.recorded.event.payload(), e.recorded.at) for e in self.log[:count]]

    async def seed(self) -> None:
        """Make the demo's projects, without activity."""
        async with running_demo(Service(self.node), 1, PACE):
            pass  # the task did not run at all

    async def board(self, board_id: BoardId = BOARD) -> Board:
        stored = await self.store.board(board_id)
        assert stored is not None
        return stored.board


@asynccontextmanager
async def opened_stage() -> AsyncIterator[Stage]:
    store = FaultyStore(MEMORY)
    await store.open()
    try:
        broker = MemoryBroker()
        async with open_node(store, broker=broker) as node:
            yield Stage(store, broker, node)
            # The store has one connection, so this answer comes after the last read of the stopped demo.
            await store.ping()
    finally:
        await store.aclose()


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with opened_stage() as stage:
        yield stage


def names_of_tasks() -> set[str]:
    return {task.get_name() for task in asyncio.all_tasks()}


@pytest.fixture
async def seeded(stage: Stage) -> Stage:
    await stage.seed()
    return stage


@asynccontextmanager
async def watched(stage: Stage) -> AsyncIterator[Callable[..., Any]]:
    """Run the demo under an open board stream; yield a function that waits for an envelope of a type."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(deadline(LONG))
        stream = await stack.enter_async_context(aclosing(board_stream(stage.node, BOARD)))
        while (await anext(stream)).type != "state":
            pass
        await stack.enter_async_context(running_demo(Service(stage.node), 1, PACE))

        async def wait_for(type: str, **fields: Any) -> dict[str, Any]:
            async for envelope in stream:
                payload = plain(envelope)
                if envelope.type == type and fields.items() <= payload.items():
                    return payload
            raise AssertionError("the stream ended")

        yield wait_for


def plain(envelope: Envelope) -> dict[str, Any]:
    payload: dict[str, Any] = orjson.loads(envelope.payload_json() or b"null") or {}
    return payload


async def test_empty_database_gets_two_projects_with_cards(seeded: Stage) -> None:
    assert [project.id for project in await seeded.store.projects()] == [project.id for project in PROJECTS]
    for project in PROJECTS:
        state = (await seeded.board(project.id)).state
        assert [column.title for column in state.columns.values()] == list(DEFAULT_COLUMNS)
        assert all(column.card_ids for column in state.columns.values())
        assert len(state.cards) == 8
        assert all(card.description and card.ticket_type and card.ticket_key for card in state.cards.values())
        assert any(card.depends_on for card in state.cards.values())


async def test_empty_database_gets_registered_agents(seeded: Stage) -> None:
    agents, _ = await seeded.store.agents()
    assert {agent.key: agent.label for agent in agents} == dict(AGENTS)


async def test_seeded_database_is_not_seeded_again(seeded: Stage) -> None:
    before, events = await seeded.board(), len(seeded.log)
    await seeded.seed()
    assert await seeded.board() == before
    assert len(seeded.log) == events


async def test_projects_of_others_are_left_alone(stage: Stage) -> None:
    payload = {"projectId": "mine", "name": "Mine", "repositoryPath": "/srv/mine"}
    await stage.node.bus.ingest(parse_incoming([{"name": "project.created", "payload": payload}]))
    async with deadline(5), running_demo(Service(stage.node), 1, PACE):
        await anyio.wait_all_tasks_blocked()
        assert [project.id for project in await stage.store.projects()] == ["mine"]
    assert len(stage.log) == 1


async def test_same_seed_gives_same_events() -> None:
    stories = [await story(seed) for seed in (1, 1, 2)]
    assert stories[0] == stories[1]
    assert stories[0] != stories[2]


async def story(seed: int) -> list[tuple[str, dict[str, Any], datetime]]:
    async with opened_stage() as stage, deadline(LONG), running_demo(Service(stage.node), seed, PACE):
        return await stage.published(100)
    raise AssertionError("unreachable: no block above swallows an exception")


async def test_second_run_makes_no_ids_of_first_again(seeded: Stage) -> None:
    async with deadline(LONG):
        async with running_demo(Service(seeded.node), 1, PACE):
            await seeded.published(120)
        await seeded.node.bus.aclose()
        first = len(seeded.log)
        async with running_demo(Service(seeded.node), 1, PACE):
            await seeded.published(first + 120)
    earlier, later = item_ids(seeded.log[:first]), item_ids(seeded.log[first:])
    assert earlier
    assert later
    assert not earlier & later


def item_ids(log: Sequence[StoredEvent]) -> set[str]:
    payloads = [stored.recorded.event.payload() for stored in log]
    return {payload["item"]["id"] for payload in payloads if "item" in payload}


FAMILIES = {
    *("state", "attempt_started", "attempt_status", "attempt_log", "conversation_item", "attempt_session"),
    *("attempt_todos", "git_status", "git_commit", "git_push", "attempt_pr", "agent_profile", "agent_registered"),
}
KINDS = {"message", "thinking", "tool", "error", "automation"}


async def test_board_stream_shows_every_family_kind_and_ending(seeded: Stage) -> None:
    families, kinds, statuses = set[str](), set[str](), set[str]()
    async with deadline(LONG), aclosing(board_stream(seeded.node, BOARD)) as stream:
        while (await anext(stream)).type != "state":
            pass
        async with running_demo(Service(seeded.node), 1, PACE):
            while not (families >= FAMILIES and kinds >= KINDS and statuses >= set(AttemptStatus) - {"queued"}):
                envelope = await anext(stream)
                payload = plain(envelope)
                families.add(envelope.type)
                kinds.update(filter(None, [payload.get("item", {}).get("type")]))
                statuses.update(filter(None, [payload.get("status")]))
    assert families == FAMILIES
    assert kinds == KINDS


async def test_stopped_demo_publishes_nothing_more(seeded: Stage) -> None:
    async with deadline(LONG), running_demo(Service(seeded.node), 1, PACE):
        await seeded.published(60)
    async with deadline():
        await seeded.node.bus.aclose()
        events = len(seeded.log)
        await anyio.wait_all_tasks_blocked()
    assert len(seeded.log) == events
    assert "demo" not in names_of_tasks()


async def test_demo_leaves_in_time_at_slow_pace(stage: Stage) -> None:
    async with deadline(5), running_demo(Service(stage.node), 1, 0.001):
        await stage.published(1)
    assert "demo" not in names_of_tasks()


async def test_card_deleted_under_work_takes_its_attempt_along_and_work_goes_on(seeded: Stage) -> None:
    async with watched(seeded) as wait_for:
        started = await wait_for("attempt_started")
        await seeded.node.bus.execute(BOARD, DeleteCard(card_id=started["cardId"]))
        assert (await wait_for("attempt_started"))["attemptId"] != started["attemptId"]
        assert started["attemptId"] not in (await seeded.board()).attempts


async def test_attempt_stopped_by_people_ends(seeded: Stage) -> None:
    async with watched(seeded) as wait_for:
        started = await wait_for("attempt_started")
        attempt_id = started["attemptId"]
        await seeded.node.bus.execute(BOARD, StopAttempt(attempt_id=attempt_id))
        await wait_for("attempt_status", attemptId=attempt_id, status="stopping")
        ended = await wait_for("attempt_status", attemptId=attempt_id, status="stopped")
    assert ended["cardId"] == started["cardId"]


async def test_card_finished_by_people_stays_done(seeded: Stage) -> None:
    async with watched(seeded) as wait_for:
        started = await wait_for("attempt_started")
        done = (await seeded.board()).state.column_titled(DONE)
        assert done is not None
        move = MoveCard(card_id=started["cardId"], to_column_id=done.id, to_index=0)
        await seeded.node.bus.execute(BOARD, move)
        await wait_for("attempt_status", attemptId=started["attemptId"], status="succeeded")
        state = (await seeded.board()).state
        assert CardId(started["cardId"]) not in state.cards or state.is_done(started["cardId"])


async def test_attempt_left_running_is_failed_by_next_run(seeded: Stage) -> None:
    card_id = PROJECTS[0].card_id("images")
    payload = {"attemptId": "att-lost", "boardId": BOARD, "cardId": card_id, "agent": "CODEX"}
    await seeded.node.bus.ingest(parse_incoming([{"name": "attempt.started", "payload": payload}]))
    async with watched(seeded) as wait_for:
        status = await wait_for("attempt_status", attemptId="att-lost", status="failed")
    assert status["cardId"] == card_id


async def test_attempt_queued_by_people_is_worked_on_first(seeded: Stage) -> None:
    card_id = await card_of_people(seeded)
    await seeded.node.bus.execute(BOARD, QueueAttempt(card_id=card_id, agent="DROID"))
    async with watched(seeded) as wait_for:
        assert (await wait_for("attempt_started"))["cardId"] == card_id


async def test_attempt_for_foreign_runner_stays_queued(seeded: Stage) -> None:
    card_id = await card_of_people(seeded)
    await seeded.node.bus.execute(BOARD, QueueAttempt(card_id=card_id, agent="MINE"))
    async with watched(seeded) as wait_for:
        for _ in range(3):
            assert (await wait_for("attempt_started"))["cardId"] != card_id
    [attempt] = await seeded.store.attempts(BOARD, card_id)
    assert attempt.status is AttemptStatus.QUEUED


async def card_of_people(stage: Stage) -> CardId:
    backlog = (await stage.board()).state.column_titled(BACKLOG)
    assert backlog is not None
    command = CreateCard(column_id=backlog.id, title="Something of my own {title}")
    await stage.node.bus.execute(BOARD, command)
    return CardId(command.card_id)


async def test_deleted_board_is_worked_on_when_it_returns(seeded: Stage) -> None:
    async with deadline(LONG), running_demo(Service(seeded.node), 1, PACE):
        gone = {"name": "project.deleted", "payload": {"projectId": BOARD}}
        again = {"projectId": BOARD, "name": "Again", "repositoryPath": "/srv/again"}
        await seeded.node.bus.ingest(parse_incoming([gone]))
        # The other board continues meanwhile.
        await seeded.published(len(seeded.log) + 40)
        await seeded.node.bus.ingest(parse_incoming([{"name": "project.created", "payload": again}]))
        seen = len(seeded.log)
        while not any(is_started(stored) for stored in seeded.log[seen:]):
            await seeded.published(len(seeded.log) + 1)
        assert (await seeded.board()).attempts


def is_started(stored: StoredEvent) -> bool:
    return stored.channel == board_channel(BOARD) and stored.recorded.event.type == "attempt.started"


async def test_fault_is_logged_and_demo_goes_on(seeded: Stage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR, "server.demo.show")
    seeded.store.faults = 1
    async with watched(seeded) as wait_for:
        await wait_for("attempt_started")
    assert [record.getMessage() for record in caplog.records] == ["the demo stumbled and begins anew in 0.5 s"]


async def test_attempt_ids_are_known_to_store(seeded: Stage) -> None:
    async with watched(seeded) as wait_for:
        started = await wait_for("attempt_started")
        attempt_id = AttemptId(started["attemptId"])
        (board_id,) = await seeded.store.boards_of_attempt(attempt_id)
        attempt = await seeded.store.attempt(board_id, attempt_id)
    assert attempt is not None
    assert attempt.agent in AGENTS
