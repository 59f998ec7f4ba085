"""A database of an older version is migrated when it is opened, and nothing is lost."""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import aclosing, closing
from pathlib import Path
from typing import Any

from realtime.backends.sql.column_order import read_order
from realtime.backends.sql.tables import milliseconds
from realtime.global_ids import tag_of
from realtime.kanban.board import Board
from realtime.kanban.commands import CreateCard, DeleteCard, MoveCard
from realtime.kanban.ids import AttemptId, BoardId, ColumnId
from realtime.messages.options import StreamOptions
from realtime.messages.position import parse_cursor
from realtime.node import Node
from realtime.writing.ingest_plan import Sender
from tests.kit.attempt_contents import items_of, lines_of
from tests.kit.deadline import deadline
from tests.kit.envelope_streams import board_stream
from tests.kit.nodes import BOARD, column_id, create_board, incoming, open_node, open_store, order_of, publish, take
from tests.kit.older_database import undo_boards_of_attempts, undo_offsets_of_entries
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


async def _replayed_since(url: str, after: str, count: int) -> list[tuple[str, str | None, bytes]]:
    async with (
        open_store(url) as store,
        open_node(store) as node,
        aclosing(board_stream(node, BOARD, options=StreamOptions(after=after))) as stream,
    ):
        return [(one.type, one.cursor, one.payload_json()) for one in (await take(stream, count, units=20))[1:]]


def _undo_lists(connection: sqlite3.Connection) -> None:
    """Undo 0005 and later migrations: each card's own row has its column order and its time again."""
    undo_boards_of_attempts(connection)
    connection.execute("DROP INDEX cards_by_column")
    connection.execute("ALTER TABLE cards ADD COLUMN position INTEGER NOT NULL DEFAULT 0")
    connection.execute("CREATE INDEX cards_by_place ON cards (board_id, column_id, position)")
    for board_id, *texts in connection.execute("SELECT board_id, card_ids, renewed FROM columns").fetchall():
        listed, displaced = read_order(*texts)
        times = {id: milliseconds(at) for id, at in displaced.items()}
        rows = [(n, times.get(id), board_id, id) for n, id in enumerate(listed)]
        connection.executemany(
            "UPDATE cards SET position = ?, updated_at = coalesce(?, updated_at) WHERE board_id = ? AND id = ?", rows
        )
    for name in ("card_ids", "renewed"):
        connection.execute(f"ALTER TABLE columns DROP COLUMN {name}")
    connection.execute("UPDATE alembic_version SET version_num = '0004'")
    connection.commit()


def _undo_retention(connection: sqlite3.Connection) -> None:
    """Undo 0003 and later migrations: no time of writing, and no mark of pruning."""
    _undo_lists(connection)
    connection.execute("ALTER TABLE events DROP COLUMN recorded_at")
    connection.execute("ALTER TABLE channels DROP COLUMN pruned")
    connection.execute("UPDATE alembic_version SET version_num = '0002'")
    connection.commit()


def _make_older(path: Path) -> None:
    """Undo 0003 and 0002: no snapshots, and cards in the log without the id of their board."""
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
    url = f"sqlite:///{tmp_path / 'b.db'}"
    async with deadline(60):
        async with open_store(url) as store, open_node(store) as node:
            board = await create_board(node)
            async with aclosing(board_stream(node, BOARD)) as stream:
                _, state = await take(stream, 2)
            await _live(node, board)
        assert state.cursor is not None
        before = await _replayed_since(url, state.cursor, _LINES + 3 + 1)
        _make_older(tmp_path / "b.db")
        assert await _replayed_since(url, state.cursor, _LINES + 3 + 1) == before
    assert [type for type, _, _ in before].count("state") == 3


async def test_events_of_the_second_version_are_as_old_as_their_senders_said(tmp_path: Path) -> None:
    file = tmp_path / "b.db"
    url = f"sqlite:///{file}"
    status = {"projectId": BOARD}
    async with open_store(url) as store, open_node(store) as node:
        await create_board(node)
        sent = [event("git.status.changed", status, at) for at in (_PAST, _FUTURE)]
        await publish(node, *sent, event("agent.registered", {"agent": "A"}, _PAST))
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
    # An event of the future would protect itself and all later events from pruning for ever.
    assert before <= future[1] < future[0]
    assert new[1] >= before > new[0]


def _to_top(card: CreateCard, target: ColumnId) -> MoveCard:
    return MoveCard(card_id=card.card_id, to_column_id=target, to_index=0)


