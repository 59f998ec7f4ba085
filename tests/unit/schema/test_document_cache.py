"""One document, many operations: it is parsed and validated once, and its errors are reported each time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from graphql import DocumentNode, GraphQLError, Visitor, validate, visit
from graphql import Node as ASTNode

from realtime.node import Node
from schema.root import make_schema
from schema.validation.document_cache import (
    MAX_DOCUMENT_CHARACTERS,
    MAX_DOCUMENTS,
    MAX_KEPT_CHARACTERS,
    MAX_MISTAKES,
    DocumentCache,
)
from tests.kit.contexts import context_on


def _counted(calls: list[str], name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    def count(*arguments: Any, **named: Any) -> Any:
        calls.append(name)
        return original(*arguments, **named)

    return count


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The list of later validations."""
    made: list[str] = []
    monkeypatch.setattr("schema.validation.document_cache.validate", _counted(made, "validate", validate))
    return made


async def test_same_document_is_validated_once(node: Node, calls: list[str]) -> None:
    schema = make_schema()
    for _ in range(3):
        result = await schema.execute("query OnlyHere { projects { nodes { id } } }", context_value=context_on(node))
        assert result.data == {"projects": {"nodes": []}}
    assert calls == ["validate"]


async def test_error_in_a_document_is_reported_each_time(node: Node, calls: list[str]) -> None:
    schema = make_schema()
    for _ in range(2):
        result = await schema.execute("query OnlyHere { nobody }", context_value=context_on(node))
        assert result.errors
        assert (result.errors[0].extensions or {})["code"] == "GRAPHQL_VALIDATION_FAILED"
        assert "nobody" in result.errors[0].message
    assert calls == ["validate"]


async def test_document_that_does_not_parse_is_reported_each_time(node: Node) -> None:
    schema = make_schema()
    for _ in range(2):
        result = await schema.execute("query {", context_value=context_on(node))
        assert [(error.extensions or {})["code"] for error in result.errors or ()] == ["GRAPHQL_PARSE_FAILED"]


async def test_a_cached_document_holds_no_tokens_and_its_errors_have_places(node: Node) -> None:
    text = "query OnlyHere($first: Int) {\n  projects(first: $first) { nodes { id, nobody } } # a comment\n}"
    document = await DocumentCache().parsed(text)
    held = {id(token) for one in _nodes(document) if one.loc for token in (one.loc.start_token, one.loc.end_token)}
    assert len(held) == 1
    result = await make_schema().execute(text, context_value=context_on(node))
    assert result.errors
    assert [(place.line, place.column) for place in result.errors[0].locations or ()] == [(2, 41)]


def _nodes(node: DocumentNode) -> list[ASTNode]:
    found: list[ASTNode] = []

    class Collector(Visitor):
        def enter(self, node: ASTNode, *_: Any) -> None:
            found.append(node)

    visit(node, Collector())
    return found


async def test_a_syntax_error_is_another_one_each_time() -> None:
    cache, faults = DocumentCache(), list[GraphQLError]()
    for _ in range(2):
        with pytest.raises(GraphQLError) as raised:
            await cache.parsed("{ projects(")
        faults.append(raised.value)
    assert faults[0] is not faults[1]
    assert faults[0].message == faults[1].message
    assert len(cache) == 0  # it would hold the frames of the first request


async def test_documents_are_kept_up_to_a_number_and_a_length() -> None:
    cache = DocumentCache()
    for number in range(MAX_DOCUMENTS + 10):
        await cache.parsed(f"query Q{number} {{ __typename }}")
    assert len(cache) == MAX_DOCUMENTS
    for number in range(10):
        await cache.parsed(f"query Q{number} {{ __typename }} #{'x' * (MAX_KEPT_CHARACTERS // 4)}")
    assert len(cache) == 3


async def test_same_text_is_the_same_document_however_many_ask_at_once() -> None:
    cache = DocumentCache()
    text = f"query {{ {'__typename ' * 60} }} # longer than what is read at once"
    documents = await asyncio.gather(*(cache.parsed(text) for _ in range(20)))
    assert len({id(document) for document in documents}) == 1


async def test_document_that_is_too_long_is_refused_before_it_is_read(node: Node) -> None:
    text = f"{{ __typename }} #{'x' * MAX_DOCUMENT_CHARACTERS}"
    result = await make_schema().execute(text, context_value=context_on(node))
    (error,) = list(result.errors or [])
    assert error.message == f"expected a document of at most {MAX_DOCUMENT_CHARACTERS} characters, got {len(text)}"
    assert error.extensions == {"code": "GRAPHQL_PARSE_FAILED"}


async def test_errors_are_reported_up_to_a_number(node: Node) -> None:
    text = f"{{ {' '.join(f'projecu{number}' for number in range(500))} }}"
    result = await make_schema().execute(text, context_value=context_on(node))
    assert len(result.errors or ()) == MAX_MISTAKES + 1
