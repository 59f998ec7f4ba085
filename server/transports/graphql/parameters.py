"""Reads GraphQL requests over HTTP for every kind of answer, and checks which operations a method may execute."""

from __future__ import annotations

import orjson
from graphql import DocumentNode, GraphQLError, get_operation_ast
from starlette.requests import Request
from strawberry.types.graphql import OperationType

from schema.trusted_documents import TrustedDocuments
from schema.validation.document_cache import documents
from server.problem import Problem
from server.protocol.graphql.request import (
    GraphqlRequest,
    MalformedRequest,
    parse_parameters,
    parse_query_string,
    with_document,
)
from server.protocol.graphql.response import PLAIN_JSON
from server.protocol.http.media_types import split_media_type
from server.protocol.json_text import read_json
from server.transports.bodies import refuse_encoded

__all__ = ["allowed_by", "asked_operation", "operation_type", "read_request"]


def allowed_by(method: str) -> frozenset[OperationType]:
    """Return the operation types of a method: "GET requests MUST NOT be used for executing mutation operations"."""
    every = frozenset(OperationType)
    return every - {OperationType.MUTATION} if method == "GET" else every


async def read_request(request: Request) -> GraphqlRequest:
    """Read the parameters from the query string of a GET, or else from the body.

    Raises:
        Problem: 400, the request is not well-formed; 413, its body is too large; 415, its body is no JSON in UTF-8.
    """
    try:
        if request.method == "GET":
            return parse_query_string(dict(request.query_params))
        return parse_parameters(await _json(request))
    except MalformedRequest as malformed:
        raise Problem(400, str(malformed)) from malformed


async def asked_operation(asked: GraphqlRequest, method: str, trusted: TrustedDocuments) -> OperationType | None:
    """Return the type of the operation; None = no operation fits, and the execution reports why.

    The request may name one of the `trusted` documents.

    Raises:
        Problem: 405, a mutation by GET: "the server MUST respond with error status code 405 and halt execution".
    """
    try:
        query = with_document(asked, trusted).query
        # The execution finds the same document in the cache afterwards.
        document = await documents().parsed(query) if query else None
    except GraphQLError:
        document = None
    kind = operation_type(document, asked.operation_name) if document is not None else None
    if kind is OperationType.MUTATION and method == "GET":
        raise Problem(405, "GET executes no mutations, send them by POST", headers={"Allow": "POST"})
    return kind


def operation_type(document: DocumentNode, operation_name: str | None) -> OperationType | None:
    """Return the type of the operation to execute; None = no operation fits, and the execution reports why."""
    operation = get_operation_ast(document, operation_name)
    return OperationType(operation.operation.value) if operation is not None else None


async def _json(request: Request) -> object:
    refuse_encoded(request)
    content_type = request.headers.get("content-type", "")
    media_type, is_utf_8 = split_media_type(content_type)
    if media_type != PLAIN_JSON or not is_utf_8:
        raise Problem(415, f"Content-Type: expected {PLAIN_JSON} in UTF-8, got {content_type!r:.200}")
    try:
        read = read_json(await request.body())
    except orjson.JSONDecodeError as error:
        raise Problem(400, "Unable to parse request body as JSON") from error
    if read.fault is not None:
        raise MalformedRequest(read.fault)
    return read.value
