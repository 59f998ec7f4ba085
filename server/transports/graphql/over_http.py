"""GraphQL over HTTP with a single answer, by the draft of the GraphQL foundation, and GraphiQL for browsers.

This replaces Strawberry's view, which passes 53 of 61 checks of the `graphql-http` audit; this module passes all 61.
"""

from __future__ import annotations

from contextlib import aclosing
from pathlib import Path

import orjson
from graphql import GraphQLError
from starlette.requests import Request
from starlette.responses import Response
from strawberry import Schema
from strawberry.types.graphql import OperationType

from realtime.service import Service
from schema.execution.context import Context
from server.concurrency.tasks import unless
from server.problem import Problem
from server.protocol.graphql.request import names_operation
from server.protocol.graphql.response import MEDIA_TYPES, status_of
from server.protocol.http.media_types import preferred
from server.settings import Settings
from server.transports.callers import caller_of
from server.transports.files.pages import page
from server.transports.graphql.operation import OperationResult, operation_results
from server.transports.graphql.parameters import allowed_by, asked_operation, read_request

__all__ = ["GraphqlHttp", "media_type_of"]

METHODS = ("GET", "POST")
HTML = "text/html"
_NO_SUBSCRIPTION = (
    "subscriptions have no single answer: subscribe over WebSocket, with Accept: text/event-stream, "
    'or with Accept: multipart/mixed;subscriptionSpec="1.0"'
)


class GraphqlHttp:
    """Answers queries and mutations, and sends the page to browsers. Other errors are problem documents."""

    def __init__(self, schema: Schema, service: Service, settings: Settings, page: Path) -> None:
        """Execute `schema` on `service`; `page` is GraphiQL's HTML."""
        self._limits = settings.operation_limits
        self._schema = schema
        self._service = service
        self._page = page

    async def respond(self, request: Request) -> Response:
        """Return the answer.

        Raises:
            Problem: the request is not well-formed, or the client accepts no media type that we have.
        """
        media_type = media_type_of(request)
        if media_type == HTML:
            # The assets of the page are under `/static`; it loads nothing from another host.
            return await page(request, self._page, Vary="Accept")
        if media_type is None:
            got = f"{request.headers.get('accept')!r:.200}"
            raise Problem(406, f"Accept: expected one of {', '.join(MEDIA_TYPES)}; got {got}")
        result = await unless(_left(request), self._execute(request))
        if result is None:
            return Response(status_code=499)  # the client has left and reads nothing
        headers = {"Vary": "Accept", "Cache-Control": "no-store"} if result.has_secret else {"Vary": "Accept"}
        status, content_type = status_of(result.body, media_type), f"{media_type}; charset=utf-8"
        return Response(orjson.dumps(result.body), status, headers, content_type)

    async def _execute(self, request: Request) -> OperationResult:
        asked = await read_request(request)
        if await asked_operation(asked, request.method, self._limits.documents) is OperationType.SUBSCRIPTION:
            refused = GraphQLError(_NO_SUBSCRIPTION, extensions={"code": "OPERATION_NOT_AVAILABLE"})
            return OperationResult({"errors": [refused.formatted]}, failed=True)
        allowed = allowed_by(request.method) - {OperationType.SUBSCRIPTION}
        context = Context(self._service, caller_of(request), limits=self._limits)
        async with aclosing(operation_results(asked, self._schema, context, allowed)) as results:
            return await anext(results)


def media_type_of(request: Request, streams: tuple[str, ...] = ()) -> str | None:
    """Return the media type that the client prefers of those we offer, including `streams`; None = it accepts none.

    `HTML` is for a browser that opens the page by GET, without an operation.

    Raises:
        Problem: 405, `/graphql` does not support the method.
    """
    if request.method not in METHODS:
        raise Problem(405, headers={"Allow": ", ".join(METHODS)})
    page = (HTML,) if request.method == "GET" and not names_operation(request.query_params) else ()
    return preferred(request.headers.get("accept"), (*MEDIA_TYPES, *page, *streams))


async def _left(request: Request) -> None:
    """Wait until the client has left. Call it after the request has been read."""
    await request.body()
    while (await request.receive())["type"] != "http.disconnect":
        pass
