"""The form of a REST call: its handler, and the facts that docs/rest.md shows of it.

The type that a handler returns is the type of the JSON in the answer. `python -m server.export` reads it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from server.transports.bodies import answer
from server.transports.query import Parameter
from server.transports.rest.refusals import Refusal

__all__ = ["RestCall", "Work", "rest_call"]

#: Carries a call out, and returns the JSON of the answer, None if the answer has no body, or an answer of its own.
Work = Callable[[Request], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class RestCall:
    """One method of an address, as a handler for `routing.resource`."""

    #: Its docstring says in the first paragraph what the call does; each further paragraph is a note of the page.
    work: Work
    #: Status of the answer if the call succeeds; 204 has no body.
    status: int = 200
    #: Whether the answer has the secret of a token. It is not compressed then, and stays in no cache.
    has_secret: bool = False
    #: The classes that read the body. They share its keys.
    body: tuple[type[BaseModel], ...] = ()
    query: tuple[Parameter, ...] = ()
    #: Refusals of this call, besides those that every call has.
    refusals: tuple[Refusal, ...] = ()

    async def __call__(self, request: Request) -> Response:
        """Carry the call out and return its answer.

        Raises:
            Problem: the call is refused.
        """
        body = await self.work(request)
        if isinstance(body, Response):
            return body  # an answer with another status
        if self.status == 204:
            return Response(status_code=204)
        response = answer(body, self.status)
        if self.has_secret:
            response.headers["Cache-Control"] = "no-store"
        return response


def rest_call(
    *,
    status: int = 200,
    has_secret: bool = False,
    body: tuple[type[BaseModel], ...] = (),
    query: tuple[Parameter, ...] = (),
    refusals: tuple[Refusal, ...] = (),
) -> Callable[[Work], RestCall]:
    """Return a decorator that makes a call of the function that carries it out; see the fields of `RestCall`."""

    def decorate(work: Work) -> RestCall:
        """Return the call that `work` carries out."""
        return RestCall(work, status, has_secret, body, query, refusals)

    return decorate
