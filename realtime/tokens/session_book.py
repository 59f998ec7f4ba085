"""The session book: all sessions in memory, so that to find one needs no query; written through to the store.

A change is stored first. If the store fails, nothing is changed here; a new session that it has stored nevertheless has
no client, and goes when it expires.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple

from realtime.clock import Clock
from realtime.lifetimes.connection_lifetimes import ConnectionLifetimes
from realtime.lifetimes.credentials import Credential
from realtime.ports import SessionStore, StoredSession
from realtime.rates import MINUTE, Rate
from realtime.tasks import UndisturbedTasks
from realtime.tokens.other_nodes import NOBODY, Lookups, Others
from realtime.tokens.sealing import new_session_secret, place_of, seal, unseal

__all__ = ["Begun", "SessionBook", "SessionLimits"]


class SessionLimits(NamedTuple):
    """Limits of sessions."""

    #: Most sessions of all clients; another one ends the oldest one of the client that has most.
    sessions: int = 5_000
    #: Most sessions of one client; another one ends its oldest one.
    of_client: int = 500
    #: Longest duration.
    duration: timedelta = timedelta(days=7)
    #: Sessions that one client may begin in a minute; 0 = without limit.
    begun_per_minute: int = 0


class Begun(NamedTuple):
    """A new session."""

    #: For the cookie; nothing else keeps it.
    secret: str
    expires_at: datetime


class _Session(NamedTuple):
    stored: StoredSession
    credential: Credential


class SessionBook:
    """The sessions, as one node knows them."""

    def __init__(
        self,
        store: SessionStore,
        lifetimes: ConnectionLifetimes,
        clock: Clock,
        limits: SessionLimits,
        others: Others = NOBODY,
    ) -> None:
        """Start empty; `load` reads the sessions.

        `others` are the nodes that change them in the store, too.
        """
        self._store = store
        self._lifetimes = lifetimes
        self._clock = clock
        self._limits = limits
        #: Of new sessions.
        self.rate = Rate(limits.begun_per_minute, "new sessions", period=MINUTE)
        #: Oldest first.
        self._sessions: dict[bytes, _Session] = {}
        self._turn = asyncio.Lock()
        self._changes = UndisturbedTasks()
        self._others = others
        self._lookups = Lookups(self._look_up)

    def __len__(self) -> int:
        """Return the number of sessions, expired ones included."""
        return len(self._sessions)

    async def load(self) -> None:
        """Read the sessions of the store, and end the connections of those that are there no longer.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        async with self._turn:
            rows = await self._store.sessions()
            before, self._sessions = self._sessions, {}
            for stored in rows:
                known = before.pop(stored.digest, None)
                self._sessions[stored.digest] = _session(stored) if known is None else known
        await self._end_all(before.values())

    async def prepare(self, secret: str) -> None:
        """Return once this node knows a session that another one has begun before.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        if self._others.are_there:
            digest = place_of(secret)
            if digest not in self._sessions:
                await self._lookups.look_up(digest)

    def token_of(self, secret: str) -> str | None:
        """Return the token of the session with this secret, None if there is none, or it has ended."""
        found = self._find(secret)
        return None if found is None else unseal(secret, found.stored.sealed)

    def credential_of(self, secret: str) -> Credential | None:
        """Return the credential of all connections of that session, None if there is none, or it has ended."""
        found = self._find(secret)
        return None if found is None else found.credential

    async def begin(self, token: str, client: str, until: datetime | None) -> Begun:
        """Begin a session of a client by its valid token, which expires at `until` (None = never).

        If there are too many, older ones end.

        Raises:
            LimitReached: the client begins too many sessions in a minute; nothing was changed.
            StoreUnavailable: nothing was changed.
        """
        self.rate.spend(1, client)
        return await self._changes.run(self._begin(token, client, until))

    async def end(self, secret: str) -> str | None:
        """End a session and its connections; return its client once all have got their goodbye, None = no session.

        Raises:
            StoreUnavailable: nothing was changed.
        """
        await self.prepare(secret)
        return await self._changes.run(self._end(place_of(secret)))

    async def finished(self) -> None:
        """Wait for the changes that run."""
        await self._changes.finished()

    def _find(self, secret: str) -> _Session | None:
        found = self._sessions.get(place_of(secret))
        return None if found is None or found.stored.expires_at <= self._clock() else found

    async def _begin(self, token: str, client: str, until: datetime | None) -> Begun:
        async with self._turn:
            now, secret = self._clock(), new_session_secret()
            ends = now + self._limits.duration
            expires_at = ends if until is None else min(ends, until)
            removed = self._room(client, now)
            stored = StoredSession(place_of(secret), seal(secret, token), client, now, expires_at)
            try:
                await self._store.put_session(stored, [one.stored.digest for one in removed])
            finally:
                self._others.tell()  # after a failure, too: it may be stored nevertheless
            for one in removed:
                del self._sessions[one.stored.digest]
            self._sessions[stored.digest] = _session(stored)
        await self._end_all(removed)
        return Begun(secret, expires_at)

    async def _end(self, digest: bytes) -> str | None:
        async with self._turn:
            if digest not in self._sessions:
                return None
            try:
                await self._store.delete_session(digest)
            finally:
                self._others.tell()
            ended = self._sessions.pop(digest)
        await self._lifetimes.revoke(ended.credential)
        return ended.stored.client

    def _room(self, client: str, now: datetime) -> list[_Session]:
        """Return the sessions that make room for another one of a client.

        These are expired ones, the oldest one of the client, or that of the client with most sessions: so no client can
        keep the others out.
        """
        removed = [one for one in self._sessions.values() if one.stored.expires_at <= now]
        valid = [one for one in self._sessions.values() if one.stored.expires_at > now]
        counts = Counter(one.stored.client for one in valid)
        if counts[client] >= self._limits.of_client:
            crowded = client
        elif len(valid) >= self._limits.sessions:
            crowded = max(counts, key=counts.__getitem__)
        else:
            return removed
        return [*removed, next(one for one in valid if one.stored.client == crowded)]

    async def _look_up(self, digests: Collection[bytes]) -> None:
        # In a turn: a session that is ended meanwhile must not come back.
        async with self._turn:
            for stored in await self._store.sessions_by_digest(digests):
                self._sessions.setdefault(stored.digest, _session(stored))

    async def _end_all(self, ended: Collection[_Session]) -> None:
        await asyncio.gather(*(self._lifetimes.revoke(one.credential) for one in ended))


def _session(stored: StoredSession) -> _Session:
    return _Session(stored, Credential.revocable(stored.expires_at))
