"""A client with a token, which is replaced from time to time, and its connections."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from tests.equivalence.granted.grants import Grants
from tests.equivalence.granted.readers import Reader
from tests.kit.access_tokens import Admin, GivenToken
from tests.kit.sessions import sign_in

__all__ = ["Subject"]


@dataclass
class Subject:
    """All tokens of one name."""

    name: str
    grants: Grants
    token: GivenToken
    #: When the token expires, as on the wire; None = never.
    token_end: str | None = None
    readers: list[Reader] = field(default_factory=list)

    @classmethod
    async def make(cls, admin: Admin, name: str, grants: Grants, end: str | None) -> Self:
        """Make a client with its first token."""
        return cls(name, grants, await _token(admin, name, grants, end), end)

    async def renew(self, admin: Admin, grants: Grants, end: str | None) -> None:
        """Make another token, with these grants. The earlier one stays valid."""
        self.grants, self.token_end = grants, end
        self.token = await _token(admin, self.name, grants, end)

    async def identify(self, admin: Admin, reader: Reader) -> None:
        """Give the line of a reader the token, or the cookie of a session."""
        reader.line.token = self.token.secret
        reader.line.cookie = await sign_in(admin.address, self.token.secret) if reader.by_session else ""


async def _token(admin: Admin, name: str, grants: Grants, end: str | None) -> GivenToken:
    return await admin.make(name, boards=sorted(grants.boards), can=list(grants.can), expiresAt=end)
