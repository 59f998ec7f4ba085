"""Nodes → rows, and back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any, Protocol, TypeVar

import orjson
from sqlalchemy import Column, Connection, Table, Text, delete, select

from realtime.backends.sql.tables import Instant, metadata
from realtime.backends.sql.upsert import insert
from realtime.ports import StoredNode

__all__ = ["NodeRows", "nodes"]

_T = TypeVar("_T")

#: The nodes that serve the database (`ports.StoredNode`). A SQLite file has one, which needs no row.
nodes = Table(
    "nodes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("figures", Text, nullable=False),
)


class _Use(Protocol):
    def __call__(self, work: Callable[[Connection], _T], /) -> Awaitable[_T]:
        """Call `work` with a connection in a thread."""


class NodeRows:
    """Implements `ports.NodeBook` on the database of a store."""

    def __init__(self, read: _Use, write: _Use) -> None:
        """Read and write with the connections of the store."""
        self._read = read
        self._write = write

    async def put(self, node: StoredNode, forgotten_before: datetime) -> None:
        """Store or replace the row of a node, and delete old rows."""
        values = {**asdict(node), "figures": orjson.dumps(dict(node.figures)).decode()}

        def write(connection: Connection) -> None:
            connection.execute(delete(nodes).where(nodes.c.seen_at < forgotten_before))
            rest = {name: value for name, value in values.items() if name != "id"}
            connection.execute(insert(nodes).values(values).on_conflict_do_update(index_elements=["id"], set_=rest))

        await self._write(write)

    async def remove(self, id: str) -> None:
        """Delete the row of a node."""
        await self._write(lambda connection: connection.execute(delete(nodes).where(nodes.c.id == id)).rowcount)

    async def all(self) -> list[StoredNode]:
        """Return the rows, by name."""
        query = select(nodes).order_by(nodes.c.name, nodes.c.started_at, nodes.c.id)
        return await self._read(lambda connection: [_node(row) for row in connection.execute(query)])


def _node(row: Any) -> StoredNode:
    figures = orjson.loads(row.figures)
    return StoredNode(row.id, row.name, row.version, row.address, row.started_at, row.seen_at, figures)
