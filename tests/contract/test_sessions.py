"""The promises of every store about sessions (`ports.SessionStore`)."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from realtime.backends.sql.store import SqlStore
from realtime.ports import StoredSession
from tests.kit.nodes import START, open_store


def session(name: str, after: int = 0, lasts: int = 10) -> StoredSession:
    """Return a session that begins so many seconds after the start, and lasts so many seconds."""
    created_at = START + timedelta(seconds=after)
    ends = created_at + timedelta(seconds=lasts)
    return StoredSession(sha256(name.encode()).digest(), name.encode(), "Ünï", created_at, ends)


async def test_stored_sessions_come_back_oldest_first(store: SqlStore) -> None:
    assert await store.sessions() == []
    put = [session("z"), session("a", 1), session("m", 2)]
    for one in put:
        await store.put_session(one)
    assert await store.sessions() == put


async def test_session_replaces_others_and_those_that_have_expired(store: SqlStore) -> None:
    for one in (session("a"), session("b"), session("expired", 0, 3), session("c", 1)):
        await store.put_session(one)
    await store.put_session(session("d", 3), [session("a").digest, session("unknown").digest])
    assert [one.sealed for one in await store.sessions()] == [b"b", b"c", b"d"]


async def test_session_like_another_replaces_none(store: SqlStore) -> None:
    for one in (session("a"), session("b", 1)):
        await store.put_session(one)
    with pytest.raises(Exception, match=r"(?i)unique"):
        await store.put_session(session("a", 2), [session("b", 1).digest])
    assert await store.sessions() == [session("a"), session("b", 1)]


async def test_deleted_session_is_gone_and_may_be_deleted_again(store: SqlStore) -> None:
    for name in "ab":
        await store.put_session(session(name))
    for _ in range(2):
        await store.delete_session(session("a").digest)
    assert await store.sessions() == [session("b")]


async def test_session_survives_a_restart(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    async with open_store(url) as store:
        await store.put_session(session("a"))
    async with open_store(url) as store:
        assert await store.sessions() == [session("a")]
