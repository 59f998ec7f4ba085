"""A client of HTTP that keeps its connection, and reads as much of a stream as a test needs."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Self

from tests.kit.deadline import deadline
from tests.kit.raw_http import Address, Answer, Connection, connect, request_bytes

__all__ = ["HttpLine"]

_WAIT_UNITS = 10


class HttpLine:
    """One connection at a time; a new one after a stream, or if the server closes it."""

    def __init__(self, address: Address) -> None:
        """Call the server at `address`."""
        self._address = address
        self._opened: AbstractAsyncContextManager[Connection] | None = None
        self._connection: Connection | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.drop()

    async def drop(self) -> None:
        """Close the connection."""
        if self._opened is not None:
            await self._opened.__aexit__(None, None, None)
            self._opened = self._connection = None

    async def ask(
        self,
        method: str,
        target: str,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        *,
        ends_with: bytes | None = None,
    ) -> Answer:
        """Return the answer. Of a stream, its beginning: up to the first event that ends with `ends_with`."""
        sent = [("Host", "127.0.0.1"), *headers]
        if body:
            sent += [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        async with deadline(_WAIT_UNITS):
            connection = await self._connected()
            await connection.send(request_bytes(method, target, sent, body))
            head = await connection.read_head()
            kind = head.header("Content-Type") or ""
            is_stream = kind.startswith(("text/event-stream", "multipart/mixed")) and method != "HEAD"
            if is_stream and head.status == 200:
                content = await _beginning(connection, ends_with)
            else:
                content = await connection.read_body(head, method=method)
            if is_stream or (head.header("Connection") or "").lower() == "close":
                await self.drop()
        return Answer(head.status, head.reason, head.headers, content)

    async def _connected(self) -> Connection:
        if self._connection is None:
            self._opened = connect(self._address)
            self._connection = await self._opened.__aenter__()
        return self._connection


async def _beginning(connection: Connection, ends_with: bytes | None) -> bytes:
    read = b""
    async for chunk in connection.chunks():
        read += chunk
        if ends_with is not None and ends_with in read:
            break
    return read