async def _move_about(node: Node, board_id: BoardId) -> CreateCard:
    """Make a board whose cards are not in order of creation; return a card that was not moved itself."""
    state = (await create_board(node, board_id)).state
    backlog, done = column_id(state, "Backlog"), column_id(state, "Done")
    first, second, third = made = [CreateCard(column_id=backlog, title=title) for title in "abc"]
    await node.bus.execute(board_id, *made)
    await node.bus.execute(board_id, _to_top(third, backlog))
    await node.bus.execute(board_id, _to_top(first, done))
    return second


async def test_cards_of_the_fourth_version_keep_their_places_and_times(tmp_path: Path) -> None:
    file, both = tmp_path / "b.db", [BOARD, BoardId("p2")]
    url = f"sqlite:///{file}"
    async with open_store(url) as store, open_node(store) as node:
        card, _ = [await _move_about(node, board_id) for board_id in both]
        before = await store.boards_by_id(both)
    with closing(sqlite3.connect(file)) as database:
        _undo_lists(database)
    async with open_store(url) as store, open_node(store) as node:
        after = await store.boards_by_id(both)
        assert after == before
        assert [order_of(one.board) for one in after.values()] == [order_of(one.board) for one in before.values()]
        moved = await node.bus.execute(BOARD, _to_top(card, column_id(before[BOARD].board.state, "Review")))
        stored = await store.board(BOARD)
    assert stored is not None
    assert stored.board == moved.board


def _of(board_id: BoardId, **payload: object) -> dict[str, object]:
    return {"boardId": board_id, "attemptId": "a1", **payload}


def _lines(board_id: BoardId, *messages: str) -> list[dict[str, Any]]:
    return [event("attempt.log.appended", _of(board_id, level="info", message=one)) for one in messages]


def _items(board_id: BoardId, *texts: str) -> list[dict[str, Any]]:
    items = [{"type": "error", "timestamp": _PAST, "text": text} for text in texts]
    return [event("attempt.conversation.appended", _of(board_id, item=item)) for item in items]


def _single(board_id: BoardId, word: str) -> list[dict[str, Any]]:
    return [
        event("attempt.todos.updated", _of(board_id, todos={"total": 1, "completed": 0, "items": [], "word": word})),
        event("attempt.session.recorded", _of(board_id, sessionId=word)),
    ]


async def test_rows_of_the_sixth_version_get_their_boards_from_the_log(tmp_path: Path) -> None:
    file, other, third = tmp_path / "b.db", BoardId("p2"), BoardId("p3")
    url = f"sqlite:///{file}"
    async with open_store(url) as store, open_node(store) as node:
        for board_id in (BOARD, other, third):
            await create_board(node, board_id)
        await publish(node, event("attempt.queued", _of(BOARD, cardId="k", agent="A")))
        await publish(node, *_lines(BOARD, "pruned"), *_items(BOARD, "pruned"))
        await publish(node, *_lines(other, "b1"), *_lines(BOARD, "a1"), *_items(other, "b1"), *_items(BOARD, "a1"))
        await publish(node, *_single(BOARD, "a"), *_single(other, "b"), *_single(third, "c"))
        await publish(node, event("attempt.log.appended", _of(BOARD, level="info", message="?") | {"attemptId": "x"}))
        await publish(node, event("project.deleted", {"projectId": third}))
    with closing(sqlite3.connect(file)) as database:
        undo_boards_of_attempts(database)
        # The log was pruned after the first line and item, and it does not contain the attempt `x`, which was never
        # queued.
        database.execute("DELETE FROM events WHERE payload LIKE '%pruned%' OR payload LIKE '%\"x\"%'")
        database.commit()
    async with open_store(url) as store:
        assert [line.message for line in await lines_of(store, "a1")] == ["pruned", "a1"]
        assert [line.message for line in await lines_of(store, "a1", other)] == ["b1"]
        assert [item["text"] for item in await items_of(store, "a1")] == ["pruned", "a1"]
        assert [item["text"] for item in await items_of(store, "a1", other)] == ["b1"]
        assert [line.message for line in await lines_of(store, "x", BoardId(""))] == ["?"]
        todos = [await store.todos(board_id, AttemptId("a1")) for board_id in (BOARD, other, third)]
        attempt = await store.attempt(BOARD, AttemptId("a1"))
        assert await store.boards_of_attempt(AttemptId("a1")) == {BOARD: True, other: False}
    assert [one and one["word"] for one in todos] == ["a", "b", None]
    assert attempt is not None
    assert attempt.session_id == "a"


