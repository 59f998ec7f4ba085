"""Rows → boards and projects."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, null, select, type_coerce, union_all

from realtime.backends.sql.column_order import ColumnOrder
from realtime.backends.sql.gathered import gathered_by_board
from realtime.backends.sql.tables import (
    attempts,
    cards,
    channels,
    columns,
    dependencies,
    gone_attempts,
    instant,
    projects,
)
from realtime.kanban.board import Board
from realtime.kanban.cards import Cards
from realtime.kanban.ids import AttemptId, BoardId, CardId, ColumnId
from realtime.kanban.models import (
    AttemptRef,
    AttemptStatus,
    BoardState,
    Card,
    Column,
    GithubIssue,
    Project,
    TicketType,
)
from realtime.messages.channels import EVERYBODY, Channel, board_channel
from realtime.ports import CardKey, StoredBoard

__all__ = ["load_board", "load_boards", "load_cards", "load_offset", "load_project", "load_projects"]

#: The dependencies of cards, in order, by board and card.
_Needed = dict[tuple[str, str], tuple[CardId, ...]]
# In the order that `_card` expects. The first column after the board is the one by which cards are sorted.
_OF_CARD = cards.c[
    *("board_id", "sequence", "id", "column_id", "created_at", "updated_at", "issue_number", "issue_url"),
    *("ticket_type", "is_enhanced", "disable_auto_close_on_pr_merge", "title", "ticket_key", "pr_url", "description"),
]


def load_board(connection: Connection, board_id: BoardId) -> StoredBoard | None:
    """Return the board and the position of its rows, None if it does not exist."""
    return (load_boards(connection, [board_id])).get(board_id)


def load_boards(connection: Connection, board_ids: Collection[BoardId]) -> dict[BoardId, StoredBoard]:
    """Return those of the boards that exist; the number of statements does not depend on the number of boards."""
    rows = list(connection.execute(select(projects).where(projects.c.id.in_(board_ids))))
    found = [BoardId(row.id) for row in rows]
    states, (refs, gone) = _load_states(connection, found), _load_refs(connection, found)
    offsets = _load_offsets(connection, [EVERYBODY, *map(board_channel, found)])
    return {
        board_id: StoredBoard(
            Board(_project(row), states[board_id], row.next_ticket_number, refs[board_id], gone[board_id]),
            offsets[board_channel(board_id)],
            offsets[EVERYBODY],
        )
        for board_id, row in zip(found, rows, strict=True)
    }


def load_project(connection: Connection, project_id: BoardId) -> Project | None:
    """Return a project, None if it does not exist."""
    row = connection.execute(select(projects).where(projects.c.id == project_id)).one_or_none()
    return None if row is None else _project(row)


def load_projects(connection: Connection, *which: ColumnElement[bool]) -> list[Project]:
    """Return all matching projects, oldest first."""
    query = select(projects).where(*which).order_by(projects.c.created_at, projects.c.sequence)
    return [_project(row) for row in connection.execute(query)]


def load_cards(connection: Connection, keys: Collection[CardKey]) -> dict[CardKey, Card]:
    """Return those of the cards that exist."""
    boards, ids = {board_id for board_id, _ in keys}, {card_id for _, card_id in keys}
    # The query may find more than the keys, as two boards may use one card id. The pairs are compared below.
    of_boards = dependencies.c.board_id.in_(boards) & dependencies.c.card_id.in_(ids)
    needed = _load_needed(connection, of_boards)
    found = gathered_by_board(connection, cards.c.board_id.in_(boards) & cards.c.id.in_(ids), *_OF_CARD)
    wanted = set(keys)
    rows = [(board_id, row) for board_id, some in found.items() for row in some if (board_id, row[1]) in wanted]
    times = _load_times(connection, {(board_id, row[2]) for board_id, row in rows})
    made = ((_card(board_id, row, needed), times.get((board_id, row[1]))) for board_id, row in rows)
    return {(card.board_id, card.id): card if at is None else card.renewed(at) for card, at in made}


def load_offset(connection: Connection, channel: Channel) -> int:
    """Return the offset of a channel's last event, 0 before the first."""
    found = connection.scalar(select(channels.c.offset).where(channels.c.channel == channel))
    return found or 0


def _load_offsets(connection: Connection, which: list[Channel]) -> dict[Channel, int]:
    """Return the offset of each channel's last event, 0 before the first."""
    rows = connection.execute(select(channels).where(channels.c.channel.in_(which)))
    return {**dict.fromkeys(which, 0), **{Channel(row.channel): row.offset for row in rows}}


