"""Commands on a board: their fields, how they are parsed, and what they do.

`decide` is pure: from board, command and time it makes recorded events, or raises a `Refused` with the reason. A
command that changes nothing records nothing (docs/departures.md, row 5). The raw WebSocket, REST and GraphQL use this
one set of rules, which docs/protocol.md describes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal, TypeVar, assert_never

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from realtime.errors import (
    CardBlocked,
    Conflict,
    DependencyCycle,
    DependencyMismatch,
    FieldError,
    InvalidInput,
    NotFound,
    field_errors,
    quoted,
)
from realtime.global_ids import names_thing_of
from realtime.kanban import changes, events
from realtime.kanban.attempts import QueueAttempt, StopAttempt, queue_attempt, stop_attempt
from realtime.kanban.board import Board, Recorded
from realtime.kanban.cards import Cards
from realtime.kanban.dependencies import cycle_text, find_cycle
from realtime.kanban.ids import CardId, ColumnId, Id, new_card_id
from realtime.kanban.input.fields import (
    DESCRIPTION_BYTES,
    MAX_DEPENDENCIES,
    TITLE_CHARS,
    Dependencies,
    Description,
    Flag,
    Index,
    TicketTypeName,
    Title,
)
from realtime.kanban.input.nesting import MAX_LEVELS, deep_fields
from realtime.kanban.models import DONE, IN_PROGRESS, BoardState, Card, Column
from realtime.kanban.projects import DeleteProject, UpdateProject, project_deleted, project_updated

__all__ = ["Command", "CreateCard", "DeleteCard", "MoveCard", "UpdateCard", "decide", "move_refusal", "parse_command"]

_TITLE = f"Its title: 1 to {TITLE_CHARS} characters after trimming."
_DESCRIPTION = f"Its description: at most {DESCRIPTION_BYTES // 1024} KiB of UTF-8."
_TICKET_TYPE = "Its ticket type, in any case."
_DEPENDS_ON = f"The ids of the cards of the board that it depends on: at most {MAX_DEPENDENCIES}."


class _Command(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)


class CreateCard(_Command):
    """Make a card at the end of a column."""

    type: Literal["create_card"] = "create_card"
    column_id: Id = Field(description="The column at whose end the card is made.")
    title: Title = Field(description=_TITLE)
    description: Description | None = Field(default=None, description=_DESCRIPTION)
    ticket_type: TicketTypeName | None = Field(default=None, description=_TICKET_TYPE)
    depends_on: Dependencies = Field(default=(), description=_DEPENDS_ON)
    id: Id | None = Field(
        default=None, description="The id of the new card, if the client chooses it. No card of the board may have it."
    )
    #: Chosen before the decision, so that `decide` needs no randomness; never read from the wire.
    new_id: str = Field(default_factory=new_card_id, init=False)

    @property
    def card_id(self) -> CardId:
        """The id of the new card."""
        return CardId(self.id or self.new_id)


class UpdateCard(_Command):
    """Give a card new values. A field that is not given stays; null clears `description` and `ticketType`."""

    type: Literal["update_card"] = "update_card"
    card_id: Id
    title: Title = Field(default="", description=_TITLE)
    description: Description | None = Field(default=None, description=f"{_DESCRIPTION} Null clears it.")
    ticket_type: TicketTypeName | None = Field(default=None, description=f"{_TICKET_TYPE} Null clears it.")
    is_enhanced: Flag = Field(default=False, description="Whether an agent has improved the text of the card.")
    disable_auto_close_on_pr_merge: Flag = Field(
        default=False,
        alias="disableAutoCloseOnPRMerge",
        description="Whether the card stays open when its pull request is merged.",
    )
    depends_on: Dependencies = Field(default=(), description=_DEPENDS_ON)

    def given(self) -> dict[str, Any]:
        """Return the new values by attribute name of `Card`."""
        names = self.model_fields_set - {"type", "card_id"}
        given = {name: value for name, value in self if name in names}
        if "depends_on" in given:
            given["depends_on"] = tuple(dict.fromkeys(given["depends_on"]))
        return given


class MoveCard(_Command):
    """Move a card to an index of a column, counted without the card; an index beyond the end means the end."""

    type: Literal["move_card"] = "move_card"
    card_id: Id
    to_column_id: Id
    to_index: Index


class DeleteCard(_Command):
    """Delete a card and every dependency on it."""

    type: Literal["delete_card"] = "delete_card"
    card_id: Id


Command = CreateCard | UpdateCard | MoveCard | DeleteCard | QueueAttempt | StopAttempt | UpdateProject | DeleteProject
_C = TypeVar("_C", bound=BaseModel)


def parse_command(kind: type[_C], payload: object) -> _C:
    """Make a command from a JSON object.

    Raises:
        InvalidInput: it is no object, or some fields do not fit; the error names each of them.
    """
    if not isinstance(payload, Mapping):
        raise InvalidInput(FieldError("payload", f"expected a JSON object, got {quoted(payload)}"))
    try:
        # Wire names only, and without the fields that the server chooses.
        fields = dict(payload)
        for key in ("type", *(field.alias for field in kind.model_fields.values() if field.init is False)):
            fields.pop(key, None)
        # Before validation, because models put unknown values into their error messages.
        if deep := deep_fields(fields):
            raise InvalidInput(*(FieldError(name, f"expected at most {MAX_LEVELS} levels of nesting") for name in deep))
        return kind.model_validate(fields, by_alias=True, by_name=False)
    except ValidationError as error:
        raise InvalidInput(*field_errors(error)) from error


def decide(board: Board, command: Command, now: datetime) -> list[Recorded]:
    """Return the events of `command` at the time `now`; an empty list if nothing changes.

    Raises:
        NotFound: `card_not_found`, `column_not_found`, `attempt_not_found`.
        Conflict: `card_is_done`, `card_blocked`, `attempt_active`, `attempt_not_running`.
        InvalidInput: a dependency does not exist or closes a cycle, or a project gets no new value.
    """
    match command:
        case CreateCard():
            return _create(board, command, now)
        case UpdateCard():
            return _update(board, command, now)
        case MoveCard():
            return _move(board, command, now)
        case DeleteCard():
            return _delete(board, command, now)
        case QueueAttempt():
            return queue_attempt(board, command, now)
        case StopAttempt():
            return stop_attempt(board, command, now)
        case UpdateProject():
            return [Recorded(project_updated(board.project, command, now), now)]
        case DeleteProject():
            return [Recorded(project_deleted(board.project), now)]
        case _:
            assert_never(command)


def move_refusal(state: BoardState, card_id: CardId, target: Column) -> Conflict | None:
    """Return why a card may not move to `target`, None if it may (docs/protocol.md, "Commands")."""
    if state.is_done(card_id):
        return Conflict(f"card {card_id} is in {DONE}; a card that is done does not move", "card_is_done")
    waits_for = state.waits_for(card_id) if target.is_titled(IN_PROGRESS) else []
    return CardBlocked(f"card {card_id} waits for cards that are not in {DONE} yet", waits_for) if waits_for else None


def _create(board: Board, command: CreateCard, now: datetime) -> list[Recorded]:
    column = _column(board, command.column_id)
    if command.card_id in board.state.cards:
        raise InvalidInput(FieldError("id", f"expected an id that no card of this board has, got {quoted(command.id)}"))
    if names_thing_of(board.id, command.card_id):
        # As an argument of GraphQL it would name another card.
        message = f"expected an id without the form of a global id of this board, got {quoted(command.id)}"
        raise InvalidInput(FieldError("id", message))
    card = Card(
        id=command.card_id,
        board_id=board.id,
        column_id=column.id,
        title=command.title,
        created_at=now,
        updated_at=now,
        ticket_key=f"{board.project.ticket_prefix}-{board.next_ticket_number}",
        ticket_type=command.ticket_type,
        description=command.description,
        depends_on=tuple(dict.fromkeys(map(CardId, command.depends_on))),
    )
    _check_dependencies(board.state, card)
    note = events.CardCreated(board_id_=board.id, column_id=column.id, card_id=card.id)
    return board.record(note, now, changes.CardCreated(card, len(column.card_ids)))


def _update(board: Board, command: UpdateCard, now: datetime) -> list[Recorded]:
    card = _card(board, command.card_id)
    fields = {name: value for name, value in command.given().items() if getattr(card, name) != value}
    if not fields:
        return []
    if "depends_on" in fields:
        _check_dependencies(board.state, replace(card, depends_on=fields["depends_on"]))
    own = fields.keys() - {"depends_on"}
    if not own:
        # As in the recordings: a change of dependencies alone makes no `card.updated` and renews no `updatedAt`.
        return board.record(None, now, changes.CardUpdated(replace(card, **fields), tuple(fields)))
    note = events.CardUpdated(
        board_id_=board.id, card_id=card.id, changes=command.model_dump(by_alias=True, include=own)
    )
    updated = replace(card, **fields, updated_at=now)
    return board.record(note, now, changes.CardUpdated(updated, (*fields, "updated_at")))


def _move(board: Board, command: MoveCard, now: datetime) -> list[Recorded]:
    card = _card(board, command.card_id)
    target = _column(board, command.to_column_id)
    refusal = move_refusal(board.state, card.id, target)
    if refusal:
        raise refusal
    return board.move(card, target, command.to_index, now)


def _delete(board: Board, command: DeleteCard, now: datetime) -> list[Recorded]:
    card = _card(board, command.card_id)
    state = board.state
    waiting = [state.cards[other.id] for other in Cards.of(state.cards).bare.values() if card.id in other.depends_on]
    freed = (
        changes.CardUpdated(
            replace(other, depends_on=tuple(id for id in other.depends_on if id != card.id)), ("depends_on",)
        )
        for other in waiting
    )
    index = state.columns[card.column_id].card_ids.index(card.id)
    note = events.CardDeleted(board_id_=board.id, card_id=card.id, column_id=card.column_id)
    return board.record(note, now, *freed, changes.CardDeleted(card.id, card.column_id, index, now))


def _card(board: Board, card_id: str) -> Card:
    card = board.state.cards.get(CardId(card_id))
    if card is None:
        raise NotFound(f"no card {card_id!r} on this board", "card_not_found")
    return card


def _column(board: Board, column_id: str) -> Column:
    column = board.state.columns.get(ColumnId(column_id))
    if column is None:
        raise NotFound(f"no column {column_id!r} on this board", "column_not_found")
    return column


def _check_dependencies(state: BoardState, card: Card) -> None:
    unknown = [other for other in card.depends_on if other not in state.cards and other != card.id]
    if unknown:
        raise DependencyMismatch(FieldError("dependsOn", f"expected cards of this board, got {unknown[0]!r}"))
    graph: dict[str, Sequence[str]] = {id: other.depends_on for id, other in Cards.of(state.cards).bare.items()}
    graph[card.id] = card.depends_on
    cycle = find_cycle(graph)
    if cycle:
        raise DependencyCycle(FieldError("dependsOn", f"expected no cycle of dependencies, got {cycle_text(cycle)}"))
