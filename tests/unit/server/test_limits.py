"""`QueryLimit` reads an address once, whatever it contains."""

from __future__ import annotations

import pytest
from starlette.types import Message, Receive, Scope, Send

from server.middleware.limits import MAX_QUERY_NAMES, QueryLimit


async def _statuses(query: bytes) -> list[int]:
    """Return the statuses of the answers; 204 is that of the application behind the limit."""
    statuses: list[int] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})

    async def receive() -> Message:
        raise AssertionError("nothing is read")

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await QueryLimit(app)({"type": "http", "query_string": query}, receive, send)
    return statuses


@pytest.mark.parametrize(
    ("query", "status"),
    [
        (b"", 204),
        (b"&".join([b"a"] * MAX_QUERY_NAMES), 204),
        (b"&".join([b"a=1"] * (MAX_QUERY_NAMES + 1)), 400),
        (b"&" * 5000, 204),
        (b"a&" * 2_000_000, 400),
    ],
)
async def test_names_in_a_query_are_counted(query: bytes, status: int) -> None:
    assert await _statuses(query) == [status]
