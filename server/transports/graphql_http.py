"""GraphQL over HTTP, by the draft of the GraphQL foundation, and GraphiQL for browsers."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import orjson
from cross_web import AsyncHTTPRequestAdapter
from graphql import GraphQLError
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.websockets import WebSocket
from strawberry import Schema
from strawberry.asgi import GraphQL
from strawberry.exceptions import MissingQueryError
from strawberry.http import GraphQLHTTPResponse, GraphQLRequestData
from strawberry.http.base import BaseRequestProtocol
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from realtime.node import Node
from schema.context import Context
from schema.errors import public_error
from server.problem import Problem
from server.protocol.graphql_request import MalformedRequest, parse_parameters, parse_query_string
from server.protocol.graphql_response import MEDIA_TYPES, PLAIN_JSON, body_of, status_of
from server.protocol.media_types import preferred, split_media_type

__all__ = ["METHODS", "GraphqlHttp"]

#: What each method executes. Subscriptions have no single answer; they have protocols of their own.
METHODS = {"GET": (OperationType.QUERY,), "POST": (OperationType.QUERY, OperationType.MUTATION)}
_HTML = "text/html"


class GraphqlHttp(GraphQL[Context, None]):
    """Strawberry's view, with other answers to who asks for what.

    Replaced are reading parameters, choosing the media type, and the status of an answer: the `graphql-http` audit
    counts 53 of 61 without and 61 of 61 with it. What is no GraphQL answer is a problem document.
    """

    def __init__(self, schema: Schema, node: Node, page: Path) -> None:
        """Execute `schema` on `node`; `page` is GraphiQL's HTML."""
        # `server.origins` has decided who may connect, by one rule for all exits.
        super().__init__(schema, allowed_origins=("*",))
        self._schema = schema
        self._node = node
        self._page = page

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:
        """Return what resolvers get."""
        return Context(self._node)

    def should_render_graphql_ide(self, request: BaseRequestProtocol) -> bool:
        """Tell whether this is a browser that opens the page: no query, and HTML wanted more than JSON."""
        is_page = request.method == "GET" and "query" not in request.query_params
        return is_page and preferred(_accept(request), (*MEDIA_TYPES, _HTML)) == _HTML

    async def render_graphql_ide(self, request: Request) -> Response:
        """Return GraphiQL; its assets are under `/static`, none from the network."""
        return FileResponse(self._page, headers={"Vary": "Accept"})

    async def parse_http_body(self, request: AsyncHTTPRequestAdapter) -> GraphQLRequestData:
        """Read the request.

        Raises:
            Problem: 400, it is no well-formed request; 406, there is no answer that the client would take.
        """
        if preferred(_accept(request), MEDIA_TYPES) is None:
            raise Problem(406, f"Accept: expected one of {', '.join(MEDIA_TYPES)}; got {_accept(request)!r:.200}")
        try:
            if request.method == "GET":
                read = parse_query_string({name: str(text) for name, text in request.query_params.items()})
            else:
                read = parse_parameters(await self._json(request))
        except MalformedRequest as malformed:
            raise Problem(400, str(malformed)) from malformed
        return GraphQLRequestData(read.query, read.variables, read.operation_name, read.extensions)

    async def execute_single(
        self,
        request: Request,
        request_adapter: AsyncHTTPRequestAdapter,
        sub_response: Response,
        context: Context,
        root_value: None,
        request_data: GraphQLRequestData,
    ) -> ExecutionResult:
        """Execute a query or, by POST, a mutation.

        Raises:
            Problem: 405, a mutation by GET: "the server MUST respond with error status code 405 and halt execution".
        """
        try:
            return await self._schema.execute(
                request_data.query,
                variable_values=request_data.variables,
                context_value=context,
                operation_name=request_data.operation_name,
                allowed_operation_types=METHODS[request_adapter.method],
                operation_extensions=request_data.extensions,
            )
        except MissingQueryError as empty:
            return _refused("expected a GraphQL document, got an empty text", empty)
        except CannotGetOperationTypeError as unknown:
            return _refused(unknown.as_http_error_reason(), unknown)
        except InvalidOperationTypeError as invalid:
            if invalid.operation_type is OperationType.MUTATION:
                raise Problem(
                    405, "GET executes no mutations, send them by POST", headers={"Allow": "POST"}
                ) from invalid
            return _refused("subscriptions have no single answer, subscribe over WebSocket", invalid)

    async def process_result(self, request: Request, result: ExecutionResult) -> GraphQLHTTPResponse:
        """Return the body of the answer."""
        return cast("GraphQLHTTPResponse", body_of(result))

    async def get_sub_response(self, request: Request | WebSocket) -> Response:
        """Return what carries the media type that the client wants to where the answer is made."""
        return Response(media_type=preferred(request.headers.get("accept"), MEDIA_TYPES))

    def create_response(self, response_data: Any, sub_response: Response) -> Response:
        """Return the answer."""
        media_type = sub_response.media_type or PLAIN_JSON
        status = status_of(response_data, media_type)
        body = self.encode_json(response_data)
        return Response(body, status, {"Vary": "Accept"}, f"{media_type}; charset=utf-8")

    def encode_json(self, data: object) -> str:
        """Encode with orjson."""
        return orjson.dumps(data).decode()

    def decode_json(self, data: str | bytes) -> object:
        """Decode with orjson, whose errors are `json.JSONDecodeError` too."""
        return orjson.loads(data)

    async def _json(self, request: AsyncHTTPRequestAdapter) -> object:
        media_type, is_utf_8 = split_media_type(request.content_type or "")
        if media_type != PLAIN_JSON or not is_utf_8:
            raise Problem(400, f"Content-Type: expected {PLAIN_JSON} in UTF-8, got {request.content_type!r:.200}")
        return self.parse_json(await request.get_body())


def _accept(request: BaseRequestProtocol | AsyncHTTPRequestAdapter) -> str | None:
    return next((value for name, value in request.headers.items() if name.lower() == "accept"), None)


def _refused(message: str, cause: Exception) -> ExecutionResult:
    return ExecutionResult(None, [public_error(GraphQLError(message, original_error=cause))])