def _load_states(connection: Connection, board_ids: list[BoardId]) -> dict[BoardId, BoardState]:
    needed = _load_needed(connection, dependencies.c.board_id.in_(board_ids))
    rows = gathered_by_board(connection, cards.c.board_id.in_(board_ids), *_OF_CARD)
    found = {one: {row[1]: _card(one, row, needed) for row in rows.get(one, ())} for one in board_ids}
    query = select(columns).where(columns.c.board_id.in_(board_ids)).order_by(columns.c.position)
    made: dict[BoardId, dict[ColumnId, Column]] = {board_id: {} for board_id in board_ids}
    times: dict[BoardId, dict[CardId, datetime]] = {board_id: {} for board_id in board_ids}
    for row in connection.execute(query):
        order, own = ColumnOrder.read(row.card_ids, row.renewed), found[row.board_id]
        # The ids of the card objects themselves, so that each id is in memory once.
        card_ids = tuple(own[card_id].id for card_id in order.card_ids)
        made[row.board_id][row.id] = Column(ColumnId(row.id), row.title, card_ids)
        times[row.board_id] |= _times(order)
    return {board_id: BoardState(made[board_id], Cards(found[board_id], times[board_id])) for board_id in board_ids}


def _load_times(connection: Connection, which: Collection[tuple[BoardId, ColumnId]]) -> dict[CardKey, datetime]:
    """Return the times of cards whose column has them, for the cards of at least these columns."""
    of_boards = columns.c.board_id.in_({board_id for board_id, _ in which})
    query = select(columns).where(of_boards, columns.c.id.in_({column_id for _, column_id in which}))
    rows = connection.execute(query.where(columns.c.renewed != "[]"))
    found = ((row.board_id, _times(ColumnOrder.read(row.card_ids, row.renewed))) for row in rows)
    return {(board_id, card_id): at for board_id, times in found for card_id, at in times.items()}


def _times(order: ColumnOrder) -> dict[CardId, datetime]:
    # Cards that were displaced together share one datetime object.
    instants = {at: instant(at) for at in order.times if at is not None}
    return {card_id: instants[at] for card_id, at in order.renewed()}


def _load_needed(connection: Connection, which: ColumnElement[bool]) -> _Needed:
    """Return the dependencies of cards, by board and card."""
    found: defaultdict[tuple[str, str], list[CardId]] = defaultdict(list)
    columns = dependencies.c["board_id", "position", "card_id", "depends_on_id"]
    for board_id, rows in gathered_by_board(connection, which, *columns).items():
        for _, card_id, depends_on in rows:
            found[board_id, card_id].append(depends_on)
    return {card: tuple(others) for card, others in found.items()}


def _load_refs(
    connection: Connection, board_ids: list[BoardId]
) -> tuple[dict[BoardId, dict[AttemptId, AttemptRef]], dict[BoardId, dict[AttemptId, None]]]:
    """Return the attempts of boards, and the deleted attempts, each in order; with one statement."""
    columns = attempts.c["board_id", "id", "sequence", "card_id", "status", "created_at", "updated_at", "ended_at"]
    known = select(*columns).where(attempts.c.board_id.in_(board_ids))
    nothing = (type_coerce(null(), column.type) for column in columns[3:])
    gone = select(*gone_attempts.c["board_id", "attempt_id", "sequence"], *nothing)
    both = union_all(known, gone.where(gone_attempts.c.board_id.in_(board_ids)))
    refs: dict[BoardId, dict[AttemptId, AttemptRef]] = {board_id: {} for board_id in board_ids}
    ended: dict[BoardId, dict[AttemptId, None]] = {board_id: {} for board_id in board_ids}
    for row in connection.execute(both.order_by("sequence")):
        if row.card_id is None:
            ended[row.board_id][row.id] = None
        else:
            times = (row.created_at, row.updated_at, row.ended_at)
            refs[row.board_id][row.id] = AttemptRef(row.id, row.card_id, AttemptStatus(row.status), *times)
    return refs, ended


def _project(row: Row[Any]) -> Project:
    return Project(
        id=BoardId(row.id),
        name=row.name,
        repository_path=row.repository_path,
        created_at=row.created_at,
        repository_url=row.repository_url,
        repository_slug=row.repository_slug,
        ticket_prefix=row.ticket_prefix,
        status=row.status,
    )


def _card(board_id: BoardId, row: list[Any], needed: _Needed) -> Card:
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
        depends_on=needed.get((board_id, id), ()),
    )
