"""The limits of one operation: its cost and its time (docs/graphql.md, "Cost" and "Deadlines")."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["OperationLimits"]


@dataclass(frozen=True, slots=True)
class OperationLimits:
    """The limits and their defaults; the settings of the server override them."""

    #: Highest cost of an operation, as `operation_cost` computes it.
    max_cost: int = 50_000
    #: Seconds for a query, a mutation, the beginning of a subscription, or one event of it; then it is cancelled.
    timeout_seconds: float = 10.0
