"""Access tokens as GraphQL shows them, and the input for a new one (docs/access.md)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

import strawberry

from realtime import ports
from schema.types.enums import AccessAction
from schema.types.inputs import KEY
from schema.types.node import board_of
from schema.types.scalars import TimeText

__all__ = ["AccessToken", "CreateAccessTokenInput"]


@strawberry.type(description="An access token. Its secret is in the answer to `createAccessToken` only.")
class AccessToken:
    """The JSON form of REST."""

    token_id: strawberry.ID = strawberry.field(description="Id of the token, for `revokeAccessToken`; no secret.")
    name: str = strawberry.field(description="Its name for people. Tokens with one name are one client.")
    boards: list[strawberry.ID] = strawberry.field(description="The boards that it is for; `*` = all.")
    can: list[AccessAction] = strawberry.field(description="The actions that it allows on them.")
    created_at: datetime = strawberry.field(description="When it was made.")
    expires_at: datetime | None = strawberry.field(description="When it expires; null = never.")
    last_used_at: datetime | None = strawberry.field(
        description="When it was last used, at least to within a minute before a restart; null = never."
    )

    @classmethod
    def of(cls, token: ports.AccessToken) -> Self:
        """Return the token in the form of the schema."""
        shown = token.grants.as_json()
        return cls(
            token_id=strawberry.ID(token.id),
            name=token.name,
            boards=list(map(strawberry.ID, shown["boards"])),
            can=list(map(AccessAction, shown["can"])),
            created_at=token.created_at,
            expires_at=token.expires_at,
            last_used_at=token.last_used_at,
        )


@strawberry.input(description="A new access token.")
class CreateAccessTokenInput:
    """Becomes a `CreateToken`."""

    name: str = strawberry.field(description="1 to 200 characters after trimming. Tokens with one name are one client.")
    boards: list[strawberry.ID] = strawberry.field(description="1 to 1000 boards by either id, or `*` for all.")
    can: list[AccessAction] = strawberry.field(description="The actions that it allows, at least one.")
    expires_at: TimeText | None = strawberry.field(default=None, description="When it expires; null = never.")
    idempotency_key: str | None = strawberry.field(
        default=None, description=f"{KEY} A secret is shown once, so the same request is refused too."
    )

    def payload(self) -> dict[str, Any]:
        """Return the request in the form of REST."""
        boards, can = list(map(board_of, self.boards)), [action.value for action in self.can]
        return {"name": self.name, "boards": boards, "can": can, "expiresAt": self.expires_at}
