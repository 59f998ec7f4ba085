"""Access tokens: what the store has of them, and the port."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from realtime.kanban.grants import Grants
from realtime.ports.keys import RequestKey

__all__ = ["AccessToken", "TokenStore"]


@dataclass(frozen=True, slots=True)
class AccessToken:
    """An access token without its secret, which nothing keeps."""

    id: str
    #: SHA-256 of the secret, 32 bytes.
    digest: bytes
    #: The name of its bearer for people; several tokens may have the same one.
    name: str
    grants: Grants
    created_at: datetime
    #: None = it does not expire.
    expires_at: datetime | None = None
    #: Some minutes old at most; None = it was not used yet.
    last_used_at: datetime | None = None
    #: The idempotency key of the request that made it.
    key: RequestKey | None = None


class TokenStore(Protocol):
    """Stores access tokens. Every method raises `StoreUnavailable` if the store does not answer."""

    async def access_tokens(self) -> list[AccessToken]:
        """Return all access tokens, oldest first."""

    async def access_tokens_by_digest(self, digests: Collection[bytes]) -> list[AccessToken]:
        """Return those of the tokens that exist."""

    async def put_access_token(self, token: AccessToken, replaced: Collection[str] = ()) -> None:
        """Store a new token durably, and delete the tokens with the ids `replaced`; both or neither.

        No stored token has its id, its digest or its key.
        """

    async def delete_access_token(self, token_id: str) -> None:
        """Delete a token durably. It need not exist."""

    async def note_token_uses(self, uses: Mapping[str, datetime]) -> None:
        """Store the times at which tokens were last used, by id, in one transaction. Unknown ids are ignored."""
