"""Pruning the log: finds channels whose log is too long or too old, and deletes a piece of one log."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, delete, exists, false, func, or_, select, update

from realtime.backends.sql.reading.read_history import load_past_board
from realtime.backends.sql.tables import channels, events, request_keys, snapshots
from realtime.backends.sql.upsert import insert
from realtime.kanban.board import board_to_json
from realtime.kanban.ids import BoardId
from realtime.messages.channels import ACCESS, Channel, board_of
from realtime.ports import Horizon

__all__ = ["load_prunable", "prune"]


def load_prunable(connection: Connection, horizon: Horizon) -> list[Channel]:
    """Return the channels with events older than the horizon."""
    found = connection.scalars(select(channels.c.channel).where(channels.c.channel != ACCESS, _reaches_behind(horizon)))
    return [Channel(channel) for channel in found]


def prune(connection: Connection, channel: Channel, horizon: Horizon, limit: int) -> int:
    """Delete up to `limit` events of a channel that are older than the horizon; return the number of deleted events."""
    query = select(*channels.c["offset", "pruned"]).where(channels.c.channel == channel)
    row = connection.execute(query.with_for_update()).one_or_none()
    if row is None:
        return 0
    pruned, head = int(row.pruned), int(row.offset)
    cut = _cut(connection, channel, pruned, head, horizon, limit)
    if cut == pruned:
        return 0
    board_id = board_of(channel)
    if board_id is not None:
        _snapshot_at_cut(connection, board_id, cut)
    connection.execute(delete(events).where(events.c.channel == channel, events.c.offset <= cut))
    connection.execute(delete(request_keys).where(request_keys.c.channel == channel, request_keys.c.after < cut))
    connection.execute(update(channels).where(channels.c.channel == channel).values(pruned=cut))
    return cut - pruned


def _reaches_behind(horizon: Horizon) -> ColumnElement[bool]:
    behind: list[ColumnElement[bool]] = [false()]
    if horizon.newest_events is not None:
        behind.append(channels.c.offset - channels.c.pruned > horizon.newest_events)
    if horizon.recorded_before is not None:
        oldest = (events.c.channel == channels.c.channel) & (events.c.offset == channels.c.pruned + 1)
        behind.append(exists().where(oldest, events.c.recorded_at < horizon.recorded_before))
    return or_(*behind)


def _cut(connection: Connection, channel: Channel, pruned: int, head: int, horizon: Horizon, limit: int) -> int:
    """Return the offset up to which events are deleted, at most `limit` after `pruned`."""
    last = min(pruned + limit, head)
    cut = pruned
    if horizon.newest_events is not None:
        cut = max(cut, head - horizon.newest_events)
    if horizon.recorded_before is not None:
        query = select(func.min(events.c.offset)).where(events.c.channel == channel, events.c.offset > pruned)
        # Not beyond this piece, so that the cost does not grow with the log.
        query = query.where(events.c.offset <= last, events.c.recorded_at >= horizon.recorded_before)
        young = connection.scalar(query)
        cut = max(cut, last if young is None else young - 1)
    return min(cut, last)


def _snapshot_at_cut(connection: Connection, board_id: BoardId, cut: int) -> None:
    """Store a snapshot of the board at the cut, in place of older ones: from now on, folding starts there.

    If the board did not exist at the cut, no snapshot remains, and folding starts without a board.
    """
    board = load_past_board(connection, board_id, cut)
    if board is not None:
        row = {"board_id": board_id, "offset": cut, "board": board_to_json(board).decode()}
        connection.execute(insert(snapshots).on_conflict_do_nothing(), row)
    older = snapshots.c.offset < cut if board is not None else snapshots.c.offset <= cut
    connection.execute(delete(snapshots).where(snapshots.c.board_id == board_id, older))
