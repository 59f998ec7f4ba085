"""The words of a script: what it is shown (`Scene`), what it asks for (`Step`), how the two alternate (`Script`)."""

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

#: An object as it travels.
Json = dict[str, Any]
#: Id of a column that no board has; a command that names it is refused.
NOWHERE = ColumnId("demo-nowhere")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Scene:
    """A board as it stands when the script is asked what happens next."""

    board: Board
    #: Rows of the board's attempts, newest created first.
    attempts: Sequence[Attempt]
    now: datetime

    def attempt(self, attempt_id: str) -> Attempt | None:
        """Return one attempt, None when it is not known."""
        return next((attempt for attempt in self.attempts if attempt.id == AttemptId(attempt_id)), None)

    def card(self, card_id: str) -> Card | None:
        """Return one card, None when it is not on the board (any more)."""
        return self.board.state.cards.get(CardId(card_id))

    def column(self, title: str) -> Column:
        """Return the column in the role of `title`; a board without it gives an empty one that takes no cards."""
        return self.board.state.column_titled(title) or Column(NOWHERE, title)

    def active(self, *statuses: AttemptStatus) -> list[Attempt]:
        """Return the attempts in one of `statuses` (none given: all that are not over), the oldest first."""
        wanted = statuses or tuple(ACTIVE_STATUSES)
        return [attempt for attempt in reversed(self.attempts) if attempt.status in wanted]

    def idle(self, title: str) -> list[Card]:
        """Return the cards of a column that nobody works on, from top to bottom."""
        busy = {attempt.card_id for attempt in self.active()}
        return [self.board.state.cards[id] for id in self.column(title).card_ids if id not in busy]


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happens at once: first the commands, then the events; nothing of either is a pause."""

    #: Seconds until the next step of this script, at the usual pace.
    seconds: float
    events: tuple[Json, ...] = ()
    commands: tuple[Command, ...] = ()


#: Yields what happens, and is sent the scene after it.
Script = Generator[Step, Scene, _T]


def event(name: str, payload: Json, at: str | None = None) -> Json:
    """Return an event as the ingest takes it (docs/ingest.md)."""
    return {"name": name, "payload": payload, **({"at": at} if at else {})}


def random_uuid(rng: Random) -> UUID:
    """Return a version 4 UUID made of `rng`, so that the same seed gives the same ids."""
    return UUID(int=rng.getrandbits(128), version=4)
