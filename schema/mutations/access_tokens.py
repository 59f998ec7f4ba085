"""Mutations of access tokens, with the rules of REST; and a new token for the connection."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry.types.field import StrawberryField

from realtime.errors import Refused
from realtime.kanban.commands import parse_command
from realtime.service import CreateToken
from schema.access_tokens import AccessToken, CreateAccessTokenInput
from schema.execution.context import Info
from schema.refusals import AccessTokenNotFound, IdempotencyKeyReused, InvalidInput, refusable
from schema.types.inputs import key_of

__all__ = ["AccessTokenMutations", "AuthenticatePayload", "CreateAccessTokenPayload", "RevokeAccessTokenPayload"]


@strawberry.type(description="The result of `createAccessToken`.")
class CreateAccessTokenPayload:
    """The result of `createAccessToken`."""

    access_token: AccessToken = strawberry.field(description="The token.")
    secret: str = strawberry.field(description="The text that its bearer sends. Nothing keeps it, or shows it again.")


@strawberry.type(description="The result of `revokeAccessToken`.")
class RevokeAccessTokenPayload:
    """The result of `revokeAccessToken`."""

    token_id: strawberry.ID = strawberry.field(description="Id of the token that was revoked.")


@strawberry.type(description="The result of `authenticate`.")
class AuthenticatePayload:
    """The result of `authenticate`."""

    expires_at: datetime | None = strawberry.field(description="When the new token expires; null = never.")


CreateAccessTokenResult = Annotated[
    CreateAccessTokenPayload | InvalidInput | IdempotencyKeyReused,
    strawberry.union(
        "CreateAccessTokenResult", description="The answer to `createAccessToken`: the token, or the refusal."
    ),
]
RevokeAccessTokenResult = Annotated[
    RevokeAccessTokenPayload | AccessTokenNotFound,
    strawberry.union(
        "RevokeAccessTokenResult", description="The answer to `revokeAccessToken`: the id, or the refusal."
    ),
]


#: Its refusals are errors: they have the codes of a connection that is refused, and no client shows them in a form.
_authenticating: Callable[[Callable[..., Any]], StrawberryField] = strawberry.mutation(
    description="Put a new token in place of that of this WebSocket: its grants hold from now on, and its end ends the "
    "connection. It must be of the same subject. Errors: `UNAUTHENTICATED`, `FORBIDDEN`, `RATE_LIMITED`; over HTTP "
    "`OPERATION_NOT_AVAILABLE`. The earlier token stays then."
)


@strawberry.type
class AccessTokenMutations:
    """Mutations of access tokens; part of the root."""

    @_authenticating
    async def authenticate(
        self,
        info: Info,
        token: Annotated[str, strawberry.argument(description="The token. Send it as a variable.")],
    ) -> AuthenticatePayload:
        """Hand the token to the connection."""
        connected = info.context.connected
        if connected is None:
            sentence = "expected a GraphQL WebSocket; over HTTP each request has a token of its own"
            raise Refused(sentence, "operation_not_available")
        return AuthenticatePayload(expires_at=await connected.authenticate(token))

    @refusable(
        "Make an access token. Needs the grant `admin` on all boards, and each grant that the new token gets.",
        CreateAccessTokenResult,
    )
    async def create_access_token(
        self, info: Info, input: Annotated[CreateAccessTokenInput, strawberry.argument(description="The token.")]
    ) -> CreateAccessTokenPayload:
        """Make the token."""
        tokens, caller = info.context.service.tokens, info.context.caller
        command = parse_command(CreateToken, input.payload())
        made = await tokens.create(caller, command, key_of(input.idempotency_key))
        info.context.has_secret = True
        return CreateAccessTokenPayload(access_token=AccessToken.of(made.token), secret=made.secret)

    @refusable(
        "Revoke an access token; its connections end within a second. Needs the grant `admin` on all boards.",
        RevokeAccessTokenResult,
    )
    async def revoke_access_token(
        self, info: Info, token_id: Annotated[strawberry.ID, strawberry.argument(description="The token.")]
    ) -> RevokeAccessTokenPayload:
        """Revoke the token."""
        await info.context.service.tokens.revoke(info.context.caller, token_id)
        return RevokeAccessTokenPayload(token_id=token_id)