async def test_attempts_of_the_sixth_version_go_with_cards_that_were_deleted(tmp_path: Path) -> None:
    file, attempts = tmp_path / "b.db", [AttemptId(id) for id in ("gone", "stays", "outside")]
    url = f"sqlite:///{file}"
    async with open_store(url) as store, open_node(store) as node:
        backlog = column_id((await create_board(node)).state, "Backlog")
        for card in ("gone", "stays"):
            await node.bus.execute(BOARD, CreateCard(column_id=backlog, title="t", id=card))
        await node.bus.execute(BOARD, DeleteCard(card_id="gone"))
        for id in attempts:
            of = {"boardId": BOARD, "attemptId": id}
            await publish(node, event("attempt.queued", {**of, "cardId": id, "agent": "A"}, _PAST))
            await publish(node, event("attempt.log.appended", {**of, "level": "info", "message": "m"}))
    with closing(sqlite3.connect(file)) as database:
        undo_boards_of_attempts(database)
    async with open_store(url) as store:
        assert {one.id for one in await store.attempts(BOARD)} == {"stays", "outside"}
        assert [len(await lines_of(store, id)) for id in attempts] == [0, 1, 1]
        stored = await store.board(BOARD)
    assert stored is not None
    assert list(stored.board.gone) == ["gone"]


async def test_boards_of_an_older_version_are_found_by_their_tags(tmp_path: Path) -> None:
    file, board_ids = tmp_path / "b.db", (BOARD, BoardId("Ünïcödé"))
    async with open_store(f"sqlite:///{file}") as store, open_node(store) as node:
        for board_id in board_ids:
            await create_board(node, board_id)
    with closing(sqlite3.connect(file)) as database:
        undo_offsets_of_entries(database)
        database.execute("DROP TABLE board_tags")
        database.execute("UPDATE alembic_version SET version_num = '0022'")
        database.commit()
    async with open_store(f"sqlite:///{file}") as store:
        tags = {tag_of(board_id): board_id for board_id in board_ids}
        assert await store.boards_of_tags(tags) == tags


async def test_ids_of_events_from_before_the_keys_are_known_to_every_reporter(tmp_path: Path) -> None:
    file = tmp_path / "b.db"
    line = event("attempt.log.appended", {"attemptId": "a1", "boardId": BOARD, "level": "info", "message": "m"})
    async with open_store(f"sqlite:///{file}") as store, open_node(store) as node:
        await create_board(node)
        first, _ = await publish(node, line, line)
    with closing(sqlite3.connect(file)) as database:
        undo_offsets_of_entries(database)
        database.execute("DROP TABLE board_tags")
        database.execute("DROP TABLE request_keys")
        database.execute("UPDATE events SET idempotency_key = 'k' WHERE \"offset\" = 2")
        database.execute("UPDATE alembic_version SET version_num = '0021'")
        database.commit()
    async with open_store(f"sqlite:///{file}") as store, open_node(store) as node:
        other = {**event("attempt.log.appended", {**line["payload"], "message": "other"}), "id": "k"}
        for subject in ("", "token"):
            (again,) = await node.bus.ingest(incoming(other), Sender(subject))
            assert (again.cursor, again.duplicate) == (first.cursor, True)
        assert len(await lines_of(store, AttemptId("a1"))) == 2


async def _cursors_of_lines(url: str, *keys: tuple[BoardId, AttemptId]) -> list[list[tuple[int, str, str]]]:
    async with open_store(url) as store:
        pages = [await store.logs(*key, 0, 100) for key in keys]
    return [[(offset, line.id, line.message) for offset, line in page.entries] for page in pages]


async def test_entries_from_before_their_offsets_get_those_of_their_events(tmp_path: Path) -> None:
    file, other = tmp_path / "b.db", BoardId("p2")
    url = f"sqlite:///{file}"
    keys = [(BOARD, AttemptId("a1")), (other, AttemptId("a1"))]
    async with open_store(url) as store, open_node(store) as node:
        for board_id in (BOARD, other):
            await create_board(node, board_id)
        await publish(node, *_lines(BOARD, "pruned 1", "pruned 2"), *_items(BOARD, "pruned"))
        await publish(node, *_lines(other, "b1"), *_items(BOARD, "a1"), *_lines(BOARD, "a1"), *_lines(other, "b2"))
        items = await store.conversation(*keys[0], 0, 100)
    before = await _cursors_of_lines(url, *keys)
    with closing(sqlite3.connect(file)) as database:
        undo_offsets_of_entries(database)
        database.execute("DELETE FROM events WHERE payload LIKE '%pruned%'")
        database.commit()
    after = await _cursors_of_lines(url, *keys)
    assert [(offset, message) for offset, _, message in after[0][:2]] == [(1, "pruned 1"), (2, "pruned 2")]
    assert after[0][2:] == before[0][2:]
    assert after[1] == before[1]
    async with open_store(url) as store:
        found = await store.conversation(*keys[0], 0, 100)
    assert [offset for offset, _ in found.entries] == [1, items.entries[1][0]]
