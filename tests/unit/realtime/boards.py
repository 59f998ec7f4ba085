"""Boards for pure tests, made by real commands, with readable ids."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from realtime.kanban import events
from realtime.kanban.board import Board, Recorded
from realtime.kanban.changes import StateReplaced
from realtime.kanban.commands import Command, decide
from realtime.kanban.ids import AttemptId, BoardId, CardId, ColumnId
from realtime.kanban.models import DEFAULT_COLUMNS, AttemptRef, AttemptStatus, BoardState, Card, Column, Project
from tests.kit.nodes import BOARD, START

__all__ = [
    "BACKLOG",
    "DONE",
    "LATER",
    "PROGRESS",
    "REVIEW",
    "add_attempt",
    "card_ids",
    "carry_out",
    "make_board",
    "names",
]

BACKLOG, PROGRESS, REVIEW, DONE = (ColumnId(id) for id in ("backlog", "progress", "review", "done"))
#: The time of commands in tests, a while after everything was made.
LATER = START + timedelta(hours=1)


def make_board(needs: dict[str, tuple[str, ...]] | None = None, **cards: tuple[str, ...]) -> Board:
    """Make a board with cards by column, `backlog=("a", "b")`. `needs` are their dependencies."""
    places = {column: cards.get(column, ()) for column in (BACKLOG, PROGRESS, REVIEW, DONE)}
    columns = [
        Column(column, title, tuple(map(CardId, places[column])))
        for column, title in zip(places, DEFAULT_COLUMNS, strict=True)
    ]
    made = [
        Card(
            CardId(id),
            BoardId(BOARD),
            column.id,
            f"card {id}",
            START,
            START,
            ticket_key=f"AB-{n}",
            depends_on=tuple(map(CardId, (needs or {}).get(id, ()))),
        )
        for n, (column, id) in enumerate(((column, id) for column in columns for id in column.card_ids), start=1)
    ]
    board = Board(Project(BoardId(BOARD), "Alpha Board", "/r", START, ticket_prefix="AB"))
    board.apply(
        Recorded(events.BoardStateChanged(board_id_=BOARD), START, (StateReplaced(tuple(columns), tuple(made)),))
    )
    return board


def add_attempt(board: Board, id: str, card: str, status: str) -> None:
    """Add an attempt to the board."""
    board.attempts[AttemptId(id)] = AttemptRef(AttemptId(id), CardId(card), AttemptStatus(status), START)


def carry_out(board: Board, command: Command) -> list[Recorded]:
    """Decide, check that the decision changed nothing, and fold the outcome into `board`."""
    before = board.copy()
    recorded = decide(board, command, LATER)
    assert board == before, "deciding changed the board"
    for one in recorded:
        board.apply(one)
    return recorded


def names(recorded: list[Recorded]) -> list[str]:
    """Return the names of events, in order."""
    return [one.event.type for one in recorded]


def card_ids(state: BoardState) -> dict[str, Any]:
    """Return the ids of cards by column."""
    return {column.id: list(column.card_ids) for column in state.columns.values()}
