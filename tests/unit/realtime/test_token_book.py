"""The book of access tokens: what it finds, what it stores first, and what a failure leaves."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import anyio
import pytest

from realtime.backends.sql.store import SqlStore
from realtime.errors import InvalidInput, KeyReused, NotFound, StoreUnavailable, TokenRevoked
from realtime.lifetimes.connection_lifetimes import ConnectionLifetimes
from realtime.limits import LimitReached
from realtime.messages.channels import EVERYBODY
from realtime.ports import AccessToken, RequestKey
from realtime.service import CreateToken
from realtime.tokens.token_book import TokenBook
from tests.kit.deadline import deadline
from tests.kit.moving_clock import MovingClock
from tests.kit.nodes import MEMORY

_KEY = RequestKey(EVERYBODY, "someone", "k")


class _FailingStore(SqlStore):
    """A store that can fail before or after it has written, or wait."""

    before: Exception | None = None
    after: Exception | None = None
    notes = 0

    def __init__(self) -> None:
        super().__init__(MEMORY)
        self.gate = asyncio.Event()
        self.gate.set()
        self.reached = asyncio.Event()
        self.noted = asyncio.Event()

    async def put_access_token(self, token: AccessToken, replaced: Collection[str] = ()) -> None:
        await self._wait()
        await super().put_access_token(token, replaced)
        self._fail(self.after)

    async def delete_access_token(self, token_id: str) -> None:
        await self._wait()
        await super().delete_access_token(token_id)
        self._fail(self.after)

    async def note_token_uses(self, uses: Mapping[str, datetime]) -> None:
        self.notes += 1
        try:
            await self._wait()
            await super().note_token_uses(uses)
        finally:
            self.noted.set()

    async def _wait(self) -> None:
        self.reached.set()
        await self.gate.wait()
        self._fail(self.before)

    def _fail(self, fault: Exception | None) -> None:
        if fault is not None:
            raise fault


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
def lifetimes() -> ConnectionLifetimes:
    return ConnectionLifetimes()


@pytest.fixture
async def book(store: _FailingStore, lifetimes: ConnectionLifetimes, clock: MovingClock) -> TokenBook:
    return TokenBook(store, lifetimes, clock, 3)


def wanted(name: str = "ci", expires_at: datetime | None = None) -> CreateToken:
    return CreateToken.model_validate(
        {"name": name, "boards": ["b"], "can": ["read"], "expiresAt": expires_at and expires_at.isoformat()}
    )


async def read_again(store: SqlStore, clock: MovingClock) -> TokenBook:
    fresh = TokenBook(store, ConnectionLifetimes(), clock, 3)
    await fresh.load()
    return fresh


async def test_secret_finds_its_token_and_no_other(store: _FailingStore, book: TokenBook, clock: MovingClock) -> None:
    made, other = await book.create(wanted("one")), await book.create(wanted("two"))
    for used in (book, await read_again(store, clock)):
        found = used.find(made.secret)
        assert found is not None
        assert (found.token.id, found.token.name) == (made.token.id, "one")
        assert [used.find(text) for text in ("", made.secret[:-1], made.token.digest.hex(), "\ud800")] == [None] * 4
    assert made.secret != other.secret


async def test_secret_is_nowhere_in_what_is_kept(store: _FailingStore, book: TokenBook) -> None:
    made = await book.create(wanted())
    assert made.secret not in repr(await store.access_tokens()) + repr(book.tokens()) + repr(made.token)


async def test_token_that_has_expired_is_not_found(book: TokenBook, clock: MovingClock) -> None:
    made = await book.create(wanted(expires_at=clock() + timedelta(milliseconds=10)))
    clock.go_on(9)
    assert book.find(made.secret) is not None
    clock.go_on(1)
    assert book.find(made.secret) is None
    assert [one.id for one in book.tokens()] == [made.token.id]


@pytest.mark.parametrize("milliseconds", [0, -1])
async def test_token_of_the_past_is_not_made(milliseconds: int, book: TokenBook, clock: MovingClock) -> None:
    with pytest.raises(InvalidInput, match="expiresAt: expected a time after"):
        await book.create(wanted(expires_at=clock() + timedelta(milliseconds=milliseconds)))
    assert book.tokens() == []


async def test_full_book_refuses_until_a_token_has_expired(
    store: _FailingStore, book: TokenBook, clock: MovingClock
) -> None:
    short = await book.create(wanted("short", clock() + timedelta(milliseconds=10)))
    await book.create(wanted("a"))
    await book.create(wanted("b"))
    with pytest.raises(LimitReached, match="at most 3 access tokens"):
        await book.create(wanted("c"))
    clock.go_on(10)
    await book.create(wanted("c"))
    assert [one.name for one in book.tokens()] == ["a", "b", "c"]
    assert await store.access_tokens() == book.tokens()
    assert book.find(short.secret) is None


async def test_key_makes_one_token(store: _FailingStore, book: TokenBook, clock: MovingClock) -> None:
    made = await book.create(wanted(), _KEY)
    for used in (book, await read_again(store, clock)):
        with pytest.raises(KeyReused, match=f"has made the token {made.token.id}"):
            await used.create(wanted(), _KEY)
    await book.revoke(made.token.id)
    assert (await book.create(wanted(), _KEY)).token.id != made.token.id


async def test_revoked_token_is_gone_and_ends_what_it_held(
    store: _FailingStore, book: TokenBook, lifetimes: ConnectionLifetimes
) -> None:
    made = await book.create(wanted())
    bearer = book.find(made.secret)
    assert bearer is not None
    with lifetimes.open(credential=bearer.credential) as lifetime:
        revoked = await book.revoke(made.token.id)
        async with deadline(5):
            assert isinstance((await lifetime.ended()).reason, TokenRevoked)
    assert revoked.last_used_at is not None
    assert book.find(made.secret) is None
    assert await store.access_tokens() == book.tokens() == []
    with pytest.raises(NotFound):
        await book.revoke(made.token.id)
    # The connection of a request that was identified before.
    with lifetimes.open(credential=bearer.credential) as late:
        async with deadline(5):
            assert isinstance((await late.ended()).reason, TokenRevoked)


async def test_failed_store_changes_nothing(store: _FailingStore, book: TokenBook) -> None:
    made = await book.create(wanted())
    store.before = StoreUnavailable("away")
    with pytest.raises(StoreUnavailable):
        await book.create(wanted("two"))
    with pytest.raises(StoreUnavailable):
        await book.revoke(made.token.id)
    assert book.find(made.secret) is not None
    assert [one.id for one in book.tokens()] == [made.token.id]


async def test_store_that_fails_after_it_has_written_leaves_no_hidden_token(
    store: _FailingStore, book: TokenBook
) -> None:
    store.after = StoreUnavailable("away")
    with pytest.raises(StoreUnavailable):
        await book.create(wanted("hidden"))
    store.after = None
    made = await book.create(wanted("next"))
    assert [one.name for one in book.tokens()] == ["hidden", "next"]
    store.after = StoreUnavailable("away")
    with pytest.raises(StoreUnavailable):
        await book.revoke(made.token.id)
    store.after = None
    await book.revoke(made.token.id)
    assert [one.name for one in await store.access_tokens()] == ["hidden"]


@pytest.mark.parametrize("change", ["create", "revoke"])
async def test_change_without_its_caller_runs_to_its_end(change: str, store: _FailingStore, book: TokenBook) -> None:
    made = await book.create(wanted())
    store.reached.clear()
    store.gate.clear()
    async with deadline(5), book.noting_uses():
        work = book.create(wanted("two")) if change == "create" else book.revoke(made.token.id)
        caller = asyncio.create_task(work)
        await store.reached.wait()
        caller.cancel()
        await asyncio.wait([caller])
        store.gate.set()
    assert len(book) == (2 if change == "create" else 0)
    assert await store.access_tokens() == book.tokens()


async def test_two_revocations_at_once_have_one_outcome(store: _FailingStore, book: TokenBook) -> None:
    made = await book.create(wanted())
    outcomes = await asyncio.gather(*(book.revoke(made.token.id) for _ in range(2)), return_exceptions=True)
    assert [type(one) for one in outcomes] == [AccessToken, NotFound]


async def test_last_use_is_shown_at_once_and_stored_later(
    store: _FailingStore, book: TokenBook, clock: MovingClock
) -> None:
    made = await book.create(wanted())
    for _ in range(3):
        clock.go_on(5)
        book.find(made.secret)
    assert [one.last_used_at for one in book.tokens()] == [clock()]
    assert [one.last_used_at for one in await store.access_tokens()] == [None]
    for _ in range(2):
        await book.store_uses()
    assert store.notes == 1
    assert [one.last_used_at for one in await store.access_tokens()] == [clock()]
    assert await store.access_tokens() == book.tokens()


async def test_use_while_uses_are_stored_is_stored_next(
    store: _FailingStore, book: TokenBook, clock: MovingClock
) -> None:
    made, other = await book.create(wanted()), await book.create(wanted())
    book.find(made.secret)
    book.find(other.secret)
    store.reached.clear()
    store.gate.clear()
    async with deadline(5), anyio.create_task_group() as group:
        group.start_soon(book.store_uses)
        await store.reached.wait()
        clock.go_on(5)
        book.find(made.secret)
        store.gate.set()
    assert book.tokens()[0].last_used_at == clock()
    await book.store_uses()
    assert [one.last_used_at for one in await store.access_tokens()] == [clock(), clock() - timedelta(milliseconds=5)]


@asynccontextmanager
async def _noting(book: TokenBook) -> AsyncIterator[None]:
    async with deadline(5), book.noting_uses(0.001):
        yield


@pytest.mark.parametrize(("fault", "level"), [(StoreUnavailable("away"), "WARNING"), (OSError("broken"), "ERROR")])
async def test_uses_that_cannot_be_stored_are_logged_and_stored_later(
    fault: Exception, level: str, store: _FailingStore, book: TokenBook, caplog: pytest.LogCaptureFixture
) -> None:
    made = await book.create(wanted())
    book.find(made.secret)
    store.before = fault
    with caplog.at_level(logging.WARNING):
        async with _noting(book):
            await store.noted.wait()
            store.before = None
            store.noted.clear()
            await store.noted.wait()
    assert {record.levelname for record in caplog.records} == {level}
    assert [one.last_used_at for one in await store.access_tokens()] != [None]


async def test_uses_are_stored_at_the_end(store: _FailingStore, book: TokenBook) -> None:
    made = await book.create(wanted())
    async with deadline(5), book.noting_uses():
        book.find(made.secret)
    assert [one.last_used_at for one in await store.access_tokens()] != [None]
