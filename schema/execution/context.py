"""The context that resolvers get with their arguments: the service, its caller and loaders, without a transport."""

from __future__ import annotations

from asyncio import Semaphore
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Protocol, Self

import strawberry

from realtime.fanout.counters import ConnectionMetrics
from realtime.kanban.commands import Command
from realtime.kanban.ids import BoardId
from realtime.lifetimes.connection_lifetime import ConnectionLifetime
from realtime.service import Caller, Executed, Service
from schema.execution.event_selector import Encoding, Results, Source
from schema.execution.gathering import Gathering
from schema.execution.loaders import Loaders
from schema.operation_limits import OperationLimits

__all__ = ["Connected", "Context", "Info", "ResultWriter"]


class ResultWriter(Protocol):
    """Writes ready results of one operation directly to its connection, without its generators."""

    def __call__(self, results: Results) -> bool:
        """Write all `results` after the earlier ones of the operation, without waiting; False = nothing was written."""


class Connected(Protocol):
    """The client of a connection, which may send a new token at any time."""

    #: The caller now.
    caller: Caller

    async def authenticate(self, token: str) -> datetime | None:
        """Put a new token in place of the earlier one; return when it expires, None = never.

        Raises:
            Refused: the token is not valid, or is that of another subject, or one token too many.
        """


@dataclass
class Context:
    """The context of one operation; each operation has its own."""

    service: Service
    #: The client that sent this operation, as it was when the operation began; see `refresh`.
    caller: Caller
    #: The cursor that the client sent in a header of the transport (`Last-Event-ID`); an argument `after` overrides it.
    after: str | None = None
    #: The cursor after the last event of a subscription. It is set when the event is yielded, for transports that send
    #: it with the result (`id:` of SSE). None = the event has no position.
    cursor: str | None = None
    #: The metrics of the operation's connection.
    metrics: ConnectionMetrics = field(default_factory=ConnectionMetrics)
    #: The limits of the operation.
    limits: OperationLimits = field(default_factory=OperationLimits)
    #: The cost of the operation; None = not known yet.
    cost: int | None = None
    #: The cost inside each field that returns the state of a board, by the id of the field's node.
    costs_of_boards: Mapping[int, int] = field(default_factory=dict)
    #: The lifetime of a connection with several operations; None = the connection serves this operation only.
    lifetime: ConnectionLifetime | None = None
    #: The client of the operation's WebSocket; None = each request has a token of its own.
    connected: Connected | None = None
    #: The turns of the operations of that connection: each takes one to execute a query, a mutation or an event, and
    #: gives it back when the result was taken. None = the connection serves this operation only.
    turns: Semaphore | None = None
    #: Whether the result has the secret of a token, which a resolver has made.
    has_secret: bool = False
    #: Whether `data` of a subscription's results may be an `orjson.Fragment` (`schema.plan`): for transports, which
    #: only encode it.
    encoded: bool = False
    #: Writes results at once; None = the transport takes each result from the operation's generator.
    write_nowait: ResultWriter | None = None
    #: The source and the executor of a subscription, left by its beginning for `schema.execution.running`.
    source: Source | None = None
    executor: Any = None
    #: Encodes the events of the subscription by a plan; None = graphql-core executes them.
    encoding: Encoding | None = None
    #: Joins the commands of a mutation to one unit; None = the mutation has no more than one command.
    gathering: Gathering | None = None

    @cached_property
    def loaders(self) -> Loaders:
        """The loaders, which read many rows by one query; made at the first use."""
        return Loaders(self.service, self.caller)

    def refresh(self) -> bool:
        """Take over a new token of the connection; return whether its grants differ from those before."""
        if self.connected is None or self.connected.caller is self.caller:
            return False
        before, self.caller = self.caller.grants, self.connected.caller
        return self.caller.grants != before

    async def execute(self, board_id: BoardId, command: Command, key: str | None = None) -> Executed:
        """Carry out a command, as `Boards.execute` does; the commands of one mutation are one unit."""
        if self.gathering is not None:
            return await self.gathering.execute(board_id, command, key)
        return await self.service.boards.execute(self.caller, board_id, command, key=key)

    def for_event(self) -> Self:
        """Return the context of one event of a subscription, without the rows loaded for earlier events."""
        fresh = copy(self)
        fresh.__dict__.pop("loaders", None)
        return fresh


#: Type of the `info` parameter of resolvers.
Info = strawberry.Info[Context, None]
