"""One operation that is refused, over each transport of GraphQL."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

import orjson

from tests.kit.deadline import deadline
from tests.kit.graphql_stream import GraphqlStream
from tests.kit.live_server import LiveServer
from tests.kit.multipart_reader import ACCEPT as MULTIPART
from tests.kit.raw_http import Address, connect, exchange, request_bytes
from tests.kit.recordings import Json
from tests.kit.reserved_stream import open_reserved_stream
from tests.kit.sse_reader import SseReader
from tests.live.graphql.client import INIT, OLDER, connected, open_client

__all__ = ["GRAPHQL", "PING", "PONG", "SSE", "TRANSPORTS", "WITHOUT_STREAM", "Transport", "refused"]

GRAPHQL = "application/graphql-response+json"
SSE = "text/event-stream"
PING: Json = {"type": "ping", "payload": {"marker": 1}}
PONG: Json = {"type": "pong", "payload": {"marker": 1}}


async def _by_post(address: Address, request: Json) -> Json:
    return await _posted(address, request, GRAPHQL, 400)


async def _by_multipart(address: Address, request: Json) -> Json:
    return await _posted(address, request, MULTIPART, 200)


async def _posted(address: Address, request: Json, accept: str, status: int) -> Json:
    answer = await exchange(address, "POST", "/graphql", orjson.dumps(request), [("Accept", accept)])
    assert answer.status == status, answer
    return answer.json()  # type: ignore[return-value]


async def _by_get(address: Address, request: Json) -> Json:
    given = {name: value if isinstance(value, str) else orjson.dumps(value).decode() for name, value in request.items()}
    answer = await exchange(address, "GET", f"/graphql?{urlencode(given)}", headers=[("Accept", GRAPHQL)])
    assert answer.status == 400, answer
    return answer.json()  # type: ignore[return-value]


async def _by_sse(address: Address, request: Json) -> Json:
    async with connect(address) as connection:
        headers = [("Host", "127.0.0.1"), ("Accept", SSE), ("Content-Type", "application/json")]
        body = orjson.dumps(request)
        headers.append(("Content-Length", str(len(body))))
        await connection.send(request_bytes("POST", "/graphql", headers, body))
        stream = GraphqlStream(SseReader(connection, await connection.read_head()))
        result: Json = await stream.result()
        await stream.completed()
        return result


async def _by_reserved(address: Address, request: Json) -> Json:
    async with open_reserved_stream(address) as reserved:
        extensions = {**request.get("extensions", {}), "operationId": "1"}
        answer = await reserved.ask("POST", body={**request, "extensions": extensions})
        assert answer.status == 400, answer
        return answer.json()  # type: ignore[return-value]


async def _by_socket(address: Address, request: Json) -> Json:
    async with connected(address) as client:
        await client.send({"id": "1", "type": "subscribe", "payload": request}, PING)
        # The operation starts after one or more passes of the loop, so the pong may come first.
        answers = [await client.message(), await client.message()]
        assert PONG in answers
        (answer,) = (one for one in answers if one != PONG)
        assert (answer["id"], answer["type"]) == ("1", "error"), answer
        return {"errors": answer["payload"]}


async def _by_older_socket(address: Address, request: Json) -> Json:
    async with open_client(address, OLDER) as client:
        await client.send(INIT, {"id": "1", "type": "start", "payload": request})
        while (answer := await client.message())["type"] in ("connection_ack", "ka"):
            pass
        assert (answer["id"], answer["type"]) == ("1", "error"), answer
        return {"errors": [answer["payload"]]}


Transport = Callable[[Address, Json], Awaitable[Json]]
#: Name → function that returns the response of a refused operation.
TRANSPORTS: dict[str, Transport] = {
    "post": _by_post,
    "get": _by_get,
    "multipart": _by_multipart,
    "sse": _by_sse,
    "reserved": _by_reserved,
    "socket": _by_socket,
    "older socket": _by_older_socket,
}


#: The transports that give a query a single answer and a subscription a stream, or none.
WITHOUT_STREAM = (_by_post, _by_get, _by_multipart)


async def refused(transport: Transport, live: LiveServer, request: Json) -> tuple[str, str]:
    """Return code and message of the first error. There must be no data."""
    async with deadline(10):
        response: Any = await transport(live.address, request)
    assert set(response) == {"errors"}
    error = response["errors"][0]
    return error["extensions"]["code"], error["message"]
