"""Parses and validates each document once, for all clients that send it, and outside the event loop.

A document with every field of `boardEvents` takes 4 ms to parse and 14 ms to validate, many times the cost of its first
event. After a restart all clients reconnect at once with the same few documents. A document at the limits takes longer,
so all but the shortest are parsed in a thread, one after the other. Results of an execution are not cached here.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from graphql import (
    ASTValidationRule,
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    Lexer,
    Node,
    NoSchemaIntrospectionCustomRule,
    Source,
    Token,
    TokenKind,
    ValidationContext,
    specified_rules,
    validate,
)
from graphql.language.parser import Parser, nested_too_deeply_error
from strawberry.extensions import SchemaExtension
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule
from strawberry.types import ExecutionContext

from schema.execution.context import Context
from schema.operation_limits import OperationLimits
from schema.trusted_documents import BadDocument, TrustedDocuments
from schema.validation.document_size import size_errors
from schema.validation.operation_cost import assess

__all__ = [
    "MAX_DOCUMENT_CHARACTERS",
    "MAX_TOKENS",
    "DocumentCache",
    "ParsedOnce",
    "ValidatedOnce",
    "check_documents",
    "documents",
]

#: Most characters of a document. Long values of a request belong into its variables.
MAX_DOCUMENT_CHARACTERS = 128 * 1024
#: Most lexical tokens in a document.
MAX_TOKENS = 5000
#: Most cached documents, and most characters of all of them; the least recently used are dropped. One character may
#: take 150 bytes of memory.
MAX_DOCUMENTS = 64
MAX_KEPT_CHARACTERS = 128 * 1024
#: Most validation errors of one document that are reported. Searching for a similar name takes 2 ms for each.
MAX_MISTAKES = 20
#: A document of at most so many characters is parsed in the event loop, because a thread would cost more time.
SHORT_CHARACTERS = 300

_NO_TOKEN = Token(TokenKind.SOF, 0, 0, 0, 0)
_T = TypeVar("_T")
_Rules = tuple[type[ASTValidationRule], ...]


@dataclass(slots=True, eq=False)
class _Document:
    """A parsed text."""

    parsed: DocumentNode
    #: Validation errors by schema, rules and whether suggestions are hidden.
    mistakes: dict[tuple[GraphQLSchema, _Rules, bool], list[GraphQLError]] = field(default_factory=dict)


class DocumentCache:
    """The last used documents, parsed, with their validation errors."""

    def __init__(self) -> None:
        """Begin without documents."""
        self._cached: OrderedDict[str, _Document] = OrderedDict()
        self._characters = 0
        self._turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()

    def __len__(self) -> int:
        """Return the number of cached documents."""
        return len(self._cached)

    async def parsed(self, text: str) -> DocumentNode:
        """Return the document. Equal texts get the same object while it is cached.

        Raises:
            GraphQLError: the text is no document, or is too long.
        """
        return (await self._document(text)).parsed

    async def mistakes(
        self, text: str, schema: GraphQLSchema, rules: _Rules, *, hide_suggestions: bool = False
    ) -> list[GraphQLError]:
        """Return the validation errors of a document: at most `MAX_MISTAKES`, and one that says there are more.

        `hide_suggestions`: they suggest no names of the schema.
        """
        document = await self._document(text)
        key = schema, rules, hide_suggestions
        if key not in document.mistakes:
            document.mistakes[key] = await self._read(text, lambda: _mistakes(document.parsed, *key))
        return list(document.mistakes[key])

    async def _document(self, text: str) -> _Document:
        known = self._cached.get(text)
        if known is None:
            # A syntax error is not cached. When it is raised, it refers to the frames of its request; and a text that
            # no tool accepts comes from few clients.
            known = await self._read(text, lambda: _Document(_parse(text)))
            known = self._cached.setdefault(text, known)  # another operation may have parsed it meanwhile
            self._characters = sum(map(len, self._cached))
            while len(self._cached) > MAX_DOCUMENTS or self._characters > MAX_KEPT_CHARACTERS:
                self._characters -= len(self._cached.popitem(last=False)[0])
        elif text in self._cached:
            self._cached.move_to_end(text)
        return known

    async def _read(self, text: str, read: Callable[[], _T]) -> _T:
        if len(text) <= SHORT_CHARACTERS:
            return read()
        # One document at a time: the threads and the event loop share the interpreter lock.
        async with self._turns.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
            return await asyncio.to_thread(read)


@cache
def documents() -> DocumentCache:
    """Return the cache of the process."""
    return DocumentCache()


def check_documents(documents: TrustedDocuments, schema: GraphQLSchema) -> None:
    """Return if each trusted document is valid.

    Raises:
        BadDocument: one is not; the message has its id.
    """
    for id, text in documents.by_id.items():
        try:
            mistakes = _mistakes(_parse(text), schema, specified_rules)
        except GraphQLError as fault:
            mistakes = [fault]
        if mistakes:
            raise BadDocument(f"expected documents for this schema; the one with the id {id!r:.100}: {mistakes[0]}")


def _parse(text: str) -> DocumentNode:
    if len(text) > MAX_DOCUMENT_CHARACTERS:
        expected = f"expected a document of at most {MAX_DOCUMENT_CHARACTERS} characters, got {len(text)}"
        raise GraphQLError(expected, extensions={"code": "GRAPHQL_PARSE_FAILED"})
    source = Source(text)
    lexer = Lexer(source)
    parser = Parser(source, max_tokens=MAX_TOKENS, lexer=lexer)
    try:
        document = parser.parse_document()
    except RecursionError:
        pass  # leave the block first: the error below would keep all frames of the recursion
    else:
        _drop_tokens(document)
        return document
    finally:
        _unlink(lexer.token)
    raise nested_too_deeply_error(parser)


def _unlink(found: Token) -> None:
    """Take apart the tokens of a text. Each refers to the next one and back: a cycle, also of a text with an error."""
    token: Token | None = found
    while token is not None and token.next is not None:  # the lexer looks ahead
        token = token.next
    while token is not None:
        before = token.prev
        token.prev = token.next = None
        token = before


def _drop_tokens(document: DocumentNode) -> None:
    """Release the tokens of a document, which take as much memory as its nodes; errors need only offsets and source."""
    waiting: list[Node] = [document]
    while waiting:
        node = waiting.pop()
        if node.loc is not None:
            node.loc.start_token = node.loc.end_token = _NO_TOKEN
        for key in node.keys:
            below = getattr(node, key)
            if isinstance(below, Node):
                waiting.append(below)
            elif isinstance(below, (tuple, list)):
                waiting.extend(one for one in below if isinstance(one, Node))


def _mistakes(
    document: DocumentNode, schema: GraphQLSchema, rules: _Rules, hide_suggestions: bool = False
) -> list[GraphQLError]:
    # Strawberry adds the same two rules.
    rules = (*rules, MaybeNullValidationRule, OneOfInputValidationRule)
    return size_errors(document) or _validated(schema, document, rules, hide_suggestions)


def _validated(
    schema: GraphQLSchema, document: DocumentNode, rules: _Rules, hide_suggestions: bool
) -> list[GraphQLError]:
    """Call `validate`, and empty its visitors: they keep their own methods, so each of them is a cycle."""
    visitors: list[ASTValidationRule] = []

    def making(rule: type[ASTValidationRule]) -> Callable[[ValidationContext], ASTValidationRule]:
        def made(context: ValidationContext) -> ASTValidationRule:
            visitors.append(rule(context))
            return visitors[-1]

        return made

    factories: Any = [making(rule) for rule in rules]  # graphql-core only calls them
    try:
        return validate(schema, document, factories, MAX_MISTAKES, hide_suggestions)
    finally:
        for visitor in visitors:
            vars(visitor).clear()


def _limits_of(context: ExecutionContext) -> OperationLimits:
    given = context.context
    return given.limits if isinstance(given, Context) else OperationLimits()


def _operation_errors(context: ExecutionContext) -> list[GraphQLError]:
    document, given = context.graphql_document, context.context
    if document is None:
        return []
    limits = _limits_of(context)
    # The name that the client sent. When it sent none, Strawberry's `operation_name` is that of the first operation.
    name = context._provided_operation_name  # noqa: SLF001 - there is no public way to it
    schema = context.schema._schema  # noqa: SLF001 - as Strawberry's cache does
    hides = not limits.introspection
    assessment = assess(schema, document, name, context.variables, limits.max_cost, hide_suggestions=hides)
    if isinstance(given, Context):
        given.cost, given.costs_of_boards = assessment.cost, assessment.boards
    return list(assessment.errors)


class ParsedOnce(SchemaExtension):
    """Gives each operation its document from the cache; `schema.root` has refused texts that are no document."""

    async def on_parse(self) -> AsyncIterator[None]:
        """Give the operation its parsed document."""
        context = self.execution_context
        if context.query:
            context.graphql_document = await documents().parsed(context.query)
        yield


class ValidatedOnce(SchemaExtension):
    """Gives each operation the validation errors of its document; a document that is too large is not validated."""

    async def on_validate(self) -> AsyncIterator[None]:
        """Set the errors of the document before the operation runs; equal documents are validated once."""
        context = self.execution_context
        if context.query:
            rules, hides = context.validation_rules, not _limits_of(context).introspection
            if hides:
                rules = (*rules, NoSchemaIntrospectionCustomRule)
            context.pre_execution_errors = await documents().mistakes(
                context.query,
                context.schema._schema,  # noqa: SLF001 - as Strawberry's cache does
                rules,
                hide_suggestions=hides,
            ) or _operation_errors(context)
        yield
