"""The session book: what it finds, how many sessions it has, what it stores first, and what a failure leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from datetime import timedelta

import anyio
import pytest

from realtime.backends.sql.store import SqlStore
from realtime.errors import StoreUnavailable, TokenRevoked
from realtime.lifetimes.connection_lifetimes import ConnectionLifetimes
from realtime.ports import StoredSession
from realtime.tokens.sealing import new_session_secret, place_of, seal, unseal
from realtime.tokens.session_book import SessionBook, SessionLimits
from tests.kit.deadline import deadline
from tests.kit.moving_clock import MovingClock
from tests.kit.nodes import MEMORY

_HOUR = timedelta(hours=1)
_HOUR_MS = 3_600_000
_LIMITS = SessionLimits(sessions=4, of_client=2, duration=_HOUR)


class _FailingStore(SqlStore):
    fault: Exception | None = None

    def __init__(self) -> None:
        super().__init__(MEMORY)
        self.gate = asyncio.Event()
        self.gate.set()
        self.reached = asyncio.Event()

    async def put_session(self, session: StoredSession, replaced: Collection[bytes] = ()) -> None:
        await self._wait()
        await super().put_session(session, replaced)

    async def delete_session(self, digest: bytes) -> None:
        await self._wait()
        await super().delete_session(digest)

    async def _wait(self) -> None:
        self.reached.set()
        await self.gate.wait()
        if self.fault is not None:
            raise self.fault


@pytest.fixture
async def store() -> AsyncIterator[_FailingStore]:
    opened = _FailingStore()
    await opened.open()
    yield opened
    await opened.aclose()


@pytest.fixture
def clock() -> MovingClock:
    return MovingClock()


@pytest.fixture
def book(store: _FailingStore, clock: MovingClock) -> SessionBook:
    return SessionBook(store, ConnectionLifetimes(), clock, _LIMITS)


def found(book: SessionBook, *secrets: str) -> list[str | None]:
    return [book.token_of(secret) for secret in secrets]


async def read_again(store: SqlStore, clock: MovingClock) -> SessionBook:
    fresh = SessionBook(store, ConnectionLifetimes(), clock, _LIMITS)
    await fresh.load()
    return fresh


def test_sealed_token_is_opened_by_its_secret_alone() -> None:
    secret, other = new_session_secret(), new_session_secret()
    sealed = seal(secret, "a token 🔑 \udc00")
    assert unseal(secret, sealed) == "a token 🔑 \udc00"
    assert unseal(other, sealed) is None
    assert unseal(secret, sealed[:-1]) is None
    assert unseal(secret, b"") is None
    assert b"token" not in sealed
    assert place_of(secret) != place_of(other)
    assert secret.encode() not in place_of(secret) + sealed


async def test_secret_finds_its_token_after_a_restart_too(
    store: _FailingStore, book: SessionBook, clock: MovingClock
) -> None:
    one, two = await book.begin("token-1", "Ada", None), await book.begin("token-2", "Bo", None)
    for used in (book, await read_again(store, clock)):
        assert found(used, one.secret, two.secret, new_session_secret(), "") == ["token-1", "token-2", None, None]


async def test_session_ends_with_its_token_or_after_its_duration(book: SessionBook, clock: MovingClock) -> None:
    now = clock()
    short, long = await book.begin("s", "Ada", now + _HOUR / 2), await book.begin("l", "Bo", now + 2 * _HOUR)
    assert (short.expires_at, long.expires_at) == (now + _HOUR / 2, now + _HOUR)
    clock.go_on(_HOUR_MS // 2)
    assert found(book, short.secret, long.secret) == [None, "l"]
    clock.go_on(_HOUR_MS // 2)
    assert found(book, short.secret, long.secret) == [None, None]


async def test_ended_session_is_gone_and_its_credential_ends(
    store: _FailingStore, book: SessionBook, clock: MovingClock
) -> None:
    begun, other = await book.begin("t", "Ada", None), await book.begin("t", "Ada", None)
    credential = book.credential_of(begun.secret)
    assert credential is not None
    assert await book.end(begun.secret) == "Ada"
    assert credential.end_reason is TokenRevoked
    for used in (book, await read_again(store, clock)):
        assert found(used, begun.secret, other.secret) == [None, "t"]
    assert await book.end(begun.secret) is None


async def test_oldest_session_of_a_client_makes_room_for_its_next(
    store: _FailingStore, book: SessionBook, clock: MovingClock
) -> None:
    other = await book.begin("b", "Bo", None)
    first, second = await book.begin("1", "Ada", None), await book.begin("2", "Ada", None)
    oldest = book.credential_of(first.secret)
    clock.go_on(1)
    third = await book.begin("3", "Ada", None)
    assert oldest is not None
    assert oldest.end_reason is TokenRevoked
    for used in (book, await read_again(store, clock)):
        assert found(used, *(one.secret for one in (other, first, second, third))) == ["b", None, "2", "3"]


async def test_client_with_most_sessions_makes_room_for_others(book: SessionBook, clock: MovingClock) -> None:
    few = await book.begin("b", "Bo", None)
    many = [await book.begin("a", "Ada", None) for _ in range(2)]
    more = [await book.begin("c", client, None) for client in ("Cy", "Di")]
    assert found(book, few.secret, *(one.secret for one in (*many, *more))) == ["b", None, "a", "c", "c"]
    assert len(book) == 4


async def test_expired_sessions_make_room_first(book: SessionBook, clock: MovingClock) -> None:
    short = await book.begin("s", "Ada", clock() + _HOUR / 2)
    others = [await book.begin("t", client, None) for client in ("Ada", "Bo", "Cy")]
    clock.go_on(_HOUR_MS // 2)
    others.append(await book.begin("t", "Di", None))
    assert found(book, short.secret, *(one.secret for one in others)) == [None, "t", "t", "t", "t"]
    assert len(book) == 4


async def test_store_that_is_away_changes_nothing(store: _FailingStore, book: SessionBook) -> None:
    first, second = await book.begin("1", "Ada", None), await book.begin("2", "Ada", None)
    store.fault = StoreUnavailable("away")
    with pytest.raises(StoreUnavailable):
        await book.begin("3", "Ada", None)
    with pytest.raises(StoreUnavailable):
        await book.end(first.secret)
    assert (found(book, first.secret, second.secret), len(book)) == (["1", "2"], 2)
    store.fault = None
    assert await book.end(first.secret) == "Ada"


async def test_end_whose_client_leaves_is_carried_out(
    store: _FailingStore, book: SessionBook, clock: MovingClock
) -> None:
    begun = await book.begin("t", "Ada", None)
    store.gate.clear()
    store.reached.clear()
    async with deadline(10), anyio.create_task_group() as group:
        group.start_soon(book.end, begun.secret)
        await store.reached.wait()
        group.cancel_scope.cancel()
    store.gate.set()
    async with deadline(10):
        await book.finished()
    assert found(book, begun.secret) == found(await read_again(store, clock), begun.secret) == [None]
