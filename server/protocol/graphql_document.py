"""What a document asks for, seen before anything is executed: whether it streams decides how the answer begins."""

from __future__ import annotations

from functools import lru_cache

from graphql import GraphQLError, get_operation_ast, parse
from strawberry.types.graphql import OperationType

from schema.root import MAX_TOKENS
from server.protocol.graphql_request import GraphqlRequest

__all__ = ["operation_type"]


#: Documents whose type is remembered, the last used ones; each is as large as a request body at most.
MAX_DOCUMENTS = 64


def operation_type(request: GraphqlRequest) -> OperationType | None:
    """Return the type of the operation that is to be executed; None = it cannot be told, and executing says why."""
    return _type_of(request.query, request.operation_name)


@lru_cache(MAX_DOCUMENTS)
def _type_of(query: str, operation_name: str | None) -> OperationType | None:
    # Remembered, because a document with every field takes 4 ms, and some are asked about more than once.
    try:
        document = parse(query, no_location=True, max_tokens=MAX_TOKENS)
    except (GraphQLError, RecursionError):
        return None
    operation = get_operation_ast(document, operation_name)
    return OperationType(operation.operation.value) if operation is not None else None
