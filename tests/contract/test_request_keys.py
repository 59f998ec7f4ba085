"""The promises of every store about idempotency keys (`ports.Transaction`): kept with events, found, forgotten."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pytest

from realtime.backends.sql.store import SqlStore
from realtime.kanban.board import Recorded
from realtime.kanban.events import parse_event
from realtime.kanban.ids import BoardId
from realtime.messages.channels import EVERYBODY, Channel, board_channel
from realtime.ports import MAX_UNCHANGED, FirstAnswer, Horizon, NewEvent, RequestKey, Transaction
from tests.kit.nodes import BOARD, START, open_store

OF_BOARD = board_channel(BOARD)


def key(text: str, subject: str = "", scope: Channel = OF_BOARD) -> RequestKey:
    return RequestKey(scope, subject, text)


def answer(text: str, after: int, count: int, fingerprint: bytes = b"f") -> FirstAnswer:
    return FirstAnswer(key(text), fingerprint, OF_BOARD, after, after + count, 0)


def line() -> NewEvent:
    event = parse_event("attempt.log.appended", {"boardId": BOARD, "attemptId": "a", "level": "info", "message": "m"})
    return NewEvent(OF_BOARD, Recorded(event, START))


async def append(store: SqlStore, count: int) -> None:
    await store.transact(lambda transaction: transaction.append([line()] * count, {}))


async def remember(store: SqlStore, *answers: FirstAnswer) -> None:
    await store.transact(lambda transaction: transaction.remember(answers))


async def answered(store: SqlStore, keys: Collection[RequestKey]) -> dict[RequestKey, FirstAnswer]:
    return await store.transact(lambda transaction: transaction.answered(keys))


async def test_answer_is_found_under_its_key_only(store: SqlStore) -> None:
    first = answer("k", 0, 2, bytes(range(32)))
    await remember(store, first)
    others = [key("K"), key("k", "token"), key("k", scope=EVERYBODY), key("k", scope=board_channel(BoardId("p2")))]
    assert await answered(store, [first.key, *others]) == {first.key: first}
    assert await answered(store, []) == {}


@pytest.mark.parametrize("text", ["x" * 200, "\0", "'\"", "ключ 🔑", " "])
async def test_key_may_be_any_text(store: SqlStore, text: str) -> None:
    await remember(store, answer(text, 0, 1))
    assert set(await answered(store, [key(text), key(text + "."), key("")])) == {key(text)}


async def test_answer_to_a_thousand_keys_at_once(store: SqlStore) -> None:
    first = [answer(f"k{n}", n, 1) for n in range(1000)]
    await remember(store, *first)
    assert list((await answered(store, [one.key for one in first])).values()) == first


async def test_key_is_stored_with_the_events_of_its_transaction_or_not_at_all(store: SqlStore) -> None:
    def work(transaction: Transaction) -> None:
        transaction.append([line()], {})
        transaction.remember([answer("k", 0, 1)])
        raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match="on purpose"):
        await store.transact(work)
    assert await answered(store, [key("k")]) == {}
    assert await store.offset(OF_BOARD) == 0


async def test_key_is_used_once(store: SqlStore) -> None:
    await remember(store, answer("k", 0, 1))
    with pytest.raises(Exception, match=r"(?i)unique"):
        await remember(store, answer("k2", 1, 1), answer("k", 1, 1))
    assert set(await answered(store, [key("k"), key("k2")])) == {key("k")}


async def test_keys_are_kept_in_the_file(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'b.db'}"
    async with open_store(url) as store:
        await remember(store, answer("k", 0, 1))
    async with open_store(url) as store:
        assert await answered(store, [key("k")]) == {key("k"): answer("k", 0, 1)}


async def test_key_goes_with_the_first_event_of_its_request(store: SqlStore) -> None:
    await append(store, 5)
    await remember(store, answer("one", 0, 1), answer("two", 1, 2), answer("three", 3, 1))
    texts = [key("one"), key("two"), key("three")]
    await store.prune(OF_BOARD, Horizon(newest_events=3), 100)
    assert set(await answered(store, texts)) == {key("three")}
    await store.prune(OF_BOARD, Horizon(newest_events=0), 100)
    assert await answered(store, texts) == {}


async def test_key_without_an_event_goes_with_the_next_event(store: SqlStore) -> None:
    await append(store, 1)
    await remember(store, answer("k", 1, 0))
    await store.prune(OF_BOARD, Horizon(newest_events=0), 100)
    assert set(await answered(store, [key("k")])) == {key("k")}
    await append(store, 1)
    await store.prune(OF_BOARD, Horizon(newest_events=0), 100)
    assert await answered(store, [key("k")]) == {}


async def test_newest_keys_without_an_event_are_kept(store: SqlStore) -> None:
    await append(store, 1)
    await remember(store, answer("event", 0, 1))
    first = [answer(f"k{n}", 1, 0) for n in range(MAX_UNCHANGED + 2)]
    for one in first:
        await remember(store, one)
    assert set(await answered(store, [key("event"), *(one.key for one in first)])) == {
        key("event"),
        *(one.key for one in first[2:]),
    }
