"""The parameters of a GraphQL request: one set of checks for every transport.

The checks do not parse the document: a request whose `query` is a string is well-formed (GraphQL over HTTP, "Request
Parameters").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from schema.trusted_documents import TrustedDocuments
from server.protocol.json_text import load_json

__all__ = [
    "MAX_ID",
    "RETRY_SECONDS",
    "GraphqlRequest",
    "MalformedRequest",
    "described",
    "names_operation",
    "parse_parameters",
    "parse_query_string",
    "unreadable",
    "with_document",
]

#: Most characters of a client's text that an error message repeats.
SHOWN_CHARACTERS = 40
#: Most characters of an operation's id; every result repeats the id.
MAX_ID = 10_000
#: Seconds after which another operation may have ended, so that a client with too many may try again.
RETRY_SECONDS = 1
#: Most characters of `operationName`: the answer repeats a name that no operation has.
MAX_OPERATION_NAME = 1000
#: The words of Apollo's server; Apollo's client looks for them.
_NOT_SUPPORTED: Mapping[str, Any] = {
    "message": "PersistedQueryNotSupported",
    "extensions": {"code": "PERSISTED_QUERY_NOT_SUPPORTED"},
}
_NOT_FOUND: Mapping[str, Any] = {
    "message": "PersistedQueryNotFound",
    "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"},
}
_NOT_TRUSTED: Mapping[str, Any] = {
    "message": "expected a trusted document, or its id; this server executes no other",
    "extensions": {"code": "DOCUMENT_NOT_TRUSTED"},
}


class MalformedRequest(ValueError):
    """The parameters cannot be read; the text says what was expected and what came."""


@dataclass(frozen=True, slots=True)
class GraphqlRequest:
    """The parameters of one operation; a parameter that is null counts as absent."""

    query: str
    variables: dict[str, Any] | None = None
    operation_name: str | None = None
    extensions: dict[str, Any] | None = None
    #: The id of a document that the request names, whether it has a document too or not.
    document_id: str | None = None
    #: A GraphQL error that every transport sends instead of executing the request; None = execute it.
    refusal: Mapping[str, Any] | None = None


def parse_parameters(parameters: object) -> GraphqlRequest:
    """Read the parameters from parsed JSON. Unknown keys are ignored.

    A request may name a document by its id (`documentId`, or `extensions.persistedQuery` as Apollo does) in place of a
    document, or with it; see `with_document`.

    Raises:
        MalformedRequest: a parameter is missing or has the wrong type.
    """
    if not isinstance(parameters, dict):
        raise MalformedRequest(f"expected an object with a query, got {described(parameters)}")
    query = parameters.get("query")
    extensions = _map("extensions", parameters.get("extensions"))
    ids = _document_ids(parameters, extensions or {})
    document_id = ids[0] if ids else None
    if query in (None, "") and document_id is not None:
        query = ""
    if not isinstance(query, str):
        came = described(query) if "query" in parameters else "none"
        raise MalformedRequest(f"query: expected a string, got {came}")
    operation_name = parameters.get("operationName")
    if operation_name is not None and not isinstance(operation_name, str):
        raise MalformedRequest(f"operationName: expected a string or null, got {described(operation_name)}")
    variables = _map("variables", parameters.get("variables"))
    asked = GraphqlRequest(query, variables, operation_name, extensions, document_id)
    length = len(operation_name or "")
    if length > MAX_OPERATION_NAME:
        sentence = f"operationName: expected at most {MAX_OPERATION_NAME} characters, got {length}"
        return replace(asked, operation_name=None, refusal=_not_available(sentence))
    if len(set(ids)) > 1:
        # Neither counts more than the other, and the two documents may be different operations.
        came = f"documentId {described(ids[0])} and another one in extensions.persistedQuery"
        return replace(asked, refusal=_not_available(f"expected one id of a document, got {came}"))
    return asked


def names_operation(parameters: Mapping[str, str]) -> bool:
    """Return whether a GET asks for an operation, by its document or by the id of one; `parameters` are of its URL.

    Any other GET can execute nothing.
    """
    return not {"query", "documentId", "extensions"}.isdisjoint(parameters)


def with_document(request: GraphqlRequest, documents: TrustedDocuments) -> GraphqlRequest:
    """Return `request` with the document that it names, or with a refusal (docs/graphql.md, "Trusted documents").

    Apollo's client sends its document when it reads `PERSISTED_QUERY_NOT_FOUND` or `PERSISTED_QUERY_NOT_SUPPORTED`.
    """
    if request.refusal is not None:
        return request
    trusted = documents.by_id.get(request.document_id) if request.document_id is not None else None
    if trusted is not None and (documents.only or request.query in ("", trusted)):
        return replace(request, query=trusted)
    if documents.only:
        return request if request.query in documents.texts else replace(request, refusal=_NOT_TRUSTED)
    if request.query or request.document_id is None:
        return request
    return replace(request, refusal=_NOT_FOUND if documents.by_id else _NOT_SUPPORTED)


def unreadable(request: GraphqlRequest, fault: str) -> GraphqlRequest:
    """Return `request` with a refusal, because a part of it could not be read; `fault` says which part."""
    return replace(request, refusal={"message": fault, "extensions": {"code": "BAD_USER_INPUT"}})


def parse_query_string(parameters: Mapping[str, str]) -> GraphqlRequest:
    """Read the parameters from a URL, where maps are JSON and an empty text counts as absent.

    Raises:
        MalformedRequest: a parameter is missing, is no JSON, or has the wrong type.
    """
    given = {name: text for name, text in parameters.items() if text or name == "query"}
    if not given.get("query") and "extensions" in given:
        given.pop("query", None)  # some clients send `?query=` when they have no query
    maps = {name: _json(name, given[name]) for name in ("variables", "extensions") if name in given}
    return parse_parameters(dict[str, object](given) | maps)


def described(value: object) -> str:
    """Return a short description of `value` for an error message. Nested values are not read, however deep they are."""
    match value:
        case None:
            return "null"
        case bool() | int() | float():
            return orjson.dumps(value).decode()
        case str():
            return f"{value[:SHOWN_CHARACTERS]!r}" + ("…" if len(value) > SHOWN_CHARACTERS else "")
        case list():
            return "a list"
        case _:
            return "an object"


def _not_available(sentence: str) -> Mapping[str, Any]:
    return {"message": sentence, "extensions": {"code": "OPERATION_NOT_AVAILABLE"}}


def _document_ids(parameters: Mapping[str, object], extensions: Mapping[str, object]) -> list[str]:
    """Return the ids of documents that a request has; a hash that is no text is the id of no document."""
    ids = []
    named = parameters.get("documentId")
    if isinstance(named, str):
        ids.append(named)
    elif named is not None:
        raise MalformedRequest(f"documentId: expected a string or null, got {described(named)}")
    persisted = extensions.get("persistedQuery")
    if isinstance(persisted, dict):
        named = persisted.get("sha256Hash")
        ids.append(named if isinstance(named, str) else "")
    return ids


def _map(name: str, value: object) -> dict[str, Any] | None:
    if value is None or isinstance(value, dict):
        return value
    raise MalformedRequest(f"{name}: expected an object or null, got {described(value)}")


def _json(name: str, text: str) -> object:
    try:
        return load_json(text)
    except orjson.JSONDecodeError as error:
        raise MalformedRequest(f"{name}: expected JSON, got {described(text)}: {error}") from error
