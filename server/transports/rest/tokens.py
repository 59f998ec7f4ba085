"""Access tokens: calls that list, make and revoke them.

Each needs the grant `admin` on all boards. [access.md](access.md#access-tokens) describes access tokens.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.routing import BaseRoute

from realtime.service import CreateToken
from realtime.tokens.token_wire import MadeTokenJson, TokenJson, made_wire, token_wire
from server.routing import resource
from server.transports.bodies import json_object
from server.transports.callers import asked_by
from server.transports.rest.calls import rest_call
from server.transports.rest.inputs import command_of, key_of
from server.transports.rest.refusals import TOKEN_NOT_FOUND, refusals

__all__ = ["token_routes"]


def token_routes() -> list[BaseRoute]:
    """Return the routes."""
    return [
        resource("/tokens", get=list_tokens, post=create_token),
        resource("/tokens/{token}", delete=revoke_token),
    ]


@rest_call()
async def list_tokens(request: Request) -> list[TokenJson]:
    """List all access tokens, the oldest first."""
    service, caller = asked_by(request)
    return [token_wire(token) for token in service.tokens.all(caller)]


@rest_call(status=201, has_secret=True, body=(CreateToken,))
async def create_token(request: Request) -> MadeTokenJson:
    """Make an access token.

    A caller cannot give a grant that its own token does not have: 403.

    An `Idempotency-Key` makes one token. The repeated call is 422 too: the sentence names the token, whose secret
    cannot be shown again.

    Of `--max-access-tokens` tokens, those that have expired make room for new ones. If none has, the answer is 429.
    """
    service, caller = asked_by(request)
    command, key = command_of(CreateToken, await json_object(request)), key_of(request)
    with refusals():
        return made_wire(await service.tokens.create(caller, command, key))


@rest_call(status=204, refusals=(TOKEN_NOT_FOUND,))
async def revoke_token(request: Request) -> None:
    """Revoke an access token; its connections end within a second.

    It takes no `Idempotency-Key`, because the repeated call is 404.
    """
    service, caller = asked_by(request)
    with refusals():
        await service.tokens.revoke(caller, request.path_params["token"])
