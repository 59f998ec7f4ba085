"""What resolvers get beside their arguments: the node, and nothing of the transport that carried the request."""

from __future__ import annotations

from dataclasses import dataclass

import strawberry

from realtime.node import Node

__all__ = ["Context", "Info"]


@dataclass
class Context:
    """The context of one operation; the server may extend it with what it knows of the caller."""

    node: Node
    #: The cursor at which the reader stood before, where a transport has a place for it (`Last-Event-ID`). An `after`
    #: among the arguments is newer.
    after: str | None = None
    #: The cursor behind the event that a subscription has yielded last: written by its resolver, read by transports
    #: that name it beside the result (`id:` of SSE). None for everything that has no position.
    cursor: str | None = None


#: Type of the `info` parameter of resolvers.
Info = strawberry.Info[Context, None]
