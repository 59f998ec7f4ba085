"""The demo's script over hours of its story, played on a board in memory: sizes, pace, and determinism."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import NoReturn

import pytest

from realtime.errors import Refused
from realtime.kanban import events
from realtime.kanban.attempts import QueueAttempt
from realtime.kanban.board import Board, Recorded
from realtime.kanban.commands import CreateCard, decide
from realtime.kanban.ids import BoardId
from realtime.kanban.incoming import parse_incoming
from realtime.kanban.models import DONE, AttemptStatus
from realtime.kanban.projection import new_project, react
from realtime.ports import Attempt
from server.demo.catalogue import AGENTS, PROJECTS, DemoProject
from server.demo.scene import Scene, Script, Step
from server.demo.script import play
from server.demo.seeding import seed_events

START = datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)
#: About an hour of the story.
STEPS = 2500


@dataclass
class World:
    """A board without a store, advanced by the pure core; counts refusals."""

    project: DemoProject
    seed: int
    now: datetime = START
    board: Board = field(init=False)
    agents: dict[str, str] = field(default_factory=dict)
    refused: int = 0
    log: list[Recorded] = field(default_factory=list)
    script: Script[NoReturn] = field(init=False)

    def __post_init__(self) -> None:
        seeds = [one.event for one in parse_incoming(seed_events(self.seed, START))]
        created = next(e for e in seeds if isinstance(e, events.ProjectCreated) and e.project_id == self.project.id)
        self.board = Board(new_project(created, START))
        for event in seeds:
            if event.board_id == self.project.id:
                self.record(react(self.board, event, START))
        self.script = play(Random(self.seed), self.project, self.scene())

    def scene(self) -> Scene:
        rows = [
            Attempt(ref.id, self.board.id, ref.card_id, self.agents[ref.id], ref.status, ref.created_at, self.now)
            for ref in self.board.newest_attempts()
        ]
        return Scene(self.board, rows, self.now)

    def record(self, made: list[Recorded]) -> None:
        for recorded in made:
            if isinstance(recorded.event, events.AttemptQueued):
                self.agents[recorded.event.attempt_id] = recorded.event.agent
            self.board.apply(recorded)
        self.log += made

    def perform(self, step: Step) -> None:
        try:
            for command in step.commands:
                self.record(decide(self.board, command, self.now))
        except Refused:
            self.refused += 1
            return
        for incoming in parse_incoming(list(step.events)) if step.events else ():
            self.record(react(self.board, incoming.event, self.now))

    def steps(self, count: int) -> Iterator[Step]:
        """Play this many steps; yield each after its execution."""
        step = next(self.script)
        for _ in range(count):
            self.perform(step)
            yield step
            self.now += timedelta(seconds=step.seconds)
            step = self.script.send(self.scene())

    def ends(self) -> Iterator[tuple[AttemptStatus, timedelta]]:
        """Yield the end and the duration of each attempt, without those of the seed."""
        started: dict[str, datetime] = {}
        for recorded in self.log:
            match recorded.event:
                case events.AttemptStarted(attempt_id=attempt_id):
                    started[attempt_id] = recorded.at
                case events.AttemptStatusChanged(attempt_id=attempt_id, status=status, ended_at=str()):
                    yield status, recorded.at - started[attempt_id]


@dataclass(frozen=True)
class Tale:
    """An hour of the story, played once and checked by several tests."""

    world: World
    steps: list[Step]
    #: Cards on the board after each step.
    sizes: list[int]


@pytest.fixture(scope="module", params=[(0, 1), (0, 2), (1, 1)], ids=lambda p: f"{PROJECTS[p[0]].id}-{p[1]}")
def tale(request: pytest.FixtureRequest) -> Tale:
    number, seed = request.param
    world = World(PROJECTS[number], seed)
    seen = [(step, len(world.board.state.cards)) for step in world.steps(STEPS)]
    return Tale(world, [step for step, _ in seen], [size for _, size in seen])


def test_hour_of_story_keeps_board_at_sane_size(tale: Tale) -> None:
    assert min(tale.sizes) >= 6
    assert max(tale.sizes) <= 25
    # One attempt per card of the catalogue: the first envelopes of a new subscriber do not grow for ever.
    assert len(tale.world.board.attempts) <= len(tale.world.project.ideas)


def test_hour_of_story_is_never_refused(tale: Tale) -> None:
    assert len(tale.steps) == STEPS
    assert tale.world.refused == 0


def test_something_happens_every_other_second(tale: Tale) -> None:
    assert all(0.5 <= step.seconds <= 2 for step in tale.steps)
    assert all(step.events or step.commands for step in tale.steps)


def test_attempts_end_in_all_ways_within_half_a_minute(tale: Tale) -> None:
    ends = list(tale.world.ends())
    counts = Counter(status for status, _ in ends)
    assert counts[AttemptStatus.SUCCEEDED] > counts[AttemptStatus.FAILED] > 10
    assert counts[AttemptStatus.STOPPED] > 10
    took = [duration.total_seconds() for status, duration in ends if status is AttemptStatus.SUCCEEDED]
    assert 20 < sum(took) / len(took) < 30


def test_each_item_of_a_conversation_has_an_id_of_its_own(tale: Tale) -> None:
    seen = [one.event for one in tale.world.log if isinstance(one.event, events.AttemptConversationAppended)]
    assert {event.item.get("tool", event.item).get("status") for event in seen} >= {"running", "succeeded", "failed"}
    ids = [event.item["id"] for event in seen]
    assert len(ids) == len(set(ids))


def test_same_random_numbers_give_same_steps() -> None:
    stories = [list(World(PROJECTS[0], seed).steps(300)) for seed in (1, 1, 2)]
    assert stories[0] == stories[1]
    assert stories[0] != stories[2]


def test_board_full_of_cards_of_people_stays_alive() -> None:
    world = World(PROJECTS[0], 1)
    done = world.board.state.column_titled(DONE)
    assert done is not None
    mine = [CreateCard(column_id=done.id, title=f"Mine {n}") for n in range(40)]
    for command in mine:
        world.record(decide(world.board, command, START))
    started = sum(1 for step in world.steps(500) for event in step.events if event["name"] == "attempt.started")
    assert started > 10
    assert {command.card_id for command in mine} <= set(world.board.state.cards)


def test_board_without_columns_is_waited_for() -> None:
    world = World(PROJECTS[0], 1)
    bare: dict[str, object] = {"columns": {}, "columnOrder": [], "cards": {}}
    [emptied] = parse_incoming([{"name": "board.state.changed", "payload": {"boardId": world.board.id, "state": bare}}])
    world.record(react(world.board, emptied.event, START))
    assert all(step.seconds > 0.5 for step in world.steps(100))
    assert not world.board.state.cards


def test_seed_events_are_the_same_again() -> None:
    assert seed_events(7, START) == seed_events(7, START)
    assert seed_events(7, START) != seed_events(8, START)


def test_ideas_have_keys_titles_and_files_of_their_own() -> None:
    for project in PROJECTS:
        assert len({idea.key for idea in project.ideas}) == len(project.ideas)
        assert len({idea.title for idea in project.ideas}) == len(project.ideas)
        assert {key for idea in project.ideas for key in idea.after} <= {i.key for i in project.ideas if i.column}


def test_queued_attempt_of_people_goes_first() -> None:
    world = World(PROJECTS[0], 1)
    card_id = world.project.card_id("voucher")
    world.record(decide(world.board, QueueAttempt(card_id=card_id, agent=next(iter(AGENTS))), START))
    started = next(e for step in world.steps(50) for e in step.events if e["name"] == "attempt.started")
    assert started["payload"]["cardId"] == card_id
    assert world.board.id == BoardId(PROJECTS[0].id)
