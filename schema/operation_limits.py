"""The bounds of one operation: its cost and its time (docs/graphql.md, "Cost" and "Deadlines")."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["OperationLimits"]


@dataclass(frozen=True, slots=True)
class OperationLimits:
    """The server sets them by its settings; these are their defaults."""

    #: Most cost of an operation, as `operation_cost` computes it.
    max_cost: int = 50_000
    #: Seconds after which a query or mutation, the beginning of a subscription, or one event of it is given up.
    timeout_seconds: float = 10.0
