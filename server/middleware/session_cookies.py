"""The cookie of a session on requests, for the access gate: which requests may use it, and whose it is."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import Scope

from realtime.service import Caller, Sessions
from server.access.authenticator import Authenticator
from server.access.cookie import is_secure, secret_of
from server.middleware.origins import Origins

__all__ = ["SessionCookies"]


class SessionCookies:
    """Finds the caller of the cookie that a request has."""

    def __init__(self, sessions: Sessions, access: Authenticator, origins: Origins) -> None:
        """Take the cookies of `sessions` from the pages that `origins` trusts; `access` knows the tokens."""
        self._sessions = sessions
        self._access = access
        self._origins = origins

    async def caller_of(self, scope: Scope) -> Caller | None:
        """Return the caller, None if the request has no cookie of a session that counts."""
        secret = secret_of(scope)
        if secret is None or not self.are_trusted(scope):
            return None
        await self._sessions.fetch(secret)
        token = self._sessions.token_of(secret)
        if token is None:
            return None
        await self._access.prepare(token)
        # The token and the session may have ended meanwhile.
        caller = self._access.identify(token)
        return None if caller is None else self._sessions.bearer(secret, caller)

    def are_trusted(self, scope: Scope) -> bool:
        """Return whether the page that sends the request may use cookies."""
        headers = Headers(scope=scope)
        host, secure = headers.get("host", ""), is_secure(scope)
        return all(self._origins.trusts(one, host, is_secure=secure) for one in headers.getlist("origin"))
