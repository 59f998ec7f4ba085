"""PyPI `gql` as a script of this folder: it accepts the orders of `carry_out.mjs` and sends the same reports.

Subscriptions use its WebSocket transport, in the subprotocol of the settings. Queries and mutations use it too, or the
HTTP transport if the settings say so. With `multipart`, everything uses its `AIOHTTPTransport`. The tests decide what
is correct.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import Any

import orjson
from gql import Client, GraphQLRequest
from gql.client import AsyncClientSession
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.async_transport import AsyncTransport
from gql.transport.exceptions import (
    TransportClosed,
    TransportConnectionFailed,
    TransportQueryError,
    TransportServerError,
)
from gql.transport.httpx import HTTPXAsyncTransport
from gql.transport.websockets import WebsocketsTransport
from tenacity import retry, retry_if_exception_type, wait_fixed

__all__: list[str] = []

RETRY_SECONDS = 0.05

Order = dict[str, Any]
#: After these errors a subscription starts again. Multipart reports the shutdown of the server with the last one.
_INTERRUPTED = (TransportConnectionFailed, TransportClosed, TransportServerError)


class _Orders:
    """Executes orders in a session for subscriptions and a session for the rest. They may be the same session."""

    def __init__(self, subscribing: AsyncClientSession, asking: AsyncClientSession, tasks: asyncio.TaskGroup) -> None:
        self._subscribing = subscribing
        self._asking = asking
        self._tasks = tasks
        self._running: dict[str, asyncio.Task[None]] = {}

    async def obey(self) -> None:
        """Execute orders until there are none, then cancel what still runs."""
        while line := await asyncio.to_thread(sys.stdin.buffer.readline):
            order = orjson.loads(line)
            await getattr(self, order["do"])(order)
        for task in self._running.values():
            task.cancel()

    async def query(self, order: Order) -> None:
        try:
            data = await self._asking.execute(_request(order))
        except TransportQueryError as refusal:
            _report("refused", name=order["name"], errors=refusal.errors)
        else:
            _report("result", name=order["name"], result={"data": data})

    mutate = query

    async def subscribe(self, order: Order) -> None:
        self._running[order["name"]] = self._tasks.create_task(self._follow(order))

    async def unsubscribe(self, order: Order) -> None:
        task = self._running.pop(order["name"])
        task.cancel()
        await asyncio.wait([task])
        _report("unsubscribed", name=order["name"])

    # The session reconnects by itself, but its user must subscribe again.
    @retry(retry=retry_if_exception_type(_INTERRUPTED), wait=wait_fixed(RETRY_SECONDS))
    async def _follow(self, order: Order) -> None:
        try:
            async with aclosing(self._subscribing.subscribe(_request(order))) as results:
                async for data in results:
                    _report("next", name=order["name"], result={"data": data})
        except TransportQueryError as refusal:
            _report("refused", name=order["name"], errors=refusal.errors)
        else:
            _report("complete", name=order["name"])


def _request(order: Order) -> GraphQLRequest:
    return GraphQLRequest(order["query"], variable_values=order["variables"])


def _report(at: str, **rest: object) -> None:
    sys.stdout.buffer.write(orjson.dumps({"at": at, **rest}) + b"\n")
    sys.stdout.buffer.flush()


@asynccontextmanager
async def _subscribing(settings: dict[str, Any]) -> AsyncGenerator[AsyncClientSession]:
    transport: AsyncTransport
    if settings.get("multipart"):
        transport = AIOHTTPTransport(settings["url"])
    else:
        transport = WebsocketsTransport(settings["socketUrl"], subprotocols=[settings["subprotocol"]])
    client = Client(transport=transport)
    again = retry(wait=wait_fixed(RETRY_SECONDS))
    yield await client.connect_async(reconnecting=True, retry_connect=again)  # type: ignore[no-untyped-call]
    await client.close_async()  # type: ignore[no-untyped-call]


async def _main(settings: dict[str, Any]) -> None:
    async with AsyncExitStack() as stack:
        subscribing = await stack.enter_async_context(_subscribing(settings))
        asking = subscribing
        if settings.get("asksOverHttp"):
            asking = await stack.enter_async_context(Client(transport=HTTPXAsyncTransport(settings["url"])))
        async with asyncio.TaskGroup() as tasks:
            await _Orders(subscribing, asking, tasks).obey()


if __name__ == "__main__":
    asyncio.run(_main(orjson.loads(sys.argv[1])))
