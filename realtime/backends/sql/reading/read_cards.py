"""Rows → cards."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from realtime.backends.sql.column_order import read_order
from realtime.backends.sql.gathered import gathered_by_board
from realtime.backends.sql.tables import cards, columns, dependencies, instant
from realtime.kanban.ids import BoardId, CardId, ColumnId
from realtime.kanban.models import Card, GithubIssue, TicketType
from realtime.ports import CardKey

__all__ = ["CARD", "Needed", "card_of", "load_cards"]

#: The dependencies of cards, in order, by board and card.
Needed = Mapping[tuple[str, str], Sequence[CardId]]
#: In the order that `card_of` expects. Cards are sorted by the first.
CARD = cards.c[
    *("sequence", "id", "column_id", "created_at", "updated_at", "issue_number", "issue_url"),
    *("ticket_type", "is_enhanced", "disable_auto_close_on_pr_merge", "title", "ticket_key", "pr_url", "description"),
]


def load_cards(connection: Connection, keys: Collection[CardKey]) -> dict[CardKey, Card]:
    """Return those of the cards that exist."""
    boards, ids = {board_id for board_id, _ in keys}, {card_id for _, card_id in keys}
    # The query may find more than the keys, as two boards may use one card id. The pairs are compared below.
    of_boards = dependencies.c.board_id.in_(boards) & dependencies.c.card_id.in_(ids)
    needed = _load_needed(connection, of_boards)
    found = gathered_by_board(connection, cards.c.board_id.in_(boards) & cards.c.id.in_(ids), cards.c.board_id, *CARD)
    wanted = set(keys)
    rows = [(board_id, row) for board_id, some in found.items() for row in some if (board_id, row[1]) in wanted]
    times = _load_times(connection, {(board_id, row[2]) for board_id, row in rows})
    made = ((card_of(board_id, row, needed), times.get((board_id, row[1]))) for board_id, row in rows)
    return {(card.board_id, card.id): card if at is None else card.renewed(at) for card, at in made}


def card_of(board_id: BoardId, row: list[Any], needed: Needed) -> Card:
    """Return the card of a row with the values of `CARD`."""
    _, id, column_id, created_at, updated_at, issue_number, issue_url, ticket_type, enhanced, stays_open, *texts = row
    title, ticket_key, pr_url, description = texts
    return Card(
        id=id,
        board_id=board_id,
        column_id=column_id,
        title=title,
        created_at=instant(created_at),
        updated_at=instant(updated_at),
        ticket_key=ticket_key,
        pr_url=pr_url,
        disable_auto_close_on_pr_merge=bool(stays_open),
        ticket_type=TicketType(ticket_type) if ticket_type else None,
        is_enhanced=bool(enhanced),
        github_issue=GithubIssue(issue_number, issue_url) if issue_number is not None else None,
        description=description,
        depends_on=tuple(needed.get((board_id, id), ())),
    )


def _load_times(connection: Connection, which: Collection[tuple[BoardId, ColumnId]]) -> dict[CardKey, datetime]:
    """Return the times of cards whose column has them, for the cards of at least these columns."""
    of_boards = columns.c.board_id.in_({board_id for board_id, _ in which})
    query = select(columns).where(of_boards, columns.c.id.in_({column_id for _, column_id in which}))
    rows = connection.execute(query.where(columns.c.renewed != "[]"))
    found = ((row.board_id, read_order(row.card_ids, row.renewed)[1]) for row in rows)
    return {(board_id, card_id): at for board_id, times in found for card_id, at in times.items()}


def _load_needed(connection: Connection, which: ColumnElement[bool]) -> Needed:
    """Return the dependencies of cards, by board and card."""
    found: defaultdict[tuple[str, str], list[CardId]] = defaultdict(list)
    columns = dependencies.c["board_id", "position", "card_id", "depends_on_id"]
    for board_id, rows in gathered_by_board(connection, which, *columns).items():
        for _, card_id, depends_on in rows:
            found[board_id, card_id].append(depends_on)
    return found
