"""The fixtures of the schema's tests: one schema for all, a node with a board for each."""

from __future__ import annotations

import pytest
import strawberry

from realtime.node import Node
from schema.root import make_schema
from tests.kit.nodes import board, node, store
from tests.unit.schema.caller import Caller

__all__ = ["board", "caller", "node", "schema", "store"]


@pytest.fixture(scope="session")
def schema() -> strawberry.Schema:
    """The schema, which has no state between operations."""
    return make_schema()


@pytest.fixture
def caller(schema: strawberry.Schema, node: Node) -> Caller:
    """A client of the schema. Its node has the board `BOARD` if the test uses `board`."""
    return Caller(schema, node)
