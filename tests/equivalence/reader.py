"""What all readers have in common: they open, tell one event after another in their exit's own shape, and end.

The raw readers are `raw_readers`', those of GraphQL `graphql_readers`'.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AsyncExitStack
from typing import ClassVar

from tests.equivalence.mapping import Json
from tests.kit.deadline import deadline
from tests.kit.raw_http import Address, Connection

__all__ = ["Ended", "Reader"]

#: How long what is due may take.
_WAIT_UNITS = 10


class Ended(Exception):
    """The server ended the stream where an event was expected; says how."""


class Reader(ABC):
    """One reader of one exit. Opened once, by `open`; `aclose` leaves without a word."""

    #: How a failure names the exit.
    exit: ClassVar[str]

    def __init__(self, address: Address, board_id: str = "") -> None:
        """Be a reader of `board_id` on the server at `address`."""
        self.address = address
        self.board_id = board_id
        self.stack = AsyncExitStack()

    @abstractmethod
    async def open(self, after: str | None = None) -> None:
        """Connect; `after` is the cursor at which the reader stood before."""

    @property
    @abstractmethod
    def connection(self) -> Connection:
        """The connection on which the events come, once it is open."""

    @abstractmethod
    async def event(self) -> Json:
        """Return the next event.

        Raises:
            Ended: there is none.
        """

    @abstractmethod
    async def end(self) -> None:
        """Require what follows the goodbye of a deleted board: the end of a GraphQL stream, silence on raw ones."""

    async def take(self, count: int) -> list[Json]:
        """Return the next `count` events; where the stream ends or falls silent, a last one says so."""
        found: list[Json] = []
        try:
            async with deadline(_WAIT_UNITS):
                while len(found) < count:
                    found.append(await self.event())
        except (Ended, TimeoutError) as error:
            found.append({"type": repr(error)})
        return found

    async def crash(self) -> None:
        """Leave as a client that dies: the server gets RST."""
        await self.connection.reset()
        await self.aclose()

    async def aclose(self) -> None:
        """Leave; closing twice is allowed."""
        await self.stack.aclose()
