"""The requests of each token that may not read the board, where a request may name it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import orjson

from tests.doors.graphql_table import field_rows
from tests.doors.rest_table import http_rows
from tests.doors.rows import Row, answer_to
from tests.doors.secret_table import HttpRequest, graphql_requests, http_requests
from tests.doors.tokens import BOARD, TOKENS, Standing, Token

__all__ = ["BLIND", "OF_OTHER", "OTHER", "REQUESTS", "address_requests", "field_requests", "hidden"]

#: Tokens that are valid and may not read the board, by name.
BLIND = {one.name: one for one in TOKENS if one.standing is Standing.VALID and not one.may("read", BOARD)}
#: The one that may do everything on `board-other`.
OTHER = "of another board"
_R = TypeVar("_R", bound=Row)


def hidden(rows: Iterable[_R], token: Token) -> list[_R]:
    """Return the rows about the board whose answer to this token is that of an unknown board."""
    return [row for row in rows if row.names_board and answer_to(row, token) == row.hidden]


def address_requests(token: Token, epoch: str) -> list[HttpRequest]:
    """Return a request for each address and method that names the board."""
    rows = [row for row in hidden(http_rows(), token) if "alpha" in f"{row.target}{row.body}"]
    bodies = [b"" if row.body is None else orjson.dumps(row.body) for row in rows]
    return [HttpRequest(row.method, row.target, body, row.headers) for row, body in zip(rows, bodies, strict=True)]


def field_requests(token: Token, epoch: str) -> list[HttpRequest]:
    """Return an operation of GraphQL for each field that names the board."""
    requests = []
    for row in hidden(field_rows(), token):
        body = orjson.dumps({"query": row.document, "variables": row.variables("alpha", "")})
        accept = "text/event-stream" if row.kind == "subscription" else "application/json"
        requests.append(HttpRequest("POST", "/graphql", body, (("Accept", accept),)))
    return requests


def thing_requests(token: Token, epoch: str) -> list[HttpRequest]:
    """Return requests over HTTP on `board-other` that name things of the board by their ids."""
    return list(http_requests(epoch))


def operation_requests(token: Token, epoch: str) -> list[HttpRequest]:
    """Return operations of GraphQL on `board-other` that name things of the board."""
    return list(graphql_requests(epoch))


#: Those of a token that may do everything on `board-other`.
OF_OTHER = {"things": thing_requests, "operations": operation_requests}
#: Name → the requests of a token on a store of an epoch.
REQUESTS = {"addresses": address_requests, "fields": field_requests, **OF_OTHER}
