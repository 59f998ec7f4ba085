"""Contexts of GraphQL operations that a test executes by itself."""

from __future__ import annotations

from typing import Any

from realtime.node import Node
from realtime.service import Caller, Service
from schema.execution.context import Context
from tests.kit.nodes import TESTER

__all__ = ["context_on"]


def context_on(node: Node, caller: Caller = TESTER, **named: Any) -> Context:
    """Return the context of one operation of `caller` on `node`; `named` are further fields of it."""
    return Context(Service(node), caller, **named)
