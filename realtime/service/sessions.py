"""Sessions: begin one by a token, find its token, end it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from realtime.node import Node
from realtime.service.access import Caller
from realtime.service.access_log import note
from realtime.tokens.session_book import Begun

__all__ = ["Sessions"]


@dataclass(frozen=True, slots=True)
class Sessions:
    """Requests about sessions."""

    _node: Node

    async def fetch(self, secret: str) -> None:
        """Return once `token_of` knows the session with this secret, if another node has begun it.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        await self._node.sessions.prepare(secret)

    def token_of(self, secret: str) -> str | None:
        """Return the token of the session with this secret, None if there is no such session, or it has ended."""
        return self._node.sessions.token_of(secret)

    def bearer(self, secret: str, caller: Caller) -> Caller | None:
        """Return the caller of a session, which may do what `caller`, that of its token, may; None if it has ended.

        Its streams end with the session, and with the token.
        """
        credential = self._node.sessions.credential_of(secret)
        if credential is None:
            return None
        if caller.credential is not None and caller.credential.holds is not None:
            # The same object each time, as long as the token is valid.
            credential.behind = caller.credential
        return replace(caller, credential=credential)

    async def begin(self, caller: Caller, token: str) -> Begun:
        """Begin a session of a caller by its valid token; it ends with the token at the latest.

        If there are too many sessions, an older one ends.

        Raises:
            LimitReached: the client begins too many sessions in a minute; nothing was changed.
            StoreUnavailable: nothing was changed.
        """
        until = None if caller.credential is None else caller.credential.expires_at
        begun = await self._node.sessions.begin(token, caller.client or "", until)
        note("a session began", caller.client)
        return begun

    async def end(self, secret: str) -> None:
        """End a session, if there is one with this secret; its connections end within a second.

        Raises:
            StoreUnavailable: nothing was changed.
        """
        client = await self._node.sessions.end(secret)
        if client is not None:
            note("a session was ended", client)
