"""Readers with tokens: a connection over a line that records what comes, with one or several streams on it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from tests.equivalence.granted.shared_socket import NEWER, OLDER, LookingUp, SharedSocket, SharedSubscription
from tests.equivalence.graphql_subscribers import (
    DASHBOARD_EVENTS,
    GraphqlDistinctStream,
    GraphqlMultipart,
    GraphqlSingleStream,
)
from tests.equivalence.mapping import Json
from tests.equivalence.raw_subscribers import RawBoardSocket, RawBoardStream, RawDashboardSocket, RawDashboardStream
from tests.equivalence.subscriber import Ended, Subscriber
from tests.kit.deadline import deadline
from tests.kit.token_relay import Line

__all__ = ["EXITS", "Reader", "parting"]

_WAIT_UNITS = 10


async def parting(stream: Subscriber) -> tuple[list[Json], Ended]:
    """Read a stream to its end; return the events and the end."""
    events: list[Json] = []
    async with deadline(_WAIT_UNITS):
        try:
            while True:
                events.append(await stream.event())
        except Ended as ended:
            return events, ended


class Reader(ABC):
    """A connection with its streams."""

    #: Whether a client can send a new token on the connection.
    takes_tokens = True
    #: Most streams of the connection.
    max_streams = 1

    def __init__(self, exit: str, line: Line) -> None:
        """Use the exit with this name over `line`, with the token of the line."""
        self.exit = exit
        self.line = line
        #: Whether it has the cookie of a session in place of the token.
        self.by_session = False
        #: The open streams.
        self.streams: list[Subscriber] = []
        self._searched = 0

    @abstractmethod
    def stream(self, board_id: str) -> Subscriber:
        """Return a new stream of a board, or (without an id) of the dashboard, which is not open."""

    async def connect(self) -> None:
        """Prepare the connection for the streams."""
        return

    async def send_token(self, token: str) -> None:
        """Send a new token."""
        raise AssertionError("this connection takes none")

    async def accepted(self, end: str | None) -> None:
        """Read the answer to the new token, which has its end; a reader that takes none has none."""
        return

    def new_bytes(self, longest: int) -> bytes:
        """Return the bytes since the last search, and `longest` bytes before them."""
        begin, self._searched = max(0, self._searched - longest), len(self.line.heard)
        return bytes(self.line.heard[begin:])

    def forget_bytes(self) -> None:
        """Search no byte again that has come until now."""
        self._searched = 0
        self.line.heard.clear()

    async def aclose(self) -> None:
        """Close the connection."""
        for stream in self.streams:
            await stream.aclose()
        self.streams.clear()


class _SingleReader(Reader):
    """A connection for one stream."""

    def __init__(
        self, exit: str, line: Line, of_board: type[Subscriber], of_dashboard: type[Subscriber] | None = None
    ) -> None:
        super().__init__(exit, line)
        self._of_board = of_board
        self._of_dashboard = of_dashboard

    def stream(self, board_id: str) -> Subscriber:
        if board_id:
            return self._of_board(self.line.address, board_id)
        if self._of_dashboard is not None:
            return self._of_dashboard(self.line.address)
        made = self._of_board(self.line.address)
        made.document = DASHBOARD_EVENTS  # type: ignore[attr-defined]  # a client of GraphQL
        return made


class _ResponseReader(_SingleReader):
    """A response that goes on."""

    takes_tokens = False


class _SocketReader(_SingleReader):
    """A raw WebSocket."""

    async def send_token(self, token: str) -> None:
        for stream in self.streams:
            assert isinstance(stream, RawBoardSocket | RawDashboardSocket)
            await stream.send({"type": "authenticate", "payload": {"token": token}})

    async def accepted(self, end: str | None) -> None:
        for stream in self.streams:
            async with deadline(_WAIT_UNITS):
                # Overviews may come before.
                while (event := await stream.event())["type"] == "dashboard_overview":
                    pass
            assert (event["type"], event["payload"]) == ("access", {"expiresAt": end}), event


class _SharedReader(Reader):
    """A GraphQL WebSocket with several streams."""

    max_streams = 3

    def __init__(
        self, exit: str, line: Line, subprotocol: str, of_board: type[SharedSubscription] = SharedSubscription
    ) -> None:
        super().__init__(exit, line)
        self._shared = SharedSocket(line.address, subprotocol)
        self._of_board = of_board

    def stream(self, board_id: str) -> Subscriber:
        if board_id:
            return self._of_board(self._shared, board_id)
        return SharedSubscription(self._shared, document=DASHBOARD_EVENTS)

    async def connect(self) -> None:
        await self._shared.open()

    async def send_token(self, token: str) -> None:
        await self._shared.send_token(token)

    async def accepted(self, end: str | None) -> None:
        async with deadline(_WAIT_UNITS):
            await self._shared.accepted(end)

    async def aclose(self) -> None:
        with suppress(OSError):
            await super().aclose()
        await self._shared.aclose()


#: Makes a reader of an exit on a line.
_Make = Callable[[str, Line], Reader]
EXITS: dict[str, _Make] = {
    "raw SSE": partial(_ResponseReader, of_board=RawBoardStream, of_dashboard=RawDashboardStream),
    "raw WebSocket": partial(_SocketReader, of_board=RawBoardSocket, of_dashboard=RawDashboardSocket),
    "GraphQL over SSE": partial(_ResponseReader, of_board=GraphqlDistinctStream),
    "reserved stream": partial(_ResponseReader, of_board=GraphqlSingleStream),
    "multipart": partial(_ResponseReader, of_board=GraphqlMultipart),
    "graphql-transport-ws": partial(_SharedReader, subprotocol=NEWER),
    "graphql-ws": partial(_SharedReader, subprotocol=OLDER),
    "graphql-transport-ws, with rows": partial(_SharedReader, subprotocol=NEWER, of_board=LookingUp),
}
