"""Credentials: the tokens behind connections, and how each of them warns and ends a connection."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from realtime.errors import StreamEnded, TokenExpired
from realtime.lifetimes.connection_lifetime import ConnectionLifetime
from realtime.lifetimes.goodbyes import token_ended
from realtime.lifetimes.pacing import PacedCalls

__all__ = ["Credential", "CredentialHold"]

#: Seconds before the end of a token, from which on its clients know of the end (docs/access.md).
WARNING_SECONDS = 60.0


@dataclass(slots=True, eq=False)
class Credential:
    """The token behind connections, when it can expire or be revoked.

    A token that can be revoked has one object for all its connections.
    """

    #: None = it does not expire.
    expires_at: datetime | None
    #: The connections that it holds, each with the number of holds. None = it cannot be revoked.
    holds: Counter[ConnectionLifetime] | None = None
    #: Set when it is revoked, or expires while it holds a connection. The connections end then, some of them after a
    #: moment; nothing may be changed for them meanwhile.
    ended_by: type[StreamEnded] | None = None
    #: The token behind a session, if that can be revoked: its end is that of the session too.
    behind: Credential | None = None

    @property
    def end_reason(self) -> type[StreamEnded] | None:
        """The reason of its end, or of that of the token behind it; None = it counts."""
        return self.ended_by or (None if self.behind is None else self.behind.ended_by)

    def counters(self) -> Iterator[Counter[ConnectionLifetime]]:
        """Yield the counters of the connections that it holds, its own and that of the token behind it."""
        for one in (self, self.behind):
            if one is not None and one.holds is not None:
                yield one.holds

    @classmethod
    def revocable(cls, expires_at: datetime | None) -> Self:
        """Return a credential that `ConnectionLifetimes.revoke` can end."""
        return cls(expires_at, Counter())


class CredentialHold:
    """Warns a connection `WARNING_SECONDS` before its credential expires, and ends it then, until it is released.

    The subscribers of a connection get one warning for each end, however many holds have that end.
    """

    __slots__ = ("_credential", "_lifetime", "_paced", "_timer", "warning")

    def __init__(self, lifetime: ConnectionLifetime, credential: Credential, paced: PacedCalls) -> None:
        """Hold `lifetime`; warnings and ends go through `paced`."""
        self._lifetime = lifetime
        self._credential: Credential | None = credential
        self._paced = paced
        self._timer: asyncio.TimerHandle | None = None
        self.warning: datetime | None = None
        lifetime.holds.append(self)
        for counter in credential.counters():
            counter[lifetime] += 1
        if (reason := credential.end_reason) is not None:
            lifetime.end(token_ended(reason)())

    def expire_in(self, seconds: float, *, is_announced: bool = False) -> None:
        """Begin: the credential expires in so many seconds.

        When fewer than `WARNING_SECONDS` are left, the warning comes at once. `is_announced`: the subscribers that are
        there need none then, because the client has been told.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + max(0.0, seconds)
        if seconds > WARNING_SECONDS:
            self._timer = loop.call_at(end - WARNING_SECONDS, self._warn_soon, end)
            return
        self._timer = loop.call_at(end, self._expire)
        self._warn(sends=not is_announced)

    def release(self) -> None:
        """Hold the connection no longer; allowed twice."""
        credential, self._credential = self._credential, None
        if credential is None:
            return
        self._lifetime.holds.remove(self)
        if self._timer is not None:
            self._timer.cancel()
        for counter in credential.counters():
            counter[self._lifetime] -= 1
            if not counter[self._lifetime]:
                del counter[self._lifetime]

    def _warn_soon(self, end: float) -> None:
        self._timer = asyncio.get_running_loop().call_at(end, self._expire)
        self._paced.call(self._warn)

    def _warn(self, *, sends: bool = True) -> None:
        if self._credential is None or self._credential.expires_at is None:
            return  # released while it waited
        expires_at, known = self._credential.expires_at, self._lifetime.warned_of()
        self.warning = expires_at
        if sends and expires_at not in known:
            self._lifetime.warn(expires_at)

    def _expire(self) -> None:
        if self._credential is not None:
            self._credential.ended_by = TokenExpired
        self._paced.call(self._end)

    def _end(self) -> None:
        if self._credential is not None:
            self._lifetime.end(token_ended(TokenExpired)())
