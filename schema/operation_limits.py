"""The limits of one operation: its cost, its time and its document (docs/graphql.md)."""

from __future__ import annotations

from dataclasses import dataclass, field

from schema.trusted_documents import TrustedDocuments

__all__ = ["OperationLimits"]


@dataclass(frozen=True, slots=True)
class OperationLimits:
    """The limits and their defaults; the settings of the server override them."""

    #: Highest cost of an operation, as `operation_cost` computes it.
    max_cost: int = 50_000
    #: Seconds for a query, a mutation, the beginning of a subscription, or one event of it; then it is cancelled.
    timeout_seconds: float = 10.0
    #: The documents that requests may name.
    documents: TrustedDocuments = field(default_factory=TrustedDocuments)
    #: Whether documents may ask for the schema itself.
    introspection: bool = True
