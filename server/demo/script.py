"""The story of one demo board, without an end: people do chores, an agent works, in turn. Pure.

Everything follows from the random numbers and the scenes: the same ones give the same steps, ids included.
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

#: How many chores are done between two attempts.
CHORES = (1, 3)
#: How likely somebody does one while the agent works, per report.
CHORE_MEANWHILE = 0.12


def play(rng: Random, project: DemoProject, scene: Scene) -> Script[NoReturn]:
    """Yield the steps of one board, beginning with what an earlier run left behind."""
    people = People(rng, project)
    scene = yield from _end_lost(rng, project, scene)
    while True:
        scene = yield people.reconnect()
        for ending in rng.sample(ENDINGS, len(ENDINGS)):
            for _ in range(rng.randint(*CHORES)):
                scene = yield people.chore(scene)
            scene = yield from _attempt(rng, project, people, scene, ending)


def _end_lost(rng: Random, project: DemoProject, scene: Scene) -> Script[Scene]:
    """End the attempts that ran when the server went down; nobody else will."""
    for attempt in _ours(scene, AttemptStatus.RUNNING, AttemptStatus.STOPPING):
        last = end_of(Work(rng, project, attempt, scene), scene)
        if last:
            scene = yield last
    return scene


def _attempt(rng: Random, project: DemoProject, people: People, scene: Scene, ending: AttemptStatus) -> Script[Scene]:
    """Let one attempt happen, if any card is ready: one that people queued themselves goes first."""
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
    # Another agent on a demo board is somebody else's runner.
    return [attempt for attempt in scene.active(*statuses) if attempt.agent in AGENTS]
