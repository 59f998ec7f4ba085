"""A database of an older version is brought up to date when it is opened, and nothing of it is lost."""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import aclosing, closing
from pathlib import Path

from realtime.kanban.board import Board
from realtime.kanban.commands import CreateCard
from realtime.node import Node
from realtime.options import StreamOptions
from realtime.position import parse_cursor
from realtime.streams import board_stream
from tests.kit.deadline import deadline
from tests.kit.nodes import BOARD, column_id, create_board, open_node, open_store, publish, take
from tests.kit.publishing import event

#: More than the migration reads at a time.
_LINES = 1100
_PAST, _FUTURE = "2024-05-06T07:08:09.000Z", "2999-01-01T00:00:00.000Z"


async def _live(node: Node, board: Board) -> None:
    for title in ("one", "two"):
        await node.bus.execute(BOARD, CreateCard(column_id=column_id(board.state, "Backlog"), title=title))
    line = {"attemptId": "a1", "boardId": BOARD, "level": "info", "message": "m"}
    for _ in range(2):
        await publish(node, *(event("attempt.log.appended", line) for _ in range(_LINES // 2)))
    await node.bus.execute(BOARD, CreateCard(column_id=column_id(board.state, "Done"), title="three"))


async def _told_since(url: str, after: str, count: int) -> list[tuple[str, str | None, bytes]]:
    async with (
        open_store(url) as store,
        open_node(store) as node,
        aclosing(board_stream(node, BOARD, options=StreamOptions(after=after))) as stream,
    ):
        return [(one.type, one.cursor, one.payload_json()) for one in (await take(stream, count, units=20))[1:]]


def _undo_retention(connection: sqlite3.Connection) -> None:
    """Undo 0003: nobody knows when an event was written, and nothing was ever cut off."""
    connection.execute("ALTER TABLE events DROP COLUMN recorded_at")
    connection.execute("ALTER TABLE channels DROP COLUMN pruned")
    connection.execute("UPDATE alembic_version SET version_num = '0002'")
    connection.commit()


def _make_older(path: Path) -> None:
    """Undo 0003 and 0002: no snapshots, and cards in the log that do not know their board."""
    with closing(sqlite3.connect(path)) as connection:
        _undo_retention(connection)
        connection.execute("DROP TABLE snapshots")
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
        for sequence, text in connection.execute(
            "SELECT sequence, changes FROM events WHERE changes NOTNULL"
        ).fetchall():
            changes = json.loads(text)
            for change in changes:
                for card in (*change.get("cards", ()), *filter(None, [change.get("card")])):
                    del card["board_id"]
            connection.execute("UPDATE events SET changes = ? WHERE sequence = ?", (json.dumps(changes), sequence))
        connection.commit()


async def test_log_of_the_first_version_is_replayed(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'b.db'}"
    async with deadline(60):
        async with open_store(url) as store, open_node(store) as node:
            board = await create_board(node)
            async with aclosing(board_stream(node, BOARD)) as stream:
                _, state = await take(stream, 2)
            await _live(node, board)
        assert state.cursor is not None
        before = await _told_since(url, state.cursor, _LINES + 3 + 1)
        _make_older(tmp_path / "b.db")
        assert await _told_since(url, state.cursor, _LINES + 3 + 1) == before
    assert [type for type, _, _ in before].count("state") == 3


async def test_events_of_the_second_version_are_as_old_as_their_senders_said(tmp_path: Path) -> None:
    file = tmp_path / "b.db"
    url = f"sqlite+aiosqlite:///{file}"
    status = {"projectId": BOARD}
    async with open_store(url) as store, open_node(store) as node:
        await create_board(node)
        told = [event("git.status.changed", status, at) for at in (_PAST, _FUTURE)]
        await publish(node, *told, event("agent.registered", {"agent": "A"}, _PAST))
        board = await store.board(BOARD)
    with closing(sqlite3.connect(file)) as database:
        _undo_retention(database)
    before = int(time.time() * 1000)
    async with open_store(url) as store, open_node(store) as node:
        assert await store.board(BOARD) == board
        (more,) = await publish(node, event("git.status.changed", status, _PAST))
    with closing(sqlite3.connect(file)) as database:
        rows = database.execute("SELECT at, recorded_at FROM events ORDER BY sequence").fetchall()
        pruned = database.execute("SELECT pruned FROM channels").fetchall()
    assert parse_cursor(more.cursor).offset == 4
    assert pruned == [(0,), (0,)]
    created, past, future, everybody, new = rows
    assert all(at == recorded for at, recorded in (created, past, everybody))
    # An event of the future would keep itself, and all that follow it, for ever.
    assert before <= future[1] < future[0]
    assert new[1] >= before > new[0]
