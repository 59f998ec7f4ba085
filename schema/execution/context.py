"""The context of resolvers beside their arguments: the service, its caller and loaders, nothing of the transport."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol, Self

import strawberry

from realtime.fanout.connection_lifetimes import ConnectionLifetime
from realtime.fanout.counters import ConnectionMetrics
from realtime.kanban.commands import Command
from realtime.kanban.ids import BoardId
from realtime.service import Caller, Executed, Service
from schema.execution.event_selector import Encoding, Results, Source
from schema.execution.gathering import Gathering
from schema.execution.loaders import Loaders
from schema.operation_limits import OperationLimits

__all__ = ["Context", "Info", "ResultWriter"]


class ResultWriter(Protocol):
    """A transport's way for results of one operation that are ready, past whoever else waits for them."""

    def __call__(self, results: Results) -> bool:
        """Write all of them behind what was sent for the operation, without waiting; False: nothing was written."""


@dataclass
class Context:
    """The context of one operation; made anew for each."""

    service: Service
    #: The client that asks by this operation.
    caller: Caller
    #: The cursor at which the reader stood before, where a transport has a place for it (`Last-Event-ID`). An `after`
    #: among the arguments is newer.
    after: str | None = None
    #: The cursor behind the event that a subscription has yielded last: written as it is yielded, read by transports
    #: that name it beside the result (`id:` of SSE). None for everything that has no position.
    cursor: str | None = None
    #: What the operation's connection is counted under.
    metrics: ConnectionMetrics = field(default_factory=ConnectionMetrics)
    #: What the operation may cost.
    limits: OperationLimits = field(default_factory=OperationLimits)
    #: What it costs; None as long as that is not known.
    cost: int | None = None
    #: What is inside each of its fields that give a board's state, by the identity of the field's node.
    costs_of_boards: Mapping[int, int] = field(default_factory=dict)
    #: The lease of a connection that has several operations; None where a stream is a connection's only one.
    lifetime: ConnectionLifetime | None = None
    #: Whether `data` of a subscription's results may be an `orjson.Fragment` (`schema.plan`): for transports, which do
    #: nothing with it but encode it.
    encoded: bool = False
    #: How results can be written at once; None where a transport has each from the operation's generator only.
    write_nowait: ResultWriter | None = None
    #: What a subscription has begun with, from its resolver and its executor, for `schema.execution.running`.
    source: Source | None = None
    executor: Any = None
    #: How the events of the subscription are written by plan; None where graphql-core executes them.
    encoding: Encoding | None = None
    #: Makes one unit of the commands of a mutation that has several; None where there is one.
    gathering: Gathering | None = None

    @cached_property
    def loaders(self) -> Loaders:
        """What reads many things by one query; made when it is first asked for."""
        return Loaders(self.service, self.caller)

    async def execute(self, board_id: BoardId, command: Command) -> Executed:
        """Carry out a command, as `Boards.execute` does; those of one mutation are one unit."""
        if self.gathering is not None:
            return await self.gathering.execute(board_id, command)
        return await self.service.boards.execute(self.caller, board_id, command)

    def for_event(self) -> Self:
        """Return the context of one event of a subscription: everything but what was loaded for other events."""
        fresh = copy(self)
        fresh.__dict__.pop("loaders", None)
        return fresh


#: Type of the `info` parameter of resolvers.
Info = strawberry.Info[Context, None]
