"""`/graphql`: who wants HTTP, who wants which WebSocket subprotocol, and how long a send may take."""

from __future__ import annotations

import asyncio

from cross_web import HTTPException
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from schema.context import Context
from server.close_codes import UNKNOWN_SUBPROTOCOL
from server.connections import abort
from server.problem import problem
from server.protocol.graphql_conversation import SUBPROTOCOL
from server.settings import Settings
from server.transports.graphql_http import METHODS, GraphqlHttp
from server.transports.graphql_socket import GraphqlSocket

__all__ = ["GraphqlEndpoint"]


class GraphqlEndpoint(GraphqlHttp):
    """`/graphql`: queries and mutations over HTTP, everything over WebSocket, GraphiQL for browsers."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or socket; a client that takes nothing for too long is cut."""
        settings: Settings = scope["app"].state.settings
        patient = _patient(send, scope, settings.send_timeout_seconds)
        if scope["type"] != "http":
            await self._serve_socket(WebSocket(scope, receive, patient))
            return
        try:
            response = await self.run(Request(scope, receive))
        except HTTPException as refused:
            headers = {"Allow": ", ".join(METHODS)} if refused.status_code == 405 else None
            response = problem(refused.status_code, refused.reason, headers=headers)
        await response(scope, receive, patient)

    async def _serve_socket(self, socket: WebSocket) -> None:
        subprotocol = await self.pick_websocket_subprotocol(socket)
        if subprotocol == SUBPROTOCOL:
            await GraphqlSocket(socket, self._schema, Context(self._node)).serve()
        elif subprotocol is None:
            # By a close code, not before the upgrade: browsers show scripts nothing of an answer over HTTP.
            await socket.accept()
            await socket.close(UNKNOWN_SUBPROTOCOL.code, UNKNOWN_SUBPROTOCOL.reason)
        else:
            await self.run(socket)  # the older `graphql-ws`, by Strawberry


def _patient(send: Send, scope: Scope, seconds: float) -> Send:
    """Return `send`, which cuts the connection when it takes longer than `seconds`.

    Whoever waits in it then meets the same as when the client had left; nothing here needs to know what that is.
    """

    async def sent(message: Message) -> None:
        cut = asyncio.get_running_loop().call_later(seconds, abort, scope)
        try:
            await send(message)
        finally:
            cut.cancel()

    return sent
