"""The caller of an open WebSocket, which may send a new token on it (docs/access.md, "A new token in place")."""

from __future__ import annotations

import time
from datetime import datetime

from realtime.errors import Forbidden, NotAuthenticated
from realtime.lifetimes.connection_lifetime import ConnectionLifetime
from realtime.limits import LimitReached
from realtime.service import Caller, Service
from realtime.service.access_log import network_of_request, note
from server.access.authenticator import Authenticator

__all__ = ["ConnectedCaller"]

#: Most tokens that a client may send on one connection in so many seconds.
MAX_TOKENS, PERIOD_SECONDS = 10, 60.0


class ConnectedCaller:
    """The caller of one connection; requests on it act for `caller` as it is when they come."""

    __slots__ = ("_access", "_lifetime", "_period_end", "_service", "_tokens_left", "caller")

    def __init__(self, caller: Caller, service: Service, access: Authenticator, lifetime: ConnectionLifetime) -> None:
        """Begin with the caller of the handshake; the connection with `lifetime` must be open."""
        self.caller = caller
        self._service = service
        self._access = access
        self._lifetime = lifetime
        self._tokens_left, self._period_end = 0, 0.0

    async def authenticate(self, token: str) -> datetime | None:
        """Put a new token in place of the earlier one; return when it expires, None = never.

        From then on the grants of the new token hold, and the connection ends with the new token. Streams that these
        grants do not cover end. On a server that needs no token, nothing changes.

        Raises:
            NotAuthenticated: the token is not valid; the earlier one stays.
            Forbidden: it is the token of another subject; the earlier one stays.
            LimitReached: the client has sent too many tokens on this connection, or too many wrong ones.
            StoreUnavailable: the token could not be checked; the earlier one stays.
        """
        self._count()
        if self._access.is_open:
            return None
        await self._access.prepare(token)
        # There is no await from here on, so the token cannot be revoked before the connection is held by it.
        caller = self._access.identify(token)
        if caller is None:
            raise self._access.note_failure(network_of_request()) or NotAuthenticated(
                "expected a valid token, got one that is not"
            )
        if caller.subject != self.caller.subject:
            raise Forbidden("expected a token of the same subject, got one of another; open a new connection for it")
        earlier, self.caller = self.caller, caller
        ended = self._service.lifetimes.refresh(self._lifetime, caller.credential, caller.grants)
        if not caller.grants.include(earlier.grants):
            note("grants were reduced on a connection", streams_ended=ended)
        return None if caller.credential is None else caller.credential.expires_at

    def _count(self) -> None:
        now = time.monotonic()
        if now >= self._period_end:
            self._tokens_left, self._period_end = MAX_TOKENS, now + PERIOD_SECONDS
        if not self._tokens_left:
            sentence = f"expected at most {MAX_TOKENS} tokens a minute on a connection, got more"
            raise LimitReached(sentence, max(1, round(self._period_end - now)))
        self._tokens_left -= 1
