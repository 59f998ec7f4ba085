"""One document, many operations: it is parsed and validated once, and its mistakes are told each time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from graphql import validate

from realtime.node import Node
from schema.context import Context
from schema.root import make_schema


def _counted(calls: list[str], name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    def count(*arguments: Any, **named: Any) -> Any:
        calls.append(name)
        return original(*arguments, **named)

    return count


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The validations that are made from now on."""
    made: list[str] = []
    monkeypatch.setattr("schema.document_cache.validate", _counted(made, "validate", validate))
    return made


async def test_same_document_is_validated_once(node: Node, calls: list[str]) -> None:
    schema = make_schema()
    for _ in range(3):
        result = await schema.execute("query OnlyHere { projects { id } }", context_value=Context(node))
        assert result.data == {"projects": []}
    assert calls == ["validate"]


async def test_mistake_in_a_document_is_told_each_time(node: Node, calls: list[str]) -> None:
    schema = make_schema()
    for _ in range(2):
        result = await schema.execute("query OnlyHere { nobody }", context_value=Context(node))
        assert result.errors
        assert (result.errors[0].extensions or {})["code"] == "GRAPHQL_VALIDATION_FAILED"
        assert "nobody" in result.errors[0].message
    assert calls == ["validate"]


async def test_document_that_does_not_parse_is_told_each_time(node: Node) -> None:
    schema = make_schema()
    for _ in range(2):
        result = await schema.execute("query {", context_value=Context(node))
        assert [(error.extensions or {})["code"] for error in result.errors or ()] == ["GRAPHQL_PARSE_FAILED"]
