"""The types of a script: its input (`Scene`), its output (`Step`), and the generator of steps (`Script`)."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any, TypeVar
from uuid import UUID

from realtime.kanban.board import Board
from realtime.kanban.commands import Command
from realtime.kanban.ids import AttemptId, CardId, ColumnId
from realtime.kanban.models import ACTIVE_STATUSES, AttemptStatus, Card, Column
from realtime.ports import Attempt

__all__ = ["Json", "Scene", "Script", "Step", "event", "random_uuid"]

#: A JSON object.
Json = dict[str, Any]
#: Id of a column that no board has, so that a command with it is refused.
NOWHERE = ColumnId("demo-nowhere")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Scene:
    """The current state of a board, for the next step of its script."""

    board: Board
    #: Rows of the board's attempts, newest first.
    attempts: Sequence[Attempt]
    now: datetime

    def attempt(self, attempt_id: str) -> Attempt | None:
        """Return one attempt, None if it is not known."""
        return next((attempt for attempt in self.attempts if attempt.id == AttemptId(attempt_id)), None)

    def card(self, card_id: str) -> Card | None:
        """Return one card, None if it is not on the board."""
        return self.board.state.cards.get(CardId(card_id))

    def column(self, title: str) -> Column:
        """Return the column with this title; if there is none, an empty one to which no card can move."""
        return self.board.state.column_titled(title) or Column(NOWHERE, title)

    def active(self, *statuses: AttemptStatus) -> list[Attempt]:
        """Return the attempts in one of `statuses` (without any: all that have not ended), oldest first."""
        wanted = statuses or tuple(ACTIVE_STATUSES)
        return [attempt for attempt in reversed(self.attempts) if attempt.status in wanted]

    def idle(self, title: str) -> list[Card]:
        """Return the cards of a column without an active attempt, from top to bottom."""
        busy = {attempt.card_id for attempt in self.active()}
        return [self.board.state.cards[id] for id in self.column(title).card_ids if id not in busy]


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its commands, then its events, both at once; a step without either is a pause."""

    #: Seconds until the next step of this script, at the usual pace.
    seconds: float
    events: tuple[Json, ...] = ()
    commands: tuple[Command, ...] = ()


#: Yields steps, and receives the scene after each.
Script = Generator[Step, Scene, _T]


def event(name: str, payload: Json, at: str | None = None) -> Json:
    """Return an event in the form of the ingest (docs/ingest.md)."""
    return {"name": name, "payload": payload, **({"at": at} if at else {})}


def random_uuid(rng: Random) -> UUID:
    """Return a version 4 UUID from `rng`; the same seed gives the same ids."""
    return UUID(int=rng.getrandbits(128), version=4)
