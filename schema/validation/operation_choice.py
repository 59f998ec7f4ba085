"""Refuses a document with several operations when nobody said which one to execute."""

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
    """Strawberry executes the first operation where the specification demands a request error.

    "If {operationName} is {null}: If {document} contains exactly one operation, return [it]. Otherwise raise a request
    error requiring {operationName}" (GraphQL, October 2021, section 6.1).
    """

    def on_parse(self) -> Iterator[None]:
        """Look at the document as soon as it is parsed, before its kind of operation decides anything."""
        yield
        context = self.execution_context
        definitions = context.graphql_document.definitions if context.graphql_document else ()
        operations = sum(isinstance(one, OperationDefinitionNode) for one in definitions)
        # `operation_name` names the first operation where the client named none; there is no public way to tell.
        if operations > 1 and context._provided_operation_name is None:  # noqa: SLF001
            raise OperationNameMissing(operations)
