"""`boardcast copy`: an installation moves to the other kind of database and back, and its clients resume there."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from realtime.backends.sql.store import SqlStore
from realtime.backends.sql.tables import metadata
from realtime.backends.sql.upkeep import copying
from realtime.backends.sql.upkeep.copying import copy_installation
from realtime.errors import StoreUnavailable, StoreUnusable
from realtime.kanban.commands import CreateCard, MoveCard
from realtime.kanban.ids import CardId
from realtime.messages.channels import board_channel
from realtime.messages.options import StreamOptions
from realtime.node import Node
from realtime.ports import Horizon, RequestKey
from tests.contract.stored_tables import engine_of
from tests.contract.test_access_tokens import token
from tests.kit.deadline import deadline
from tests.kit.envelope_streams import board_stream
from tests.kit.nodes import BOARD, column_id, create_board, open_node, open_store, publish, take
from tests.kit.postgres_server import PostgresServer
from tests.kit.publishing import event

KEY = RequestKey(board_channel(BOARD), "", "k")
#: Fewer than the rows of a table, so that a table is copied in pieces.
PIECE_ROWS = 3
_ITEM = {"type": "message", "timestamp": "2025-01-01T00:00:00.000Z", "role": "user", "text": "t"}
_LINE = {"boardId": BOARD, "attemptId": "a1", "level": "info", "message": "later"}


@pytest.fixture
def urls(tmp_path: Path, postgres: PostgresServer, postgres_url: str) -> Callable[[str], str]:
    """Return the URL of a database of a kind."""
    return lambda kind: postgres_url if kind == "postgresql" else f"sqlite:///{tmp_path / kind}.db"


async def fill(node: Node) -> None:
    """Write rows into every table."""
    board = await create_board(node)
    backlog = column_id(board.state, "Backlog")
    for n in range(5):
        needed = ("c0",) if n == 1 else ()
        card = CreateCard(column_id=backlog, title=f"card \0 {n}", id=f"c{n}", depends_on=needed)
        await node.bus.execute(BOARD, card)
    await node.bus.execute(BOARD, MoveCard(card_id=CardId("c0"), to_column_id=backlog, to_index=2), key=KEY)
    await publish(node, event("agent.registered", {"agent": "A", "label": "Agent"}))
    await publish(
        node, event("agent.profile.changed", {"kind": "created", "profileId": "x", "agent": "A", "label": "X"})
    )
    this = {"boardId": BOARD, "attemptId": "a1"}
    await publish(
        node,
        event("attempt.started", {**this, "cardId": "c1", "agent": "A"}),
        *(event("attempt.log.appended", {**this, "level": "info", "message": f"m{n}"}) for n in range(7)),
        event("attempt.conversation.appended", {**this, "item": _ITEM}),
        event("attempt.todos.updated", {**this, "todos": {"total": 0, "completed": 0, "items": []}}),
        event("attempt.session.recorded", {**this, "sessionId": "s"}),
    )


def rows_of(url: str) -> dict[str, list[Any]]:
    """Return all rows of a database."""
    engine = engine_of(url)
    with engine.connect() as connection:
        found = {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
        }
    engine.dispose()
    return found


async def replayed(url: str, cursor: str, count: int) -> list[tuple[str, str | None, bytes]]:
    """Return what a client with a cursor gets."""
    async with (
        open_store(url) as store,
        open_node(store) as node,
        aclosing(board_stream(node, BOARD, options=StreamOptions(after=cursor))) as stream,
    ):
        return [(one.type, one.cursor, one.payload_json()) for one in (await take(stream, count, units=20))[1:]]


@pytest.mark.parametrize("way", [("sqlite", "postgresql", "again"), ("postgresql", "sqlite", "again")])
async def test_everything_moves_there_and_back(
    way: tuple[str, str, str], urls: Callable[[str], str], postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "PIECE_ROWS", PIECE_ROWS)
    first, second, third = map(urls, way)
    async with deadline(90):
        async with open_store(first) as store, open_node(store) as node:
            await fill(node)
            await store.put_access_token(token("a", key="k"))
            await store.prune(board_channel(BOARD), Horizon(newest_events=16), 1000)
            position = (
                await node.bus.execute(BOARD, CreateCard(column_id=_first_column(await _of(store)), title="l"))
            ).position
            await publish(node, *[event("attempt.log.appended", _LINE)] * 3)
        before, replay = rows_of(first), await replayed(first, position.cursor, 4)
        assert {name for name, rows in before.items() if not rows} <= {"gone_attempts", "nodes", "web_sessions"}
        boards, events = await copy_installation(first, second)
        assert (boards, events) == (1, len(before["events"]))
        assert rows_of(second) == before
        assert await replayed(second, position.cursor, 4) == replay
        await copy_installation(second, third)
        assert rows_of(third) == before
        async with open_store(second) as store, open_node(store) as node:
            assert store.epoch == position.epoch
            again = MoveCard(card_id=CardId("c0"), to_column_id=_first_column(await _of(store)), to_index=2)
            assert (await node.bus.execute(BOARD, again, key=KEY)).is_repeated
            head = await store.offset(board_channel(BOARD))
            (accepted,) = await publish(node, event("attempt.log.appended", _LINE))
            assert accepted.offset == head + 1


async def _of(store: SqlStore) -> Any:
    found = await store.board(BOARD)
    assert found is not None
    return found.board


def _first_column(board: Any) -> Any:
    return column_id(board.state, "Backlog")


async def test_copy_into_a_used_database_is_refused_and_changes_nothing(urls: Callable[[str], str]) -> None:
    for url in (source := urls("one"), target := urls("postgresql")):
        async with open_store(url) as store, open_node(store) as node:
            await create_board(node, f"p-{len(url)}")
    before = rows_of(target)
    with pytest.raises(StoreUnusable, match="--to: expected an empty database"):
        await copy_installation(source, target)
    with pytest.raises(StoreUnusable, match="--from: expected a database that a server has used"):
        await copy_installation(urls("empty"), target)
    assert rows_of(target) == before


async def test_copy_from_a_file_that_is_not_there_makes_none(tmp_path: Path) -> None:
    for name in ("mistyped.db", "no-folder/boards.db"):
        with pytest.raises(StoreUnusable, match=f"--from: .* there is no file .*{name}"):
            await copy_installation(f"sqlite:///{tmp_path}/{name}", f"sqlite:///{tmp_path}/target.db")
    assert _files(tmp_path) == []


def _files(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def test_copy_of_a_served_database_is_refused(urls: Callable[[str], str]) -> None:
    served = SqlStore(urls("one"), exclusive=True)
    await served.open()
    try:
        with pytest.raises(StoreUnusable, match="is in use by process"):
            await copy_installation(urls("one"), urls("postgresql"))
    finally:
        await served.aclose()


async def test_copy_that_fails_in_the_middle_leaves_the_target_empty(
    urls: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = urls("one"), urls("postgresql")
    async with open_store(source) as store, open_node(store) as node:
        await fill(node)
    with monkeypatch.context() as patched:
        patched.setattr("realtime.backends.sql.postgres.postgres.Postgres.continue_numbers", _fail)
        with pytest.raises(RuntimeError, match="on purpose"):
            await copy_installation(source, target)
    assert not any(rows_of(target).values())
    await copy_installation(source, target)
    assert rows_of(target) == rows_of(source)


def _fail(*_: object) -> None:
    raise RuntimeError("on purpose")


@pytest.mark.parametrize("place", ["upkeep.copying._piece", "sqlite.Sqlite.continue_numbers"])
async def test_copy_says_that_a_database_went_away(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = (f"sqlite:///{tmp_path / name}.db" for name in ("one", "two"))
    async with open_store(source):
        pass  # a file with an epoch

    def away(*_: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as patched:
        patched.setattr(f"realtime.backends.sql.{place}", away)
        with pytest.raises(StoreUnavailable, match="disk I/O error"):
            await copy_installation(source, target)
    assert not any(rows_of(target).values())
