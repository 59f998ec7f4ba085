"""The application: every address, and the middlewares in front of them."""

from __future__ import annotations

import strawberry
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.websockets import WebSocket

from realtime.service import Service
from realtime.service.access_log import note_stream
from schema.validation.document_cache import check_documents
from server.access.wiring import make_authenticator
from server.middleware.access import AccessGate
from server.middleware.answer_headers import AnswerHeaders
from server.middleware.client_address import ClientAddress
from server.middleware.compression import Compression
from server.middleware.handshakes import HandshakeGate
from server.middleware.hosts import HostGate, Hosts
from server.middleware.limits import BodyLimit, QueryLimit
from server.middleware.origins import OriginGate, Origins
from server.middleware.session_cookies import SessionCookies
from server.problem import problem, problem_handlers
from server.protocol.http.addresses import TrustedProxies
from server.protocol.http.websocket_handshake import VERSION
from server.routing import AnySocketRoute, SegmentMount, SegmentRoute, SegmentSocketRoute, ServerRoute, resource
from server.runtime.metrics import make_registry
from server.settings import Settings
from server.transports.descriptions.documents import description_routes
from server.transports.files.pages import STATIC, page_routes
from server.transports.graphql.endpoint import GraphqlEndpoint
from server.transports.graphql.reserved import GraphqlReserved
from server.transports.graphql.streaming import GraphqlStreaming
from server.transports.ingest import ingest
from server.transports.metrics import metrics
from server.transports.query import board_of
from server.transports.rest import rest_routes
from server.transports.sse import SseEndpoint
from server.transports.websocket import board_socket, dashboard_socket

__all__ = ["create_app"]

#: The API, and the address the original had before it had versions.
PREFIXES = ("/api/v1", "/api")
#: All methods that at least one address supports.
SERVER_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def create_app(service: Service, settings: Settings, schema: strawberry.Schema) -> Starlette:
    """Return the ASGI application for the service of an open node; the caller closes the node.

    `schema` comes from `schema.root.make_schema`, which takes a tenth of a second; several applications may share it.

    Raises:
        BadDocument: a document of `--trusted-documents` does not fit the schema.
        BadKey: `--jwt-key` names no key.
    """
    check_documents(settings.operation_limits.documents, schema._schema)  # noqa: SLF001 - there is no public way to it
    if settings.access_log:
        service.counters.stream_ended = note_stream
    streaming = GraphqlStreaming(schema, service, settings)
    graphql = GraphqlEndpoint(schema, service, settings, streaming, STATIC / "graphiql" / "index.html")
    access = make_authenticator(settings, service)
    origins = Origins(settings.origins, are_local_welcome=settings.are_local_origins_welcome)
    app = Starlette(
        routes=[
            ServerRoute(SERVER_METHODS),
            *(SegmentMount(prefix, _api_routes()) for prefix in PREFIXES),
            # No methods here, the endpoint answers with its own `Allow`: Starlette's would name HEAD as well as GET.
            SegmentRoute("/graphql", graphql),
            SegmentSocketRoute("/graphql", graphql),
            resource("/metrics", get=metrics),
            SegmentRoute("/graphql/stream", GraphqlReserved(schema, service, settings, streaming)),
            _no_socket(),
            *page_routes(settings.web_client),
        ],
        middleware=[
            Middleware(ClientAddress, TrustedProxies(settings.proxies)),
            Middleware(AnswerHeaders, notes_answers=settings.access_log),
            Middleware(HostGate, Hosts(settings.hosts, are_local_welcome=settings.is_local_and_open)),
            Middleware(OriginGate, origins),
            Middleware(QueryLimit),
            Middleware(
                AccessGate,
                access,
                SessionCookies(service.sessions, access, origins),
                has_web_client=settings.web_client is not None,
            ),
            Middleware(HandshakeGate),
            Middleware(BodyLimit, settings.max_body_bytes),
            *([Middleware(Compression)] if settings.compression else []),
        ],
        exception_handlers=dict(problem_handlers),
    )
    app.router.redirect_slashes = False
    app.state.service = service
    app.state.access = access
    name = service.identity.name if service.has_neighbours else ""
    app.state.metrics = make_registry(service.counters, service.nodes.own, name)
    app.state.settings = settings
    app.state.started_at = service.clock()
    return app


def _api_routes() -> list[BaseRoute]:
    return [
        SegmentSocketRoute("/ws", board_socket),
        SegmentSocketRoute("/ws/dashboard", dashboard_socket),
        SegmentRoute("/ws", _plain_board_request, methods=["GET"]),
        SegmentRoute("/ws/dashboard", _plain_socket_request, methods=["GET"]),
        SegmentRoute("/ws/dashboard", _plain_dashboard_request),
        SegmentRoute("/sse", SseEndpoint(), methods=["GET", "HEAD"]),
        SegmentRoute("/events", ingest, methods=["POST"]),
        *rest_routes(),
        *description_routes(),
        _no_socket(),
    ]


def _no_socket() -> BaseRoute:
    # Without this route, an upgrade at an unknown address gets Starlette's bare 403, and StaticFiles fails an
    # assertion.
    return AnySocketRoute(_unknown_socket)


async def _unknown_socket(socket: WebSocket) -> None:
    await socket.send_denial_response(problem(404))


async def _plain_board_request(request: Request) -> Response:
    # A request without an upgrade at the address of a socket. As in the recordings, a missing board is reported first.
    return await _plain_socket_request(request) if board_of(request.query_params) else problem(400, "Missing boardId")


async def _plain_socket_request(request: Request) -> Response:
    if "websocket" in request.headers.get("upgrade", "").lower():
        sentence = "expected a WebSocket handshake (RFC 6455 §4.2.1), something of it is missing"
        return problem(400, sentence, headers={"Sec-WebSocket-Version": VERSION})
    return problem(404)


async def _plain_dashboard_request(request: Request) -> Response:
    # As in the recordings, the address is unknown without an upgrade. A faulty upgrade gets its reason
    # (docs/departures.md, row 19).
    if "websocket" not in request.headers.get("upgrade", "").lower():
        return problem(404)
    if request.method != "GET":
        return problem(405, headers={"Allow": "GET"})
    return problem(400, "expected a WebSocket handshake (RFC 6455 §4.2.1): no body, HTTP/1.1, Connection: Upgrade")
