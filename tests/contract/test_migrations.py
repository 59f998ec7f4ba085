"""A database of an older version is brought up to date when it is opened, and nothing of it is lost."""

from __future__ import annotations

import json
import sqlite3
from contextlib import aclosing, closing
from pathlib import Path

from realtime.kanban.board import Board
from realtime.kanban.commands import CreateCard
from realtime.node import Node
from realtime.options import StreamOptions
from realtime.streams import board_stream
from tests.kit.deadline import deadline
from tests.kit.nodes import BOARD, column_id, create_board, open_node, open_store, publish, take
from tests.kit.publishing import event

#: More than the migration reads at a time.
_LINES = 1100


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


def _make_older(path: Path) -> None:
    """Undo 0002: no snapshots, and cards in the log that do not know their board."""
    with closing(sqlite3.connect(path)) as connection:
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
