"""The parameters of a GraphQL request, one set of checks for every transport that carries them.

Whether the document is GraphQL at all is not asked here: so long as `query` is a string, the request is well-formed
(GraphQL over HTTP, "Request Parameters").
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

#: Most characters of a client's own text that a sentence about it repeats.
SHOWN_CHARACTERS = 40
#: Most characters of an operation's id, which every result repeats.
MAX_ID = 10_000
#: Most characters of `operationName`: one that nothing is named by is repeated in the answer.
MAX_OPERATION_NAME = 1000
#: In the words of Apollo's server, for which its client looks.
_NOT_PERSISTED: Mapping[str, Any] = {
    "message": "PersistedQueryNotSupported",
    "extensions": {"code": "PERSISTED_QUERY_NOT_SUPPORTED"},
}


class MalformedRequest(ValueError):
    """The parameters cannot be read; the sentence says what was expected and what came."""


@dataclass(frozen=True, slots=True)
class GraphqlRequest:
    """What to execute; null and absent are the same."""

    query: str
    variables: dict[str, Any] | None = None
    operation_name: str | None = None
    extensions: dict[str, Any] | None = None
    #: Why it is not executed, whatever the transport: an error in GraphQL's form.
    refusal: Mapping[str, Any] | None = None


def parse_parameters(parameters: object) -> GraphqlRequest:
    """Read the parameters from parsed JSON. Keys that are not of the request are ignored.

    A request that only names a persisted query, as Apollo or as trusted documents do, is well-formed, and refused:
    Apollo's client sends the document then.

    Raises:
        MalformedRequest: one is missing or of the wrong type.
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
    """Return a request that is refused because something in it could not be read: `fault` says what."""
    return replace(request, refusal={"message": fault, "extensions": {"code": "BAD_USER_INPUT"}})


def parse_query_string(parameters: Mapping[str, str]) -> GraphqlRequest:
    """Read the parameters from a URL, where maps are JSON and an empty text is no value.

    Raises:
        MalformedRequest: one is missing, no JSON, or of the wrong type.
    """
    given = {name: text for name, text in parameters.items() if text or name == "query"}
    if not given.get("query") and "extensions" in given:
        given.pop("query", None)  # `?query=` is how some clients leave it out
    maps = {name: _json(name, given[name]) for name in ("variables", "extensions") if name in given}
    return parse_parameters(dict[str, object](given) | maps)


def described(value: object) -> str:
    """Return a few words for what came; what is nested stays unread, it may be as deep as it likes."""
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
