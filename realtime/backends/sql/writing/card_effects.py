"""Effects of a board's change on the rows of cards and dependencies: change → statements. Pure.

A change carries the whole card, so its row needs no fold. `board_rows` writes what depends on other cards.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, assert_never

from sqlalchemy import BindParameter, Executable, and_, bindparam, delete, func, or_, select, update

from realtime.backends.sql.prepared import Insertion, Replacement
from realtime.backends.sql.tables import cards, columns, dependencies, milliseconds
from realtime.backends.sql.upsert import insert
from realtime.kanban.changes import BoardChange, CardCreated, CardDeleted, CardMoved, CardUpdated, StateReplaced
from realtime.kanban.ids import BoardId
from realtime.kanban.models import Card

__all__ = ["DELETE_BOARD", "effects"]

Effect = tuple[Executable, dict[str, Any]] | tuple[Insertion, tuple[Any, ...]]

_board: BindParameter[str] = bindparam("board")
_here = cards.c.board_id == _board
_this = and_(_here, cards.c.id == bindparam("card"))

_add_card = Insertion(insert(cards), *cards.c.keys())
_next_sequence = (
    select(func.coalesce(func.max(cards.c.sequence), 0) + 1).where(cards.c.board_id == _board)
).scalar_subquery()
_add_card_last = insert(cards).values(sequence=_next_sequence)
_put_card = insert(cards)
# The row exists. Its column and its place in the order are those of other changes.
_set_card = Replacement(
    _put_card.on_conflict_do_update(
        index_elements=["board_id", "id"],
        set_={name: _put_card.excluded[name] for name in cards.c.keys()[cards.c.keys().index("title") :]},
    ),
    *cards.c.keys(),
    keys=2,
)
_put_into = update(cards).where(_this).values(column_id=bindparam("to"))
_delete_card = delete(cards).where(_this)
_add_dependency = Insertion(insert(dependencies), *dependencies.c.keys())
_delete_dependencies = delete(dependencies).where(
    dependencies.c.board_id == _board, dependencies.c.card_id == bindparam("card")
)
_delete_both_ways = delete(dependencies).where(
    dependencies.c.board_id == _board,
    or_(dependencies.c.card_id == bindparam("card"), dependencies.c.depends_on_id == bindparam("card")),
)
#: Delete all rows of a board's state; parameter `board`.
DELETE_BOARD = tuple(delete(table).where(table.c.board_id == _board) for table in (dependencies, cards, columns))


def effects(board_id: BoardId, change: BoardChange) -> Iterator[Effect]:
    """Yield the effects of `change` on the rows of a board, in order."""
    match change:
        case CardCreated(card=card):
            yield _add_card_last, {"board": board_id, "board_id": board_id, "id": card.id, **_values(card)}
            yield from _dependencies(board_id, card)
        case CardUpdated(card=card, fields=fields):
            yield _set_card, _row(board_id, card, 0)
            if "depends_on" in fields:
                yield _delete_dependencies, {"board": board_id, "card": card.id}
                yield from _dependencies(board_id, card)
        case CardMoved(card_id=card_id, from_column_id=source, to_column_id=target):
            if source != target:
                yield _put_into, {"board": board_id, "card": card_id, "to": target}
        case CardDeleted(card_id=card_id):
            this = {"board": board_id, "card": card_id}
            yield _delete_both_ways, this
            yield _delete_card, this
        case StateReplaced():
            yield from _replaced(board_id, change)
        case _:
            assert_never(change)


def _replaced(board_id: BoardId, change: StateReplaced) -> Iterator[Effect]:
    for statement in DELETE_BOARD:
        yield statement, {"board": board_id}
    for n, card in enumerate(change.cards, start=1):
        yield _add_card, _row(board_id, card, n)
    for card in change.cards:
        yield from _dependencies(board_id, card)


def _dependencies(board_id: BoardId, card: Card) -> Iterator[Effect]:
    for n, other in enumerate(card.depends_on):
        yield _add_dependency, (board_id, card.id, other, n)


def _row(board_id: BoardId, card: Card, sequence: int) -> tuple[Any, ...]:
    """Return the whole row, with values in the order and form of the table."""
    column_id, *others, created_at, updated_at = _values(card).values()
    return board_id, card.id, column_id, sequence, *others, milliseconds(created_at), milliseconds(updated_at)


def _values(card: Card) -> dict[str, Any]:
    """Return the values of a card's row, in the order of the table."""
    issue = card.github_issue
    return {
        "column_id": card.column_id,
        "title": card.title,
        "description": card.description,
        "ticket_key": card.ticket_key,
        "ticket_type": card.ticket_type.value if card.ticket_type else None,
        "pr_url": card.pr_url,
        "is_enhanced": card.is_enhanced,
        "disable_auto_close_on_pr_merge": card.disable_auto_close_on_pr_merge,
        "issue_number": issue.issue_number if issue else None,
        "issue_url": issue.url if issue else None,
        "created_at": card.created_at,
        "updated_at": card.updated_at,
    }
