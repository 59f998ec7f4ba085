"""The promises of every store about access tokens (`ports.TokenStore`)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from realtime.backends.sql.store import SqlStore
from realtime.kanban.grants import EVERYTHING, Action, Grants
from realtime.kanban.ids import BoardId
from realtime.messages.channels import EVERYBODY
from realtime.ports import AccessToken, RequestKey
from tests.kit.nodes import START, open_store

_SOME = Grants(frozenset({Action.READ, Action.PUBLISH}), frozenset({BoardId("b"), BoardId("Ünïcödé 🔑")}))


def token(name: str, grants: Grants = EVERYTHING, key: str | None = None) -> AccessToken:
    made_by = None if key is None else RequestKey(EVERYBODY, "someone", key)
    return AccessToken(f"tok-{name}", sha256(name.encode()).digest(), name, grants, START, key=made_by)


async def test_stored_tokens_come_back_oldest_first(store: SqlStore) -> None:
    assert await store.access_tokens() == []
    put = [
        token("z", _SOME, "k1"),
        replace(token("a", key="k2"), expires_at=START + timedelta(days=1), last_used_at=START),
        token("m"),
        token("n"),
    ]
    for one in put:
        await store.put_access_token(one)
    assert await store.access_tokens() == put


@pytest.mark.parametrize("other", [token("a"), replace(token("b"), digest=token("a").digest), token("c", key="k")])
async def test_token_like_another_is_not_stored_and_replaces_none(other: AccessToken, store: SqlStore) -> None:
    put = [token("a", key="k"), token("old")]
    for one in put:
        await store.put_access_token(one)
    with pytest.raises(Exception, match=r"(?i)unique"):
        await store.put_access_token(other, ["tok-old"])
    assert await store.access_tokens() == put


async def test_token_replaces_others(store: SqlStore) -> None:
    for name in "abc":
        await store.put_access_token(token(name))
    await store.put_access_token(token("d"), ["tok-a", "tok-c", "tok-unknown"])
    assert [one.name for one in await store.access_tokens()] == ["b", "d"]


async def test_deleted_token_is_gone_and_may_be_deleted_again(store: SqlStore) -> None:
    for name in "ab":
        await store.put_access_token(token(name))
    for _ in range(2):
        await store.delete_access_token("tok-a")
    assert await store.access_tokens() == [token("b")]


async def test_uses_are_noted_for_tokens_that_exist(store: SqlStore) -> None:
    for name in "ab":
        await store.put_access_token(token(name))
    used = START + timedelta(minutes=3)
    await store.note_token_uses({})
    await store.note_token_uses({"tok-b": used, "tok-unknown": used})
    assert await store.access_tokens() == [token("a"), replace(token("b"), last_used_at=used)]


async def test_token_survives_a_restart(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    async with open_store(url) as store:
        await store.put_access_token(token("a", _SOME, "k"))
    async with open_store(url) as store:
        assert await store.access_tokens() == [token("a", _SOME, "k")]
