"""Sessions: what the store has of them, and the port."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

__all__ = ["SessionStore", "StoredSession"]


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A session without its secret, which only the cookie has."""

    #: Finds the session by its secret (`tokens.sealing`), 32 bytes.
    digest: bytes
    #: The token, which only the secret opens.
    sealed: bytes
    #: The client of the token.
    client: str
    created_at: datetime
    expires_at: datetime


class SessionStore(Protocol):
    """Stores sessions. Every method raises `StoreUnavailable` if the store does not answer."""

    async def sessions(self) -> list[StoredSession]:
        """Return all sessions, oldest first."""

    async def sessions_by_digest(self, digests: Collection[bytes]) -> list[StoredSession]:
        """Return those of the sessions that exist."""

    async def put_session(self, session: StoredSession, replaced: Collection[bytes] = ()) -> None:
        """Store a new session durably, and delete those with the digests `replaced`; both or neither.

        Sessions that have expired when the new one was created are deleted too.
        """

    async def delete_session(self, digest: bytes) -> None:
        """Delete a session durably. It need not exist."""
