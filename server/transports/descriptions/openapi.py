"""OpenAPI 3.1 of the REST calls and of ingest, made of the calls that docs/rest.md shows: there is no second list."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from functools import cache
from http import HTTPStatus
from inspect import getdoc
from itertools import groupby
from typing import Any, NoReturn, Union, get_args, get_origin

from starlette.responses import Response

from realtime.kanban.events import EVENT_MODELS
from realtime.kanban.incoming import MAX_EVENTS
from realtime.kanban.input.request_key import KEY_CHARS
from server.runtime.version import boardcast_version
from server.transports.descriptions.calls import HIDDEN, Entry, entries
from server.transports.descriptions.json_schemas import Json, Schemas, first_paragraph

__all__ = ["SECURITY", "SECURITY_SCHEMES", "openapi"]

#: Statuses that every call may have (docs/rest.md, "Answers"), and those of calls with a body besides.
EVERYWHERE = (400, 401, 403, 421, 429, 503)
WITH_BODY = (413, 415)
#: A call that changes something may repeat the key of another one.
WITH_KEY = (422,)
_PROBLEM = "application/problem+json"
_PARAMETER = re.compile(r"\{(\w+)\}")
SECURITY_SCHEMES: Json = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "A token (docs/access.md)."},
    "query": {"type": "apiKey", "in": "query", "name": "access_token", "description": "For EventSource and WebSocket."},
}
SECURITY: list[Json] = [{}, {"bearer": []}, {"query": []}]


@cache
def openapi() -> Json:
    """Return the document; nobody may change it."""
    schemas = Schemas()
    paths: dict[str, Json] = {}
    for entry in entries():
        paths.setdefault(entry.path, {})[entry.method.lower()] = _operation(schemas, entry)
    paths["/events"] = {"post": _ingest(schemas)}
    _problem(schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Boardcast",
            "version": boardcast_version(),
            "description": "Projects, boards, cards, attempts and the dashboard, and the ingest of events. The raw "
            "streams are in the AsyncAPI document.",
        },
        "servers": [{"url": "/api/v1"}],
        "tags": [{"name": name} for name, _ in groupby(entries(), _tag)] + [{"name": "Events"}],
        "paths": paths,
        "security": SECURITY,
        "components": {
            "schemas": dict(sorted(schemas.components.items())),
            "securitySchemes": SECURITY_SCHEMES,
        },
    }


def _tag(entry: Entry) -> str:
    return (sys.modules[entry.call.work.__module__].__doc__ or "").partition(":")[0]


def _operation(schemas: Schemas, entry: Entry) -> Json:
    call = entry.call
    _, *notes = re.split(r"\n\s*\n", getdoc(call.work) or "")
    spelt = [f"`{path}` is another spelling of this address." for path in entry.others]
    made: Json = {
        "operationId": getattr(call.work, "__name__", None) or _spelt(entry),
        "tags": [_tag(entry)],
        "summary": first_paragraph(call.work),
        "description": "\n\n".join([*(" ".join(note.split()) for note in notes), *spelt]),
        "parameters": list(_parameters(schemas, entry)),
        "responses": _responses(schemas, entry),
    }
    if call.body:
        kinds = [schemas.model(model, HIDDEN) for model in call.body]
        content = kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
        made["requestBody"] = {"required": True, "content": {"application/json": {"schema": content}}}
    return made


def _spelt(entry: Entry) -> str:
    return "_".join([entry.method.lower(), *re.findall(r"\w+", entry.path)])


def _parameters(schemas: Schemas, entry: Entry) -> Iterator[Json]:
    for name in _PARAMETER.findall(entry.path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
    for one in entry.call.query:
        yield {"name": one.name, "in": "query", "description": one.meaning, "schema": {"type": "string"}}
    if entry.method != "GET":
        key = {"type": "string", "minLength": 1, "maxLength": KEY_CHARS}
        yield {"name": "Idempotency-Key", "in": "header", "description": "Makes a repetition harmless.", "schema": key}


def _responses(schemas: Schemas, entry: Entry) -> Json:
    call = entry.call
    answers = [one for one in _kinds(entry.answer) if one is not Response and one is not NoReturn]
    refused: dict[int, list[str]] = {status: [] for status in EVERYWHERE}
    refused |= {status: [] for status in WITH_BODY if call.body}
    refused |= {status: [] for status in WITH_KEY if entry.method != "GET"}
    for refusal in call.refusals:
        refused.setdefault(refusal.status, []).append(refusal.detail)
    made: dict[str, Json] = {}
    if answers:
        content = [schemas.of(one) for one in answers if one is not type(None)]
        made[str(call.status)] = _answer(call.status, content)
    for status, details in sorted(refused.items()):
        made[str(status)] = _refusal(status, details)
    if Response in _kinds(entry.answer):  # an answer of its own, in the same form
        made["503"]["content"]["application/json"] = {"schema": _joined([schemas.of(one) for one in answers])}
    return made


def _kinds(hint: Any) -> tuple[Any, ...]:
    is_union = get_origin(hint) is Union or type(hint).__name__ == "UnionType"
    return get_args(hint) if is_union else (hint,)


def _joined(kinds: list[Json]) -> Json:
    return kinds[0] if len(kinds) == 1 else {"anyOf": kinds}


def _answer(status: int, kinds: list[Json]) -> Json:
    made: Json = {"description": HTTPStatus(status).phrase}
    if kinds:
        made["content"] = {"application/json": {"schema": _joined(kinds)}}
    return made


def _refusal(status: int, details: list[str]) -> Json:
    words = ", ".join(details) or HTTPStatus(status).phrase
    return {"description": words, "content": {_PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}}


def _problem(schemas: Schemas) -> None:
    field = {"type": "object", "properties": {"field": {"type": "string"}, "message": {"type": "string"}}}
    schemas.components["Problem"] = {
        "type": "object",
        "description": "An error over HTTP (RFC 9457).",
        "properties": {
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "type": {"const": "about:blank"},
            "title": {"type": "string"},
            "errors": {"type": "array", "items": {**field, "required": ["field", "message"]}},
        },
        "required": ["status", "detail", "type", "title"],
    }


def _ingest(schemas: Schemas) -> Json:
    schemas.components["Event"] = {
        "description": "An event, as a program reports it (docs/ingest.md).",
        "anyOf": [_event(schemas, name) for name in EVENT_MODELS],
    }
    event = {"$ref": "#/components/schemas/Event"}
    accepted = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "cursor": {"type": "string"}, "duplicate": {"type": "boolean"}},
        "required": ["name", "cursor", "duplicate"],
    }
    listed = {"type": "array", "items": event, "minItems": 1, "maxItems": MAX_EVENTS}
    answer = {
        "type": "object",
        "properties": {"accepted": {"type": "array", "items": accepted}},
        "required": ["accepted"],
    }
    return {
        "operationId": "ingest",
        "tags": ["Events"],
        "summary": "Report one event or a list of them, all or none.",
        "description": "An `id` makes the repetition of an event harmless.",
        "requestBody": {"required": True, "content": {"application/json": {"schema": {"anyOf": [event, listed]}}}},
        "responses": {
            "202": _answer(202, [answer]),
            **{str(status): _refusal(status, []) for status in (*EVERYWHERE, *WITH_BODY, *WITH_KEY)},
        },
    }


def _event(schemas: Schemas, name: str) -> Json:
    return {
        "type": "object",
        "properties": {
            "name": {"const": name},
            "payload": schemas.model(EVENT_MODELS[name], ("type",)),
            "at": {"type": "string", "format": "date-time"},
            "id": {"type": "string", "minLength": 1, "maxLength": KEY_CHARS},
        },
        "required": ["name", "payload"],
        "additionalProperties": False,
    }
