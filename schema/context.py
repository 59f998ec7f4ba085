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


#: Type of the `info` parameter of resolvers.
Info = strawberry.Info[Context, None]
