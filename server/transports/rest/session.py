"""Sessions: calls with which a web page signs in and out.

A session is a cookie in place of a token: [access.md](access.md#sessions).
"""

from __future__ import annotations

import math
from typing import Annotated, TypedDict

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from realtime.clock import iso
from realtime.errors import UNQUOTED, NotAuthenticated
from realtime.kanban.grants import Action
from realtime.kanban.ids import Id
from realtime.kanban.input.fields import IsoTime
from realtime.service import Caller
from realtime.service.access_log import network_of_request
from server.access.authenticator import Authenticator
from server.access.cookie import drop_cookie, secret_of, set_cookie
from server.problem import Problem
from server.routing import resource
from server.transports.bodies import answer, json_object
from server.transports.callers import asked_by, service_of
from server.transports.rest.calls import rest_call
from server.transports.rest.inputs import input_of
from server.transports.rest.refusals import WRONG_TOKEN

__all__ = ["session_routes"]


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise PydanticCustomError(UNQUOTED, "expected a string")
    return value


class SignIn(BaseModel):
    """Begin a session."""

    model_config = ConfigDict(frozen=True)

    # Without a highest length, because the refusal would quote the beginning of a secret; a long token is not valid.
    token: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1), BeforeValidator(_text)] = Field(
        description="A valid token of any kind; it is trimmed."
    )


class SessionJson(TypedDict):
    """The caller, and what it may do; null as `subject` = the server needs no token, null as `expiresAt` = no end."""

    subject: str | None
    boards: list[Id]
    can: list[Action]
    expiresAt: IsoTime | None


def session_routes() -> list[BaseRoute]:
    """Return the routes."""
    return [resource("/session", get=get_session, post=begin_session, delete=end_session)]


@rest_call()
async def get_session(request: Request) -> SessionJson | Response:
    """Read who is signed in, and what that may do.

    It answers for a token in the request, too.
    """
    _, caller = asked_by(request)
    return _unstored(_session(caller), 200)


@rest_call(status=201, body=(SignIn,), refusals=(WRONG_TOKEN,))
async def begin_session(request: Request) -> SessionJson | Response:
    """Sign in by a token; the answer sets the cookie.

    A session of which the request has a cookie ends. If the client has `--max-sessions-per-client` sessions, its oldest
    one ends; if there are `--max-sessions`, the oldest one of the client that has most. A client may begin
    `--max-sign-ins` sessions in a minute, else 429. A server that needs no token sets no cookie.

    It takes no `Idempotency-Key`.
    """
    service, caller = asked_by(request)
    access: Authenticator = request.app.state.access
    token = input_of(SignIn, await json_object(request)).token
    if access.is_open:
        return _unstored(_session(caller), 201)
    await access.prepare(token)
    found = access.identify(token)
    if found is None:
        wrong = Problem(*WRONG_TOKEN, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
        raise access.note_failure(network_of_request()) or wrong from NotAuthenticated(WRONG_TOKEN.detail)
    begun = await service.sessions.begin(found, token)
    await _end(request)
    signed_in = {**_session(found), "expiresAt": iso(begun.expires_at)}
    response = _unstored(signed_in, 201)
    seconds = math.ceil((begun.expires_at - service.clock()).total_seconds())
    set_cookie(response, request.scope, begun.secret, max(1, seconds))
    return response


@rest_call(status=204)
async def end_session(request: Request) -> Response | None:
    """Sign out: end the session of the cookie, and drop the cookie.

    Its streams end within a second, as those of a revoked token. Without such a session the answer is the same.

    It takes no `Idempotency-Key`.
    """
    await _end(request)
    response = Response(status_code=204, headers={"Cache-Control": "no-store"})
    drop_cookie(response, request.scope)
    return response


async def _end(request: Request) -> None:
    secret = secret_of(request.scope)
    if secret is not None:
        await service_of(request).sessions.end(secret)


def _session(caller: Caller) -> SessionJson:
    expires_at = None if caller.credential is None else caller.credential.expires_at
    return {
        "subject": caller.subject or None,
        "boards": caller.grants.board_names(),
        "can": sorted(caller.grants.actions),
        "expiresAt": None if expires_at is None else iso(expires_at),
    }


def _unstored(body: object, status: int) -> Response:
    response = answer(body, status)
    response.headers["Cache-Control"] = "no-store"
    return response
