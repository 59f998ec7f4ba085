"""A board as commands and streams see it: project, state, ticket counter and attempts, folded from events.

A `Board` is held in memory for a watched board, and it is loaded for a command. The store reads it from its rows, and
the result must be the same as that of folding the log (`tests/unit/realtime/test_fold.py` compares both).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from pydantic import TypeAdapter

from realtime.clock import parse_iso
from realtime.kanban import changes, events
from realtime.kanban.changes import BoardChange, StateReplaced, apply_all
from realtime.kanban.events import DomainEvent
from realtime.kanban.ids import AttemptId, BoardId, CardId, ticket_number
from realtime.kanban.models import ACTIVE_STATUSES, AttemptRef, AttemptStatus, BoardState, Card, Column, Project
from realtime.kanban.projects import repository_slug

__all__ = ["FOLDED_EVENTS", "GONE_ATTEMPTS", "Board", "Recorded", "board_from_json", "board_to_json"]

#: Names of the events that `Board.apply` reads itself; any other event alters a board through its changes only.
FOLDED_EVENTS = frozenset(
    {
        *("project.created", "project.updated", "project.deleted"),
        *("attempt.queued", "attempt.started", "attempt.status.changed", "attempt.completed", "attempt.stopped"),
    }
)


#: Most deleted attempts that a board remembers.
GONE_ATTEMPTS = 1000


class Recorded(NamedTuple):
    """An event, its time, and its changes of the board."""

    event: DomainEvent
    at: datetime
    changes: tuple[BoardChange, ...] = ()


@dataclass(slots=True)
class Board:
    """The current state of one board. `apply` replaces its parts, which are immutable themselves."""

    project: Project
    state: BoardState = field(default_factory=BoardState)
    #: The number of the next ticket key; keys of a board have no gaps.
    next_ticket_number: int = 1
    #: Attempts of the board by id, in the order in which they became known.
    attempts: dict[AttemptId, AttemptRef] = field(default_factory=dict)
    #: The last attempts that were deleted with their card, in the order of their deletion. A runner may not know of the
    #: deletion and keep reporting; its events change nothing. Once an attempt begins again at another card, it is in
    #: `attempts` as well, and the entry there counts.
    gone: dict[AttemptId, None] = field(default_factory=dict)

    @property
    def id(self) -> BoardId:
        """The id of the project and its board."""
        return self.project.id

    def copy(self) -> Board:
        """Return a board that can be changed without changing this one."""
        # Not `replace`, which takes three times as long: a command copies a board several times.
        return Board(self.project, self.state, self.next_ticket_number, dict(self.attempts), dict(self.gone))

    def newest_attempts(self) -> list[AttemptRef]:
        """Return the attempts, newest first; of two with the same creation time, the one known later comes first."""
        return sorted(self.attempts.values(), key=lambda attempt: attempt.created_at)[::-1]

    def ignores(self, attempt_id: str, at: datetime, begins_at: str | None = None) -> bool:
        """Return whether an event of an attempt changes nothing: the attempt ended later, or was deleted with its card.

        `begins_at` is the card at which the event begins the attempt. If it exists, a deleted attempt begins again.
        """
        known = self.attempts.get(AttemptId(attempt_id))
        if known is not None:
            return known.held_at(at)
        return AttemptId(attempt_id) in self.gone and (begins_at is None or CardId(begins_at) not in self.state.cards)

    def record(self, note: DomainEvent | None, at: datetime, *made: BoardChange) -> list[Recorded]:
        """Return `note`, if there is one, and the `board.state.changed` that carries the changes (docs/ingest.md)."""
        changed = Recorded(events.BoardStateChanged(board_id_=self.id), at, made)
        return [Recorded(note, at), changed] if note else [changed]

    def move(self, card: Card, target: Column, index: int, at: datetime) -> list[Recorded]:
        """Return the events that move `card` to `index` of `target`; none if it is there already."""
        to_index = min(index, len(target.card_ids) - (card.column_id == target.id))
        home = self.state.columns[card.column_id]
        from_index = home.card_ids.index(card.id)
        if home.id == target.id and from_index == to_index:
            return []
        note = events.CardMoved(
            board_id_=self.id,
            card_id=card.id,
            from_column_id=card.column_id,
            to_column_id=target.id,
            to_index=to_index,
        )
        return self.record(note, at, changes.CardMoved(card.id, home.id, from_index, target.id, to_index, at))

    def apply(self, recorded: Recorded, state: BoardState | None = None) -> None:
        """Fold one recorded event into this board.

        `state` is the result of the event's changes, if the caller has folded them into this very state already.
        """
        if recorded.changes:
            self.state = apply_all(self.state, recorded.changes) if state is None else state
            self._count_tickets(recorded.changes)
            self._forget_attempts(recorded.changes)
        if recorded.event.type in FOLDED_EVENTS:
            self._apply_event(recorded.event, recorded.at)

    def _count_tickets(self, made: tuple[BoardChange, ...]) -> None:
        for change in made:
            if isinstance(change, changes.CardCreated):
                self.next_ticket_number += 1
            elif isinstance(change, StateReplaced):
                highest = max((ticket_number(card.ticket_key) for card in change.cards), default=0)
                self.next_ticket_number = highest + 1

    def _forget_attempts(self, made: tuple[BoardChange, ...]) -> None:
        # Attempts stay when their card is missing in a whole state from outside (docs/ingest.md).
        for change in made:
            if isinstance(change, changes.CardDeleted):
                for known in [one for one in self.attempts.values() if one.card_id == change.card_id]:
                    del self.attempts[known.id]
                    self.gone.pop(known.id, None)
                    self.gone[known.id] = None
        while len(self.gone) > GONE_ATTEMPTS:
            del self.gone[next(iter(self.gone))]

    def _apply_event(self, event: DomainEvent, at: datetime) -> None:
        match event:
            case events.ProjectCreated():
                self.project = renamed(self.project, event)
            case events.ProjectUpdated():
                self.project = updated(self.project, event)
            case events.AttemptQueued():
                self._make_attempt(event.attempt_id, AttemptStatus.QUEUED, event.card_id, at)
            case events.AttemptStarted():
                self._make_attempt(event.attempt_id, AttemptStatus.RUNNING, event.card_id, at)
            case events.AttemptStatusChanged():
                self._change_status(event, at)
            case events.AttemptCompleted():
                self._end(AttemptId(event.attempt_id), event.status, at)
            case events.AttemptStopped():
                self._stop(AttemptId(event.attempt_id), at)
            case _:
                pass  # every other event leaves the board as it is; only the store has rows for it

    def _make_attempt(self, attempt_id: str, status: AttemptStatus, card_id: str, at: datetime) -> None:
        if self.ignores(attempt_id, at, card_id):
            return
        # An attempt that starts again keeps its id and its creation time.
        known = self.attempts.get(AttemptId(attempt_id))
        created_at = known.created_at if known else at
        made = AttemptRef(AttemptId(attempt_id), CardId(card_id), status, created_at, updated_at=at)
        self.attempts[made.id] = made

    def _change_status(self, event: events.AttemptStatusChanged, at: datetime) -> None:
        known = self.attempts.get(AttemptId(event.attempt_id))
        if known is None or known.held_at(at):
            return
        ended_at = parse_iso(event.ended_at) if event.ended_at else None
        if ended_at is None and event.status not in ACTIVE_STATUSES:
            # A sender that sends `endedAt: null` does not know when it ended, so the server does not know it either.
            ended_at = known.ended_at or (None if "ended_at" in event.model_fields_set else at)
        self.attempts[known.id] = replace(known, status=event.status, updated_at=at, ended_at=ended_at)

    def _end(self, attempt_id: AttemptId, status: AttemptStatus, at: datetime) -> None:
        known = self.attempts.get(attempt_id)
        if known and not known.held_at(at):
            ended_at = known.ended_at or at
            self.attempts[attempt_id] = replace(known, status=status, updated_at=at, ended_at=ended_at)

    def _stop(self, attempt_id: AttemptId, at: datetime) -> None:
        # While the attempt is `stopping`, its runner still reports the end, with its own time. An end is final.
        known = self.attempts.get(attempt_id)
        if known and known.status in ACTIVE_STATUSES and known.status is not AttemptStatus.STOPPING:
            self._end(attempt_id, AttemptStatus.STOPPED, at)


_BOARD: TypeAdapter[Board] = TypeAdapter(Board)


def board_to_json(board: Board) -> bytes:
    """Encode a board for a store that keeps earlier states of it; columns, cards and attempts keep their order."""
    plain = replace(board.state, cards=dict(board.state.cards))
    return _BOARD.dump_json(replace(board, state=plain))


def board_from_json(text: bytes | str) -> Board:
    """Decode the result of `board_to_json`."""
    return _BOARD.validate_json(text)


def renamed(project: Project, event: events.ProjectCreated) -> Project:
    """Return the project with the name and repository of a repeated `project.created`."""
    return replace(
        project,
        name=event.name,
        repository_path=event.repository_path,
        repository_url=event.repository_url,
        repository_slug=event.repository_slug or repository_slug(event.repository_path, event.repository_url),
    )


def updated(project: Project, event: events.ProjectUpdated) -> Project:
    """Return the project with the values that `project.updated` has."""
    given = event.changes.model_fields_set & {"name", "repository_path", "repository_url", "repository_slug"}
    new = {name: getattr(event.changes, name) for name in given}
    return replace(project, **{name: value for name, value in new.items() if value or name == "repository_url"})
