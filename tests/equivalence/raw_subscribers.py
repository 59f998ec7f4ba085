"""Clients of the raw exits: envelopes as `{type, payload, cursor}`, and one spelling of `git_status`."""

from __future__ import annotations

import orjson

from tests.equivalence.mapping import Json
from tests.equivalence.subscriber import Ended, Subscriber
from tests.kit.raw_http import Connection
from tests.kit.raw_socket import CLOSE, PING, PONG, RawSocket, open_socket
from tests.kit.sse_reader import SseReader, StreamEnded, open_stream

__all__ = ["RawBoardSocket", "RawBoardStream", "RawDashboardSocket", "RawDashboardStream", "RawSubscriber"]


class RawSubscriber(Subscriber):
    """A client of a board, or of the dashboard if the id is empty."""

    target: str
    #: More of the query, beginning with `&`.
    options: str = ""

    def _address_of(self, after: str | None) -> str:
        board = f"boardId={self.board_id}" if self.board_id else ""
        return f"{self.target}?{board}{self.options}" + (f"&after={after}" if after is not None else "")


class _Socket(RawSubscriber):
    socket: RawSocket

    @property
    def connection(self) -> Connection:
        return self.socket.connection

    async def open(self, after: str | None = None) -> None:
        self.socket = await self.stack.enter_async_context(open_socket(self.address, self._address_of(after)))
        assert self.socket.response.status == 101, self.socket.response

    async def event(self) -> Json:
        frame = await self.socket.receive()
        while frame.opcode == PING:
            await self.socket.send_frame(PONG, frame.payload)
            frame = await self.socket.receive()
        if frame.opcode == CLOSE:
            raise Ended(frame.close)
        envelope: Json = orjson.loads(frame.payload)
        if envelope["type"] == "git:status":
            return {"type": "git_status", "payload": None, "cursor": envelope["cursor"]}
        return {"type": envelope["type"], "payload": envelope["payload"], "cursor": envelope.get("cursor")}

    async def end(self) -> None:
        # docs/departures.md, row 8: the socket stays open, and sends only pongs.
        await self.send({"type": "ping"})
        received = await self.event()
        assert received["type"] == "pong", f"{self.exit}: expected silence and a pong, got {received}"

    async def send(self, *messages: Json) -> None:
        """Send messages as a client."""
        for message in messages:
            await self.socket.send_json(message)


class _Stream(RawSubscriber):
    stream: SseReader

    @property
    def connection(self) -> Connection:
        return self.stream.connection

    async def open(self, after: str | None = None) -> None:
        # An EventSource that reconnects sends this header. The sockets use the query.
        headers = [("Last-Event-ID", after)] if after is not None else []
        opened = open_stream(self.address, self._address_of(None), headers)
        self.stream = await self.stack.enter_async_context(opened)
        if not self.stream.is_stream:
            raise Ended(self.stream.response.status, self.stream.response.body)

    async def event(self) -> Json:
        try:
            block = await self.stream.block()
        except StreamEnded as ended:
            raise Ended("end of the response") from ended
        lines = dict(line.split(": ", 1) for line in block.removesuffix("\n\n").split("\n"))
        if lines["event"] == "heartbeat":
            return await self.event()
        payload = None if lines["event"] == "git_status" else orjson.loads(lines["data"])
        return {"type": lines["event"], "payload": payload, "cursor": lines.get("id")}

    async def end(self) -> None:
        # docs/departures.md, row 8: the stream stays open and silent. `tests/live/test_deleted_board.py` shows it.
        return


class RawBoardSocket(_Socket):
    """`/api/v1/ws?boardId=`."""

    exit = "raw WebSocket"
    target = "/api/v1/ws"


class RawBoardStream(_Stream):
    """`/api/v1/sse?boardId=`."""

    exit = "raw SSE"
    target = "/api/v1/sse"


class RawDashboardSocket(_Socket):
    """`/api/v1/ws/dashboard`."""

    exit = "raw dashboard WebSocket"
    target = "/api/v1/ws/dashboard"


class RawDashboardStream(_Stream):
    """`/api/v1/sse` without a board."""

    exit = "raw dashboard SSE"
    target = "/api/v1/sse"
