"""Refuses a document with several operations when the client did not say which one to execute."""

from __future__ import annotations

from collections.abc import Iterator

from graphql import OperationDefinitionNode
from strawberry.extensions import SchemaExtension
from strawberry.schema.exceptions import CannotGetOperationTypeError

__all__ = ["OperationChoice", "OperationNameMissing"]


class OperationNameMissing(CannotGetOperationTypeError):
    """A document with several operations came without `operationName`."""

    def __init__(self, operations: int) -> None:
        """`operations` is their number."""
        super().__init__(None)
        self.operations = operations

    def as_http_error_reason(self) -> str:
        """Return the sentence for the client, on every transport (Strawberry's hook)."""
        return f"expected operationName, for the document has {self.operations} operations"


class OperationChoice(SchemaExtension):
    """Raises the request error that the specification demands; Strawberry executes the first operation instead.

    "If {operationName} is {null}: If {document} contains exactly one operation, return [it]. Otherwise raise a request
    error requiring {operationName}" (GraphQL, October 2021, section 6.1).
    """

    def on_parse(self) -> Iterator[None]:
        """Check the document as soon as it is parsed, before anything uses the type of its operation."""
        yield
        context = self.execution_context
        definitions = context.graphql_document.definitions if context.graphql_document else ()
        operations = sum(isinstance(one, OperationDefinitionNode) for one in definitions)
        # When the client sent no name, `operation_name` is that of the first operation, so it does not help here.
        if operations > 1 and context._provided_operation_name is None:  # noqa: SLF001
            raise OperationNameMissing(operations)
