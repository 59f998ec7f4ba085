"""The book: all access tokens in memory, so that to find one needs no query; written through to the store.

A change is stored first. If the store fails, nothing is changed here. The store may have written it nevertheless, so
the book is read again before the next change.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from hmac import compare_digest
from typing import Any, NamedTuple

from realtime.clock import Clock
from realtime.errors import FieldError, KeyReused, NotFound, StoreUnavailable
from realtime.lifetimes.connection_lifetimes import ConnectionLifetimes
from realtime.lifetimes.credentials import Credential
from realtime.limits import LimitReached
from realtime.ports import AccessToken, RequestKey, TokenStore
from realtime.tasks import UndisturbedTasks
from realtime.tokens.new_token import SECRET_PREFIX, CreateToken, digest_of, new_secret, new_token
from realtime.tokens.other_nodes import NOBODY, Lookups, Others

__all__ = ["Bearer", "Made", "TokenBook"]

#: Seconds between two writes of the times of last uses.
USES_SECONDS = 60.0

log = logging.getLogger(__name__)


class Bearer(NamedTuple):
    """A valid token, and the one credential of all its connections."""

    token: AccessToken
    credential: Credential


class Made(NamedTuple):
    """A new token, and its secret, which nothing keeps."""

    token: AccessToken
    secret: str


class TokenBook:
    """The access tokens, as one node knows them."""

    def __init__(
        self,
        store: TokenStore,
        lifetimes: ConnectionLifetimes,
        clock: Clock,
        max_tokens: int,
        others: Others = NOBODY,
    ) -> None:
        """Start empty; `load` reads the tokens.

        `others` are the nodes that change them in the store, too.
        """
        self._store = store
        self._lifetimes = lifetimes
        self._clock = clock
        self._max_tokens = max_tokens
        self._bearers: dict[bytes, Bearer] = {}
        self._uses: dict[str, datetime] = {}
        self._turn = asyncio.Lock()
        self._changes = UndisturbedTasks()
        self._is_stale = True
        self._others = others
        self._lookups = Lookups(self._look_up)

    def __len__(self) -> int:
        """Return the number of tokens, expired ones included."""
        return len(self._bearers)

    async def load(self) -> None:
        """Read the tokens of the store, and end the connections of those that are there no longer.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        async with self._turn:
            gone = await self._read()
        await self._end(gone)

    async def prepare(self, secret: str) -> None:
        """Return once `find` knows a token that another node has made before.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        if self._others.are_there and secret.startswith(SECRET_PREFIX):
            digest = digest_of(secret)
            if digest not in self._bearers:
                await self._lookups.look_up(digest)

    def find(self, secret: str) -> Bearer | None:
        """Return the token with this secret and note its use; None if there is none, or it has expired.

        A digest says nothing about the secrets that are near, so how long the search takes reveals nothing of use.
        """
        digest = digest_of(secret)
        found = self._bearers.get(digest)
        if found is None or not compare_digest(found.token.digest, digest):
            return None
        now = self._clock()
        if found.token.expires_at is not None and found.token.expires_at <= now:
            return None
        self._uses[found.token.id] = now
        return found

    def tokens(self) -> list[AccessToken]:
        """Return all tokens, oldest first, with their last use until now."""
        return [self._used(bearer.token) for bearer in self._bearers.values()]

    async def create(self, command: CreateToken, key: RequestKey | None = None) -> Made:
        """Make a token; its secret is in the answer and nowhere else.

        Raises:
            InvalidInput: the token would have expired already.
            KeyReused: a token was made under this key; its secret cannot be shown again.
            LimitReached: there are too many tokens that have not expired.
            StoreUnavailable: nothing was stored.
        """
        return await self._changes.run(self._create(command, key))

    async def revoke(self, token_id: str) -> AccessToken:
        """Delete a token and end every connection that it holds; return it once all have got their goodbye.

        Raises:
            NotFound: there is no such token.
            StoreUnavailable: nothing was changed.
        """
        return await self._changes.run(self._revoke(token_id))

    async def store_uses(self) -> None:
        """Store the times of the last uses since the last call.

        Raises:
            StoreUnavailable: nothing was stored; the next call tries again.
        """
        uses = dict(self._uses)
        if uses:
            await self._store.note_token_uses(uses)
        for bearer in list(self._bearers.values()):
            if (used := uses.get(bearer.token.id)) is not None:
                self._bearers[bearer.token.digest] = bearer._replace(token=replace(bearer.token, last_used_at=used))
        for token_id, used in uses.items():
            if self._uses.get(token_id) == used:
                del self._uses[token_id]

    @asynccontextmanager
    async def noting_uses(self, seconds: float = USES_SECONDS) -> AsyncIterator[None]:
        """Store the times of last uses every `seconds` while the block runs, and at its end; a failure is logged."""
        stopping = asyncio.Event()
        task = asyncio.create_task(self._note_uses(seconds, stopping), name="token uses")
        try:
            yield
        finally:
            stopping.set()
            await task
            await self._changes.finished()

    async def _note_uses(self, seconds: float, stopping: asyncio.Event) -> None:
        is_last = False
        while not is_last:
            await _wait(stopping, seconds)
            is_last = stopping.is_set()
            try:
                await self.store_uses()
            except StoreUnavailable as error:
                log.warning("the last uses of access tokens were not stored: %s", error)
            except Exception:
                log.exception("the last uses of access tokens could not be stored")

    async def _create(self, command: CreateToken, key: RequestKey | None) -> Made:
        gone: list[Bearer] = []
        try:
            async with self._turn:
                gone = await self._refresh()
                self._check_key(key)
                secret = new_secret()
                token = new_token(command, secret, self._clock, key)
                expired = self._room()
                await self._stored(lambda: self._store.put_access_token(token, [one.id for one in expired]))
                for one in expired:
                    self._remove(one)
                self._add(token)
                return Made(token, secret)
        finally:
            await self._end(gone)

    async def _revoke(self, token_id: str) -> AccessToken:
        async with self._turn:
            gone = await self._refresh()
            # One that has just turned out to be gone was revoked by this request, if the store did not say so before.
            bearer = next((one for one in [*gone, *self._bearers.values()] if one.token.id == token_id), None)
            token = bearer and self._used(bearer.token)
            if bearer is not None and bearer.token.digest in self._bearers:
                await self._stored(lambda: self._store.delete_access_token(token_id))
                self._remove(bearer.token)
                gone.append(bearer)
        await self._end(gone)
        if token is None:
            raise NotFound("Token not found", "access_token_not_found")
        return token

    async def _refresh(self) -> list[Bearer]:
        """Read the tokens if others may have changed them; return those that are gone."""
        return await self._read() if self._is_stale or self._others.are_there else []

    async def _read(self) -> list[Bearer]:
        """Read the tokens, in a turn; return those that are gone."""
        tokens = await self._store.access_tokens()
        before, self._bearers = self._bearers, {}
        for token in tokens:
            known = before.pop(token.digest, None)
            if known is None:
                self._add(token)
            else:
                self._bearers[token.digest] = known._replace(token=token)
        for gone in before.values():
            self._uses.pop(gone.token.id, None)
        self._is_stale = False
        return list(before.values())

    async def _look_up(self, digests: Collection[bytes]) -> None:
        # In a turn: a token that is revoked meanwhile must not come back.
        async with self._turn:
            for token in await self._store.access_tokens_by_digest(digests):
                if token.digest not in self._bearers:
                    self._add(token)

    async def _end(self, gone: Collection[Bearer]) -> None:
        await asyncio.gather(*(self._lifetimes.revoke(one.credential) for one in gone))

    async def _stored(self, change: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._is_stale = True
        try:
            await change()
        finally:
            self._others.tell()  # after a failure, too: it may be stored nevertheless
        self._is_stale = False

    def _check_key(self, key: RequestKey | None) -> None:
        made = next((one.token for one in self._bearers.values() if key is not None and one.token.key == key), None)
        if made is not None:
            came = f"expected a new key: this one has made the token {made.id}, whose secret was shown once"
            raise KeyReused(FieldError("idempotencyKey", came))

    def _room(self) -> list[AccessToken]:
        """Return the tokens that make room for another one: none, or all that have expired."""
        if len(self) < self._max_tokens:
            return []
        now = self._clock()
        tokens = [one.token for one in self._bearers.values()]
        expired = [one for one in tokens if one.expires_at is not None and one.expires_at <= now]
        if not expired:
            raise LimitReached(f"expected at most {self._max_tokens:,} access tokens, got one more; revoke some")
        return expired

    def _add(self, token: AccessToken) -> None:
        self._bearers[token.digest] = Bearer(token, Credential.revocable(token.expires_at))

    def _remove(self, token: AccessToken) -> None:
        del self._bearers[token.digest]
        self._uses.pop(token.id, None)

    def _used(self, token: AccessToken) -> AccessToken:
        used = self._uses.get(token.id)
        return token if used is None else replace(token, last_used_at=used)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
