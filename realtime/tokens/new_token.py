"""A request for an access token: its fields, and the token made from it. The rules are those of every entry."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from secrets import token_urlsafe
from typing import Annotated
from uuid import uuid4

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from realtime.clock import iso, parse_iso
from realtime.errors import FieldError, InvalidInput
from realtime.kanban.grants import MAX_ACTIONS, MAX_BOARDS, Action, Grants, grants_of
from realtime.kanban.ids import Id
from realtime.ports import AccessToken, RequestKey

__all__ = ["NAME_CHARS", "SECRET_PREFIX", "CreateToken", "digest_of", "new_secret", "new_token"]

NAME_CHARS = 200
#: With it, scanners that look for leaked secrets know ours.
SECRET_PREFIX = "boardcast_"
#: Random bytes of a secret. So many that a plain SHA-256 protects it: nobody can try them all.
SECRET_BYTES = 32


class CreateToken(BaseModel):
    """Make an access token."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=NAME_CHARS)] = Field(
        description=f"1 to {NAME_CHARS} characters after trimming. Tokens with one name are one client."
    )
    boards: Annotated[list[Id], Field(min_length=1, max_length=MAX_BOARDS)] = Field(
        description=f"1 to {MAX_BOARDS:,} ids of boards, or `*` for all."
    )
    can: Annotated[list[Action], Field(min_length=1, max_length=MAX_ACTIONS)] = Field(
        description="At least one [action](access.md#grants)."
    )
    expires_at: Annotated[datetime, BeforeValidator(parse_iso), "time"] | None = Field(
        default=None, description="A time in the future; absent or null = it never expires."
    )

    @property
    def grants(self) -> Grants:
        """The grants that it asks for."""
        return grants_of(self.boards, self.can)


def new_secret() -> str:
    """Return a new secret, which has no dot: a text with two dots is taken for a JSON Web Token."""
    return SECRET_PREFIX + token_urlsafe(SECRET_BYTES)


def digest_of(secret: str) -> bytes:
    """Return the SHA-256 of a secret, or of any other text."""
    return sha256(secret.encode(errors="surrogatepass")).digest()


def new_token(command: CreateToken, secret: str, clock: Callable[[], datetime], key: RequestKey | None) -> AccessToken:
    """Return the token that a request asks for.

    Raises:
        InvalidInput: it would have expired already.
    """
    now, expires_at = clock(), command.expires_at
    if expires_at is not None and expires_at <= now:
        expected = f"expected a time after {iso(now)}, got {iso(expires_at)}"
        raise InvalidInput(FieldError("expiresAt", expected))
    return AccessToken(f"tok-{uuid4()}", digest_of(secret), command.name, command.grants, now, expires_at, key=key)
