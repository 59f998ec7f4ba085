"""The nodes of an installation: what each writes about itself, for the operator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

__all__ = ["NodeBook", "StoredNode"]


@dataclass(frozen=True, slots=True)
class StoredNode:
    """A node as it was at the time `seen_at`. The times are those of its own clock."""

    #: New at each start of a process, unlike the name.
    id: str
    name: str
    version: str
    #: The URL at which it listens.
    address: str
    started_at: datetime
    seen_at: datetime
    #: Numbers and states by name, as JSON has them.
    figures: Mapping[str, Any]


class NodeBook(Protocol):
    """Stores a row for each node. Every method raises `StoreUnavailable` if the store does not answer."""

    async def put(self, node: StoredNode, forgotten_before: datetime) -> None:
        """Store or replace the row of a node, and delete the rows of nodes that were last seen before."""

    async def remove(self, id: str) -> None:
        """Delete the row of a node that ends."""

    async def all(self) -> list[StoredNode]:
        """Return the rows, by name."""
