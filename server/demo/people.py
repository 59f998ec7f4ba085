"""The actions of people on a demo board between the agent's reports: add cards, review, tidy up. Pure.

People keep the board at a reasonable size. They add missing cards, move reviewed cards to Done, and delete old cards
of the demo from Done. A card that is not in the catalogue is never deleted.
"""

from __future__ import annotations

from random import Random

from realtime.clock import iso
from realtime.kanban.attempts import QueueAttempt
from realtime.kanban.commands import Command, CreateCard, DeleteCard, MoveCard, UpdateCard
from realtime.kanban.models import DONE, IN_PROGRESS, REVIEW, Card, TicketType
from server.demo.catalogue import AGENTS, BACKLOG, DemoProject
from server.demo.scene import Json, Scene, Step, event, random_uuid

__all__ = ["People"]

#: No more cards are added when the board has this many of the demo's cards; other people's cards do not count.
MAX_CARDS = 16
#: Number of cards in a column from which people do something about it.
MIN_BACKLOG = 3
MAX_REVIEW = 2
MAX_DONE = 4
#: Seconds until the next step: least and most.
BEAT = (0.9, 1.8)


class People:
    """The people who work on one demo board."""

    def __init__(self, rng: Random, project: DemoProject) -> None:
        """Make choices with `rng`."""
        self._rng = rng
        self._project = project

    def chore(self, scene: Scene) -> Step:
        """Return the next action of somebody; a pause if there is nothing to do."""
        return self._urgent(scene) or self._some(scene) or self._step()

    def queue(self, scene: Scene) -> Step | None:
        """Return the step that queues the next attempt, None if no card is ready."""
        ready = [card for card in scene.idle(BACKLOG) if not scene.board.state.waits_for(card.id)]
        given_up = [card for card in scene.idle(IN_PROGRESS) if not scene.board.state.waits_for(card.id)]
        if not ready and not given_up:
            return None
        again = given_up and (not ready or self._rng.random() < 0.5)
        card = given_up[0] if again else ready[0]
        command = QueueAttempt(card_id=card.id, agent=self._rng.choice(sorted(AGENTS)))
        return self._step(command.model_copy(update={"new_id": f"att-{random_uuid(self._rng)}"}))

    def reconnect(self) -> Step:
        """Return the reports of a runner that is back, with a profile that somebody edited."""
        agent = self._rng.choice(sorted(AGENTS))
        label = f"{AGENTS[agent]}, {self._rng.choice(('careful', 'quick', 'thorough'))}"
        profile = {"profileId": f"demo-{agent.lower()}", "agent": agent, "kind": "updated", "label": label}
        registered = event("agent.registered", {"agent": agent, "label": AGENTS[agent]})
        return self._step(events=(registered, event("agent.profile.changed", profile)))

    def _urgent(self, scene: Scene) -> Step | None:
        if len(scene.idle(REVIEW)) > MAX_REVIEW:
            return self._merge(scene)
        if len(scene.column(DONE).card_ids) > MAX_DONE:
            tidied = self._tidy(scene)
            if tidied:
                return tidied
        if len(scene.column(BACKLOG).card_ids) < MIN_BACKLOG:
            return self._bring(scene)
        return None

    def _some(self, scene: Scene) -> Step | None:
        chores = [self._merge, self._bring, self._reorder, self._describe, self._give_back]
        self._rng.shuffle(chores)
        return next((step for chore in chores if (step := chore(scene))), None)

    def _merge(self, scene: Scene) -> Step | None:
        """Move a reviewed card to Done, and merge its pull request, if it has one."""
        reviewed = scene.idle(REVIEW)
        if not reviewed:
            return None
        card = reviewed[0]
        move = MoveCard(card_id=card.id, to_column_id=scene.column(DONE).id, to_index=0)
        return self._step(move, events=self._merged(card, scene))

    def _merged(self, card: Card, scene: Scene) -> tuple[Json, ...]:
        number = (card.pr_url or "").rpartition("/")[2]
        if card.pr_url is None or not number.isdecimal():
            return ()
        here = {"projectId": self._project.id}
        merge = {**here, "result": {"merged": True, "message": f"Merged: {card.title}"}}
        closed = {**here, "cardId": card.id, "prNumber": int(number), "prUrl": card.pr_url, "ts": iso(scene.now)}
        return event("git.merge.completed", merge), event("github.pr.merged.autoClosed", closed)

    def _tidy(self, scene: Scene) -> Step | None:
        """Delete the demo's lowest card in Done."""
        own = [card for card in scene.idle(DONE) if self._project.idea_of(card.id)]
        return self._step(DeleteCard(card_id=own[-1].id)) if own else None

    def _bring(self, scene: Scene) -> Step | None:
        """Add a card that is not on the board; sometimes one that depends on another."""
        ideas = self._project.ideas
        missing = [idea for idea in ideas if scene.card(self._project.card_id(idea.key)) is None]
        if not missing or len(ideas) - len(missing) >= MAX_CARDS:
            return None
        idea = self._rng.choice(missing)
        waiting = scene.column(BACKLOG).card_ids
        command = CreateCard(
            column_id=scene.column(BACKLOG).id,
            title=idea.title,
            description=idea.description,
            ticket_type=TicketType(idea.ticket_type),
            depends_on=(self._rng.choice(waiting),) if waiting and self._rng.random() < 0.25 else (),
        )
        return self._step(command.model_copy(update={"new_id": self._project.card_id(idea.key)}))

    def _reorder(self, scene: Scene) -> Step | None:
        """Move a card to the top of the backlog."""
        column = scene.column(BACKLOG)
        if len(column.card_ids) < 2:
            return None
        card_id = self._rng.choice(column.card_ids[1:])
        return self._step(MoveCard(card_id=card_id, to_column_id=column.id, to_index=0))

    def _describe(self, scene: Scene) -> Step | None:
        """Mark one of the demo's cards in the backlog as enhanced."""
        plain = [card for card in scene.idle(BACKLOG) if not card.is_enhanced and self._project.idea_of(card.id)]
        return self._step(UpdateCard(card_id=self._rng.choice(plain).id, is_enhanced=True)) if plain else None

    def _give_back(self, scene: Scene) -> Step | None:
        """Move a card whose attempt was given up back to the backlog."""
        given_up = scene.idle(IN_PROGRESS)
        if len(given_up) < 2:
            return None
        column = scene.column(BACKLOG)
        return self._step(MoveCard(card_id=given_up[-1].id, to_column_id=column.id, to_index=len(column.card_ids)))

    def _step(self, *commands: Command, events: tuple[Json, ...] = ()) -> Step:
        return Step(self._rng.uniform(*BEAT), events, commands)
