"""REST (docs/rest.md): the calls of board clients, under `/api/v1` and the older `/api`."""

from __future__ import annotations

from starlette.routing import BaseRoute

from server.transports.rest.attempts import attempt_routes
from server.transports.rest.boards import board_routes
from server.transports.rest.dashboard import dashboard_routes
from server.transports.rest.projects import project_routes
from server.transports.rest.session import session_routes
from server.transports.rest.status import status_routes
from server.transports.rest.tokens import token_routes
from server.transports.rest.web_client import web_client_routes

__all__ = ["rest_routes"]


def rest_routes() -> list[BaseRoute]:
    """Return all routes, without the prefix, in the order of docs/rest.md."""
    return [
        *project_routes(),
        *board_routes(),
        *attempt_routes(),
        *dashboard_routes(),
        *token_routes(),
        *session_routes(),
        *status_routes(),
        *web_client_routes(),
    ]
