"""The parameters of a GraphQL request: one set of checks for every transport.

The checks do not parse the document: a request whose `query` is a string is well-formed (GraphQL over HTTP, "Request
Parameters").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

__all__ = [
    "MAX_ID",
    "GraphqlRequest",
    "MalformedRequest",
    "described",
    "parse_parameters",
    "parse_query_string",
    "unreadable",
]

#: Most characters of a client's text that an error message repeats.
SHOWN_CHARACTERS = 40
#: Most characters of an operation's id; every result repeats the id.
MAX_ID = 10_000
#: Most characters of `operationName`: the answer repeats a name that no operation has.
MAX_OPERATION_NAME = 1000
#: The words of Apollo's server; Apollo's client looks for them.
_NOT_PERSISTED: Mapping[str, Any] = {
    "message": "PersistedQueryNotSupported",
    "extensions": {"code": "PERSISTED_QUERY_NOT_SUPPORTED"},
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
    #: A GraphQL error that every transport sends instead of executing the request; None = execute it.
    refusal: Mapping[str, Any] | None = None


def parse_parameters(parameters: object) -> GraphqlRequest:
    """Read the parameters from parsed JSON. Unknown keys are ignored.

    A request may name a persisted query (Apollo) or a trusted document instead of a document. It is well-formed, but
    the server refuses it; Apollo's client then sends the document.

    Raises:
        MalformedRequest: a parameter is missing or has the wrong type.
    """
    if not isinstance(parameters, dict):
        raise MalformedRequest(f"expected an object with a query, got {described(parameters)}")
    query = parameters.get("query")
    extensions = _map("extensions", parameters.get("extensions"))
    if query in (None, "") and _names_a_document(parameters, extensions or {}):
        return GraphqlRequest("", extensions=extensions, refusal=_NOT_PERSISTED)
    if not isinstance(query, str):
        came = described(query) if "query" in parameters else "none"
        raise MalformedRequest(f"query: expected a string, got {came}")
    operation_name = parameters.get("operationName")
    if operation_name is not None and not isinstance(operation_name, str):
        raise MalformedRequest(f"operationName: expected a string or null, got {described(operation_name)}")
    asked = GraphqlRequest(query, _map("variables", parameters.get("variables")), operation_name, extensions)
    length = len(operation_name or "")
    if length > MAX_OPERATION_NAME:
        sentence = f"operationName: expected at most {MAX_OPERATION_NAME} characters, got {length}"
        refusal = {"message": sentence, "extensions": {"code": "OPERATION_NOT_AVAILABLE"}}
        return replace(asked, operation_name=None, refusal=refusal)
    return asked


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


def _names_a_document(parameters: Mapping[str, object], extensions: Mapping[str, object]) -> bool:
    return isinstance(extensions.get("persistedQuery"), dict) or isinstance(parameters.get("documentId"), str)


def _map(name: str, value: object) -> dict[str, Any] | None:
    if value is None or isinstance(value, dict):
        return value
    raise MalformedRequest(f"{name}: expected an object or null, got {described(value)}")


def _json(name: str, text: str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise MalformedRequest(f"{name}: expected JSON, got {described(text)}: {error}") from error
