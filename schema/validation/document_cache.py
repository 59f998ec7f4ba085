"""Documents are parsed and validated once, however many readers come with them, and never where clients wait.

A document with every field of `boardEvents` takes 4 ms to parse and 14 ms to validate, many times what its first event
costs; after a restart all readers come back with a few documents at once. A document at the limits takes longer, so all
but the shortest are read in a thread, one after the other. What is executed is no part of this.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import cache
from typing import TypeVar
from weakref import WeakKeyDictionary

from graphql import ASTValidationRule, DocumentNode, GraphQLError, GraphQLSchema, parse, validate
from strawberry.extensions import SchemaExtension
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule
from strawberry.types import ExecutionContext

from schema.execution.context import Context
from schema.operation_limits import OperationLimits
from schema.validation.document_size import size_errors
from schema.validation.operation_cost import assess

__all__ = ["MAX_DOCUMENT_CHARACTERS", "MAX_TOKENS", "DocumentCache", "ParsedOnce", "ValidatedOnce", "documents"]

#: Longest document. What is long in a request belongs into its variables.
MAX_DOCUMENT_CHARACTERS = 128 * 1024
#: Most lexical tokens in a document.
MAX_TOKENS = 5000
#: Documents that are kept, the last used ones, and most characters of them all; each character may stand for 300 bytes.
MAX_DOCUMENTS = 64
MAX_KEPT_CHARACTERS = 256 * 1024
#: Most mistakes that are told of one document; searching for what was meant takes 2 ms for each.
MAX_MISTAKES = 20
#: A document of at most so many characters takes less time than going to a thread and back is worth.
SHORT_CHARACTERS = 300

_T = TypeVar("_T")
_Rules = tuple[type[ASTValidationRule], ...]


@dataclass(slots=True, eq=False)
class _Document:
    """What a text is."""

    parsed: DocumentNode | None
    #: Message and positions of a syntax error.
    fault: GraphQLError | None
    #: What validation found, for each schema by its id; the schema is kept so that its id is no other's.
    mistakes: dict[int, tuple[GraphQLSchema, list[GraphQLError]]] = field(default_factory=dict)


class DocumentCache:
    """The documents used last, parsed, with what is wrong with them."""

    def __init__(self) -> None:
        """Begin without any."""
        self._cached: OrderedDict[str, _Document] = OrderedDict()
        self._characters = 0
        self._turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()

    def __len__(self) -> int:
        """Return how many are kept."""
        return len(self._cached)

    async def parsed(self, text: str) -> DocumentNode:
        """Return the document; the same object for the same text, as long as it is kept.

        Raises:
            GraphQLError: it is none, or it is too long.
        """
        document = await self._document(text)
        if document.parsed is None:
            raise document.fault or GraphQLError("expected a GraphQL document")
        return document.parsed

    async def mistakes(self, text: str, schema: GraphQLSchema, rules: _Rules) -> list[GraphQLError]:
        """Return what is wrong with a document that can be parsed, at most `MAX_MISTAKES` and one that says so."""
        document = await self._document(text)
        if id(schema) not in document.mistakes:
            parsed = await self.parsed(text)
            found = await self._read(text, lambda: _mistakes(schema, parsed, rules))
            document.mistakes[id(schema)] = (schema, found)
        return list(document.mistakes[id(schema)][1])

    async def _document(self, text: str) -> _Document:
        known = self._cached.get(text)
        if known is None:
            known = await self._read(text, lambda: _parse(text))
            known = self._cached.setdefault(text, known)  # another may have read it meanwhile
            self._characters = sum(map(len, self._cached))
            while len(self._cached) > MAX_DOCUMENTS or self._characters > MAX_KEPT_CHARACTERS:
                self._characters -= len(self._cached.popitem(last=False)[0])
        elif text in self._cached:
            self._cached.move_to_end(text)
        return known

    async def _read(self, text: str, read: Callable[[], _T]) -> _T:
        if len(text) <= SHORT_CHARACTERS:
            return read()
        # One at a time, however many come at once: threads share the interpreter with the loop.
        async with self._turns.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
            return await asyncio.to_thread(read)


@cache
def documents() -> DocumentCache:
    """Return the cache of the process."""
    return DocumentCache()


def _parse(text: str) -> _Document:
    if len(text) > MAX_DOCUMENT_CHARACTERS:
        expected = f"expected a document of at most {MAX_DOCUMENT_CHARACTERS} characters, got {len(text)}"
        return _Document(None, GraphQLError(expected, extensions={"code": "GRAPHQL_PARSE_FAILED"}))
    try:
        return _Document(parse(text, max_tokens=MAX_TOKENS), None)
    except GraphQLError as error:
        return _Document(None, error.with_traceback(None))  # which holds the parser


def _mistakes(schema: GraphQLSchema, document: DocumentNode, rules: _Rules) -> list[GraphQLError]:
    # The two are those that Strawberry adds.
    return size_errors(document) or validate(
        schema, document, (*rules, MaybeNullValidationRule, OneOfInputValidationRule), MAX_MISTAKES
    )


def _operation_errors(context: ExecutionContext) -> list[GraphQLError]:
    document, given = context.graphql_document, context.context
    if document is None:
        return []
    limits = given.limits if isinstance(given, Context) else OperationLimits()
    # As the client named it: Strawberry's own name is that of the first operation where there is none.
    name = context._provided_operation_name  # noqa: SLF001 - there is no public way to it
    schema = context.schema._schema  # noqa: SLF001 - as Strawberry's cache does
    assessment = assess(schema, document, name, context.variables, limits.max_cost)
    if isinstance(given, Context):
        given.cost, given.costs_of_boards = assessment.cost, assessment.boards
    return list(assessment.errors)


class ParsedOnce(SchemaExtension):
    """Gives operations their documents from the cache; `schema.root` has refused those that are none."""

    async def on_parse(self) -> AsyncIterator[None]:
        """Give the operation its parsed document."""
        context = self.execution_context
        if context.query:
            context.graphql_document = await documents().parsed(context.query)
        yield


class ValidatedOnce(SchemaExtension):
    """Gives operations what is wrong with their documents; what is too large is refused before it is validated."""

    async def on_validate(self) -> AsyncIterator[None]:
        """Validate the document."""
        context = self.execution_context
        if context.query:
            context.pre_execution_errors = await documents().mistakes(
                context.query,
                context.schema._schema,  # noqa: SLF001 - as Strawberry's cache does
                context.validation_rules,
            ) or _operation_errors(context)
        yield
