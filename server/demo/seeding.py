"""The events that create the demo's projects in an empty database. Pure: equal seed and time give equal events."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from realtime.clock import iso
from realtime.kanban.ids import ticket_prefix
from realtime.kanban.models import DEFAULT_COLUMNS, DONE, REVIEW
from server.demo.catalogue import AGENTS, PROJECTS, DemoProject, Idea
from server.demo.scene import Json, event, random_uuid

__all__ = ["seed_events"]

#: Age of the projects.
AGE = timedelta(days=2)
#: Time between the creation of two seeded cards.
APART = timedelta(hours=3)


def seed_events(seed: int, now: datetime) -> list[Json]:
    """Return one batch for the ingest: the agents, and the projects with their cards and some history."""
    rng = Random(seed)
    batch = [event("agent.registered", {"agent": agent, "label": label}) for agent, label in AGENTS.items()]
    for project in PROJECTS:
        batch.append(_project(project, now - AGE))
        # History before the cards: a completed attempt moves its card, and the state then has the right column.
        for number, idea in enumerate(_seeded(project), start=1):
            if idea.column in (REVIEW, DONE):
                batch += _past_attempt(rng, project, idea, _made_at(number, now), number)
        batch.append(_cards(project, now))
    return batch


def _made_at(number: int, now: datetime) -> datetime:
    return now - AGE + number * APART


def _seeded(project: DemoProject) -> list[Idea]:
    return [idea for idea in project.ideas if idea.column is not None]


def _project(project: DemoProject, at: datetime) -> Json:
    payload = {
        "projectId": project.id,
        "name": project.name,
        "repositoryPath": project.repository_path,
        "repositoryUrl": project.repository_url,
        "repositorySlug": project.repository_slug,
        "createdAt": iso(at),
    }
    return event("project.created", payload, iso(at))


def _past_attempt(rng: Random, project: DemoProject, idea: Idea, start: datetime, number: int) -> Iterator[Json]:
    attempt_id = f"att-{random_uuid(rng)}"
    own = {"attemptId": attempt_id, "boardId": project.id}
    work = {**own, "cardId": project.card_id(idea.key), "agent": rng.choice(sorted(AGENTS)), "baseBranch": "main"}
    end = iso(start + timedelta(seconds=rng.randint(240, 1500)))
    pull = {"number": number, "url": project.pull_url(number), "state": "open", "draft": False, "title": idea.title}
    yield event("attempt.queued", work, iso(start))
    yield event("attempt.started", work, iso(start + timedelta(seconds=4)))
    yield event("github.pr.created", {"projectId": project.id, "attemptId": attempt_id, "pr": pull}, end)
    yield event("attempt.completed", {**own, "cardId": work["cardId"], "status": "succeeded"}, end)


def _cards(project: DemoProject, now: datetime) -> Json:
    seeded = _seeded(project)
    columns = {project.column_id(title): title for title in DEFAULT_COLUMNS}
    state = {
        "columns": {
            id: {"id": id, "title": title, "cardIds": [project.card_id(i.key) for i in seeded if i.column == title]}
            for id, title in columns.items()
        },
        "columnOrder": list(columns),
        "cards": {project.card_id(idea.key): _card(project, idea, n, now) for n, idea in enumerate(seeded, start=1)},
    }
    return event("board.state.changed", {"boardId": project.id, "state": state, "reason": "demo"})


def _card(project: DemoProject, idea: Idea, number: int, now: datetime) -> Json:
    made = iso(_made_at(number, now))
    pull = {"prUrl": project.pull_url(number)} if idea.column in (REVIEW, DONE) else {}
    return {
        "id": project.card_id(idea.key),
        "ticketKey": f"{ticket_prefix(project.name)}-{number}",
        "ticketType": idea.ticket_type,
        "title": idea.title,
        "description": idea.description,
        "dependsOn": [project.card_id(key) for key in idea.after],
        "createdAt": made,
        "updatedAt": made,
        **pull,
    }
