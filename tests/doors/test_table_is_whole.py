"""The table has every route of the application, every field of the schema and every message of the raw WebSocket."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from graphql import build_schema
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute

from server.protocol.kanban_protocol import KanbanProtocol, Refusal
from server.routing import AnySocketRoute, ServerRoute
from tests.doors.giving import HTTP_WAYS, INIT_WAYS, SOCKET_WAYS
from tests.doors.graphql_table import field_rows
from tests.doors.rest_table import http_rows
from tests.doors.rows import Row
from tests.doors.socket_table import socket_rows
from tests.doors.stage import Stage
from tests.doors.tokens import TOKENS
from tests.kit.shared_schema import shared_schema


def _names_of(routes: Iterable[BaseRoute], prefix: str = "") -> Iterator[str]:
    """Yield the name of each method of each address."""
    for route in routes:
        match route:
            case ServerRoute():
                yield "* *"
            case AnySocketRoute():
                yield f"WebSocket {prefix}/*"
            case Mount(routes=[_, *_]):
                yield from _names_of(route.routes, prefix + route.path)
            case Mount():
                yield f"* {prefix}{route.path}"
            case WebSocketRoute():
                yield f"WebSocket {prefix}{route.path}"
            case Route():
                yield from (f"{method} {prefix}{route.path}" for method in sorted(route.methods or {"*"}))
            case _:
                pytest.fail(f"give this kind of route a name: {route}")


def _fields() -> set[str]:
    schema = build_schema(shared_schema().as_str())
    roots = (schema.query_type, schema.mutation_type, schema.subscription_type)
    return {f"{root.name}.{field}" for root in roots if root is not None for field in root.fields}


def _messages() -> set[str]:
    """Return the types of messages that the answer to an unknown one names."""
    refusal = KanbanProtocol(0.0, 1.0).receive('{"type":"unknown"}', 0.0)
    assert isinstance(refusal, Refusal)
    named = refusal.message.removeprefix("expected one of ").partition(", got ")[0]
    return {f"message {name}" for name in named.split(", ")}


def _names(rows: Iterable[Row]) -> set[str]:
    return {row.name for row in rows}


async def test_every_route_is_in_the_table(stage: Stage) -> None:
    app: Any = stage.live.server.config.app
    routes = set(_names_of(app.routes))
    named = _names([*http_rows(), *(row for row in socket_rows() if row.name.startswith("WebSocket"))])
    assert routes - named == {"WebSocket /graphql"}, "each route needs a row; GraphQL over WebSocket has its own table"
    assert named - routes == set(), "rows without a route"


def test_every_field_is_in_the_table() -> None:
    assert _names(field_rows()) == _fields()


def test_every_message_of_the_raw_socket_is_in_the_table() -> None:
    assert {row.name for row in socket_rows() if row.message is not None} == _messages()


def test_every_row_without_a_grant_has_a_reason() -> None:
    rows = [*http_rows(), *field_rows(), *socket_rows()]
    assert [row.name for row in rows if row.needs.action == "" and not row.reason] == []


def test_table_is_large() -> None:
    http = len(http_rows()) * len(HTTP_WAYS)
    graphql = 2 * len(field_rows()) * len((*SOCKET_WAYS, *INIT_WAYS))
    raw = len(socket_rows()) * len(SOCKET_WAYS)
    assert (http + graphql + raw) * len(TOKENS) > 2_000
