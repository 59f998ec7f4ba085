"""Documents are parsed and validated once, however many readers come with them.

A document with every field of `boardEvents` takes 4 ms to parse and 14 ms to validate, many times what its first event
costs; after a restart all readers come back with a few documents at once. What is executed is no part of this.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from graphql import GraphQLError
from strawberry.extensions import ParserCache, ValidationCache

from schema.document_size import size_errors

__all__ = ["ParsedOnce", "ValidatedOnce"]

#: Documents that are kept, the last used ones; each is as large as a request body at most.
MAX_DOCUMENTS = 64


class ParsedOnce(ParserCache):
    """Strawberry's cache, which leaves it to Strawberry to say what is wrong with a document."""

    def __init__(self) -> None:
        """Share the cache with all operations."""
        super().__init__(MAX_DOCUMENTS)

    def on_parse(self) -> Iterator[None]:
        """Give the operation its parsed document, if it can be parsed."""
        if self.execution_context.query:
            with suppress(GraphQLError):  # an error of an extension is no request error, one of parsing is
                next(iter(super().on_parse()))
        yield


class ValidatedOnce(ValidationCache):
    """Strawberry's cache, bounded by the same number; what is too large to be validated is refused before."""

    def __init__(self) -> None:
        """Share the cache with all operations."""
        super().__init__(MAX_DOCUMENTS)

    def on_validate(self) -> Iterator[None]:
        """Validate the document, if it has a size that the rules can walk."""
        document = self.execution_context.graphql_document
        if document is not None and (errors := size_errors(document)):
            self.execution_context.pre_execution_errors = errors
            yield
        else:
            yield from super().on_validate()
