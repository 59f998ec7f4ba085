"""The common interface of all clients: open, read one event after another in the exit's own shape, and end.

`raw_subscribers` and `graphql_subscribers` implement it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AsyncExitStack
from typing import ClassVar

from tests.equivalence.mapping import Json
from tests.kit.deadline import deadline
from tests.kit.raw_http import Address, Connection

__all__ = ["Ended", "Subscriber"]

#: Deadline for expected events.
_WAIT_UNITS = 10


class Ended(Exception):
    """The server ended the stream instead of sending an event; the message says how."""


class Subscriber(ABC):
    """A client of one exit. `open` is called once. `aclose` cuts the connection."""

    #: The name of the exit in failure messages.
    exit: ClassVar[str]
    #: When its token expires, as on the wire, if that is so soon that the server warns at the start of the stream.
    token_end: str | None = None

    def __init__(self, address: Address, board_id: str = "") -> None:
        """Make a client of `board_id` on the server at `address`."""
        self.address = address
        self.board_id = board_id
        self.stack = AsyncExitStack()

    @abstractmethod
    async def open(self, after: str | None = None) -> None:
        """Connect; `after` is the client's last cursor.

        Raises:
            Ended: the server refused the stream. It may also do so at the first event.
        """

    @property
    @abstractmethod
    def connection(self) -> Connection:
        """The connection that carries the events, once it is open."""

    @abstractmethod
    async def event(self) -> Json:
        """Return the next event.

        Raises:
            Ended: there is none.
        """

    @abstractmethod
    async def end(self) -> None:
        """Check what follows the goodbye of a deleted board: the end of a GraphQL stream, silence on raw ones."""

    async def take(self, count: int) -> list[Json]:
        """Return the next `count` events. If the stream ends or falls silent, the last one describes that."""
        found: list[Json] = []
        try:
            async with deadline(_WAIT_UNITS):
                while len(found) < count:
                    found.append(await self.event())
        except (Ended, TimeoutError) as error:
            found.append({"type": repr(error)})
        return found

    async def crash(self) -> None:
        """Close like a crashed client: the server gets RST."""
        await self.connection.reset()
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connection. Closing twice is allowed."""
        await self.stack.aclose()
