"""The type of a document's operation, found before execution.

The answer to a subscription is a stream, so the transport has to know the type before it begins the answer.
"""

from __future__ import annotations

from graphql import DocumentNode, get_operation_ast
from strawberry.types.graphql import OperationType

__all__ = ["operation_type"]


def operation_type(document: DocumentNode, operation_name: str | None) -> OperationType | None:
    """Return the type of the operation to execute; None = no operation fits, and the execution reports why."""
    operation = get_operation_ast(document, operation_name)
    return OperationType(operation.operation.value) if operation is not None else None
