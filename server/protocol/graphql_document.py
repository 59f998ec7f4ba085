"""What a document asks for, seen before anything is executed: whether it streams decides how the answer begins."""

from __future__ import annotations

from graphql import GraphQLError, get_operation_ast, parse
from strawberry.types.graphql import OperationType

from schema.root import MAX_TOKENS
from server.protocol.graphql_request import GraphqlRequest

__all__ = ["operation_type"]


def operation_type(request: GraphqlRequest) -> OperationType | None:
    """Return the type of the operation that is to be executed; None = it cannot be told, and executing says why."""
    try:
        document = parse(request.query, no_location=True, max_tokens=MAX_TOKENS)
    except (GraphQLError, RecursionError):
        return None
    operation = get_operation_ast(document, request.operation_name)
    return OperationType(operation.operation.value) if operation is not None else None
