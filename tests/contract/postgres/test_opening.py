"""Opening a PostgreSQL database: each reason that forbids it is one line, which contains nothing of a password."""

from __future__ import annotations

import asyncio
import sys

import psycopg
import pytest

from realtime.backends import sql
from realtime.backends.sql import postgres as postgres_package
from realtime.backends.sql.postgres import connecting, locks
from realtime.backends.sql.postgres import postgres as database
from realtime.backends.sql.store import SqlStore
from realtime.errors import StoreUnusable
from realtime.kanban.commands import CreateCard
from tests.kit.attempt_contents import lines_of
from tests.kit.deadline import deadline
from tests.kit.nodes import BOARD, column_id, create_board, open_node, open_store, publish
from tests.kit.postgres_server import PostgresServer
from tests.kit.publishing import event


async def refusal(url: str, *, exclusive: bool = False) -> str:
    """Return why a store cannot be opened."""
    store = SqlStore(url, exclusive=exclusive)
    try:
        with pytest.raises(StoreUnusable) as refused:
            await store.open()
    finally:
        await store.aclose()
    reason = str(refused.value)
    assert "\n" not in reason
    assert "secret" not in reason
    assert "SELECT" not in reason
    return reason


async def test_older_server_is_refused(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "OLDEST_VERSION", 990_000)
    assert "expected PostgreSQL 99 or newer, got 1" in await refusal(postgres_url)


async def test_database_of_another_encoding_is_refused(postgres: PostgresServer) -> None:
    postgres.run("CREATE DATABASE bytes TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'")
    assert "expected a database with the encoding UTF8, got SQL_ASCII" in await refusal(postgres.url("bytes"))


async def test_server_that_is_not_there_is_refused(postgres: PostgresServer) -> None:
    reason = await refusal(postgres.url("d").replace(str(postgres.port), "1"))
    assert "cannot open the database d at 127.0.0.1" in reason
    assert "Connection refused" in reason


async def test_database_that_is_not_there_is_refused(postgres: PostgresServer) -> None:
    assert 'database "missing" does not exist' in await refusal(postgres.url("missing"))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://tests:password@h:secret/d",
        "postgresql://tests:secret/more@h/d",
        "postgresql://tests:p@secret@h/d",
        "postgresql://h/d?secret=1",
        "postgres://h/d?sslmode",
    ],
)
def test_url_that_libpq_cannot_read_is_refused_without_its_text(url: str) -> None:
    with pytest.raises(StoreUnusable) as refused:
        SqlStore(url)
    assert "expected a database URL like postgresql://" in str(refused.value)
    assert "secret" not in str(refused.value)


async def test_database_of_somebody_else_is_refused_and_untouched(postgres: PostgresServer) -> None:
    with postgres.database() as url:
        name = url.rpartition("/")[2]
        postgres.run("CREATE TABLE events (id integer)", database=name)
        assert "already exists" in await refusal(url)
        assert postgres.run("SELECT tablename FROM pg_tables WHERE schemaname = 'public'", database=name) == [
            ("events",)
        ]


async def test_database_of_a_newer_version_is_refused(postgres: PostgresServer, postgres_url: str) -> None:
    postgres.run("UPDATE alembic_version SET version_num = '9999'", database=postgres_url.rpartition("/")[2])
    assert "9999" in await refusal(postgres_url)


async def test_second_server_is_refused_until_the_first_ends(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "CLAIM_SECONDS", 0.1)
    first = SqlStore(postgres_url, exclusive=True)
    await first.open()
    try:
        assert "a server, or a command for tokens, is using the database" in await refusal(postgres_url, exclusive=True)
    finally:
        await first.aclose()
    second = SqlStore(postgres_url, exclusive=True)
    await second.open()
    assert "a copy is using the database" in await refusal(postgres_url)
    await second.aclose()


async def test_options_of_libpq_are_those_of_the_url(postgres: PostgresServer, postgres_url: str) -> None:
    name = postgres_url.rpartition("/")[2]
    local = f"postgresql:///{name}?host={postgres.folder}&port={postgres.port}&user=tests&application_name=kanban"
    async with open_store(local):
        query = f"SELECT DISTINCT application_name, client_addr FROM pg_stat_activity WHERE datname = '{name}'"
        assert postgres.run(query) == [("kanban", None)]


def test_url_without_the_driver_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql, "postgres", postgres_package)  # a failed import leaves another module there
    for module in [name for name in sys.modules if name.startswith("realtime.backends.sql.postgres")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, psycopg.__name__, None)
    with pytest.raises(StoreUnusable, match=r"pip install 'boardcast\[postgres\]'"):
        SqlStore("postgresql://h/d")


async def test_texts_with_nul_and_its_escape_come_back_as_they_were(postgres_url: str) -> None:
    texts = ["\0", "\ufdd0", "\ufdd00", "\ufdd01", "\0\ufdd0", "a\0b\ufdd00\ufdd01\0", "\\u0000", '"\0"']
    async with open_store(postgres_url) as store, open_node(store) as node:
        board = await create_board(node)
        for text in texts:
            card = CreateCard(column_id=column_id(board.state, "Backlog"), title=f"t{text}", description=text)
            await node.bus.execute(BOARD, card)
            await publish(node, event("agent.registered", {"agent": f"A{text}", "label": text}))
        said = [*texts, "\t", "\n", "\\N", "\\", ""] * 2  # enough for COPY, which has marks of its own
        lines = [{"boardId": BOARD, "attemptId": "a1", "level": "info", "message": text} for text in said]
        await publish(node, *(event("attempt.log.appended", one) for one in lines))
        assert [one.message for one in await lines_of(store, "a1")] == said
        found = await store.board(BOARD)
        assert found is not None
        assert [(card.title, card.description) for card in found.board.state.cards.values()] == [
            (f"t{text}", text) for text in texts
        ]
        assert [(one.key, one.label) for one in (await store.agents())[0]] == [(f"A{text}", text) for text in texts]
        keys = await store.transact(lambda transaction: transaction.agent_keys())
        assert keys == {f"A{text}" for text in texts}


async def test_server_waits_for_the_migrations_of_another(
    postgres: PostgresServer, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("lock_timeout", "statement_timeout"):
        monkeypatch.setitem(database.WRITER_SETTINGS, name, "50ms")
    waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND now() - query_start > '300ms'"
    with psycopg.connect(postgres_url) as other:
        other.execute("SELECT pg_advisory_xact_lock(1650680179, 2)")
        store = SqlStore(postgres_url)
        opening = asyncio.create_task(store.open())
        async with deadline(20):
            while postgres.run(waits) == [(0,)]:
                assert not opening.done()
                await asyncio.sleep(0)
    async with deadline(20):
        await opening
    await store.aclose()
    assert store.epoch
