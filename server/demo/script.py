"""The endless script of one demo board, in which people and an agent work by turns. Pure.

Everything follows from the random numbers and the scenes: equal ones give equal steps, including the ids.
"""

from __future__ import annotations

from random import Random
from typing import NoReturn

from realtime.kanban.models import AttemptStatus
from realtime.ports import Attempt
from server.demo.agent import ENDINGS, Work, carry, end_of
from server.demo.catalogue import AGENTS, DemoProject
from server.demo.people import People
from server.demo.scene import Scene, Script, Step

__all__ = ["play"]

#: Number of actions of people between two attempts: least and most.
CHORES = (1, 3)
#: Probability of an action of people after each report of the agent.
CHORE_MEANWHILE = 0.12


def play(rng: Random, project: DemoProject, scene: Scene) -> Script[NoReturn]:
    """Yield the steps of one board, beginning with the attempts that an earlier run left behind."""
    people = People(rng, project)
    scene = yield from _end_lost(rng, project, scene)
    while True:
        scene = yield people.reconnect()
        for ending in rng.sample(ENDINGS, len(ENDINGS)):
            for _ in range(rng.randint(*CHORES)):
                scene = yield people.chore(scene)
            scene = yield from _attempt(rng, project, people, scene, ending)


def _end_lost(rng: Random, project: DemoProject, scene: Scene) -> Script[Scene]:
    """End the attempts that were running when the server stopped, because no runner will end them."""
    for attempt in _ours(scene, AttemptStatus.RUNNING, AttemptStatus.STOPPING):
        last = end_of(Work(rng, project, attempt, scene), scene)
        if last:
            scene = yield last
    return scene


def _attempt(rng: Random, project: DemoProject, people: People, scene: Scene, ending: AttemptStatus) -> Script[Scene]:
    """Run one attempt, if a card is ready; an attempt that people queued themselves comes first."""
    if not _ours(scene, AttemptStatus.QUEUED):
        queueing = people.queue(scene)
        if queueing:
            scene = yield queueing
    queued = _ours(scene, AttemptStatus.QUEUED)
    if not queued:
        return scene
    working = carry(Work(rng, project, queued[0], scene), ending)
    step: Step | None = next(working)
    while step:
        scene = yield step
        if rng.random() < CHORE_MEANWHILE:
            scene = yield people.chore(scene)
        try:
            step = working.send(scene)
        except StopIteration:
            step = None
    return scene


def _ours(scene: Scene, *statuses: AttemptStatus) -> list[Attempt]:
    # On a demo board, an attempt of another agent belongs to a runner outside.
    return [attempt for attempt in scene.active(*statuses) if attempt.agent in AGENTS]
