"""Commands on attempts: queue one for a runner outside, stop one (docs/rest.md, "Attempts")."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from realtime.clock import iso
from realtime.errors import CardBlocked, Conflict, NotFound
from realtime.kanban import events
from realtime.kanban.board import Board, Recorded
from realtime.kanban.ids import AttemptId, CardId, Id, new_attempt_id
from realtime.kanban.models import ACTIVE_STATUSES, AttemptStatus, Card

__all__ = ["QueueAttempt", "StopAttempt", "queue_attempt", "stop_attempt"]

BASE_BRANCH = "main"
SLUG_CHARS = 40


class QueueAttempt(BaseModel):
    """Queue an attempt at a card. A card that has an attempt keeps its attempt's id, as in the original."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)

    type: Literal["queue_attempt"] = "queue_attempt"
    card_id: Id
    agent: Id = Field(description="The key of the agent that shall try it.")
    base_branch: Id = Field(default=BASE_BRANCH, description=f"The branch to begin from; `{BASE_BRANCH}` by default.")
    branch_name: Id | None = Field(
        default=None, description="The branch of the attempt; by default it comes from the ticket key and the title."
    )
    profile_id: Id | None = Field(default=None, description="The profile of the agent.")
    #: The attempt's id if the card has no attempt yet.
    new_id: str = Field(default_factory=new_attempt_id, init=False)


class StopAttempt(BaseModel):
    """Stop an attempt. A queued attempt stops at once, a running attempt when its runner reports the end."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)

    type: Literal["stop_attempt"] = "stop_attempt"
    attempt_id: Id


def queue_attempt(board: Board, command: QueueAttempt, now: datetime) -> list[Recorded]:
    """Return `attempt.queued`.

    Raises:
        NotFound: `card_not_found`.
        Conflict: `card_is_done`, `card_blocked`, `attempt_active`.
    """
    card = board.state.cards.get(CardId(command.card_id))
    if card is None:
        raise NotFound(f"no card {command.card_id!r} on this board", "card_not_found")
    if board.state.is_done(card.id):
        raise Conflict("Task is done and locked", "card_is_done")
    if waits_for := board.state.waits_for(card.id):
        raise CardBlocked("Task is blocked by dependencies", waits_for)
    tried = [attempt for attempt in board.attempts.values() if attempt.card_id == card.id]
    if any(attempt.status in ACTIVE_STATUSES for attempt in tried):
        raise Conflict("Task has an active attempt", "attempt_active")
    queued = events.AttemptQueued(
        attempt_id=tried[-1].id if tried else command.new_id,
        board_id_=board.id,
        card_id=card.id,
        agent=command.agent,
        base_branch=command.base_branch,
        branch_name=command.branch_name or _branch(board, card),
    )
    if command.profile_id is not None:
        queued = queued.model_copy(update={"profile_id": command.profile_id})
    # The runner's clock may be ahead of the server's clock. An event that is older than the attempt's end would be
    # ignored, so this event gets at least the time of that end.
    ends = [tried[-1].ended_at or tried[-1].updated_at or now] if tried else []
    return [Recorded(queued, max([now, *ends]))]


def stop_attempt(board: Board, command: StopAttempt, now: datetime) -> list[Recorded]:
    """Return the two events of a stop: the status change and `attempt.stopped`.

    Raises:
        NotFound: `attempt_not_found`.
        Conflict: `attempt_not_running`.
    """
    attempt = board.attempts.get(AttemptId(command.attempt_id))
    if attempt is None:
        raise NotFound("Attempt not found", "attempt_not_found")
    if attempt.status not in (AttemptStatus.QUEUED, AttemptStatus.RUNNING):
        raise Conflict("Attempt is not running", "attempt_not_running")
    waits = attempt.status is AttemptStatus.QUEUED
    changed = events.AttemptStatusChanged(
        attempt_id=attempt.id,
        board_id_=board.id,
        card_id=attempt.card_id,
        status=AttemptStatus.STOPPED if waits else AttemptStatus.STOPPING,
        previous_status=attempt.status,
        ended_at=iso(now) if waits else None,
    )
    stopped = events.AttemptStopped(attempt_id=attempt.id, board_id_=board.id, reason="user")
    return [Recorded(changed, now), Recorded(stopped, now)]


def _branch(board: Board, card: Card) -> str:
    """Return `<prefix>/<ticket key>-<slug of the title>`, the original's default template."""
    slug = re.sub(r"[^a-z0-9]+", "-", card.title.lower()).strip("-")[:SLUG_CHARS].strip("-")
    return f"{board.project.ticket_prefix}/" + "-".join(filter(None, (card.ticket_key, slug)))
