"""What a document asks for, seen before anything is executed: whether it streams decides how the answer begins."""

from __future__ import annotations

from graphql import DocumentNode, get_operation_ast
from strawberry.types.graphql import OperationType

__all__ = ["operation_type"]


def operation_type(document: DocumentNode, operation_name: str | None) -> OperationType | None:
    """Return the type of the operation that is to be executed; None = it cannot be told, and executing says why."""
    operation = get_operation_ast(document, operation_name)
    return OperationType(operation.operation.value) if operation is not None else None
