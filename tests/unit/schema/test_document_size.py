"""The size of a document includes its fragments at each use. Measuring takes time only in proportion to the text."""

from __future__ import annotations

import pytest
from graphql import parse

from schema.validation.document_size import MAX_FRAGMENT_DEPTH, MAX_SELECTIONS, size_errors
from tests.kit.deadline import deadline
from tests.unit.schema.caller import Caller


def found(document: str) -> list[str]:
    return [error.message for error in size_errors(parse(document))]


def doubling(count: int) -> str:
    """Return a document of fragments each of which uses the next one twice."""
    fragments = [f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(count)]
    return "\n".join(("{ ...F0 }", *fragments, f"fragment F{count} on Query {{ __typename }}"))


def chain(count: int) -> str:
    """Return a document of this many nested fragments."""
    fragments = [f"fragment F{n} on Query {{ ...F{n + 1} }}" for n in range(1, count)]
    return "\n".join(("{ ...F1 }", *fragments, f"fragment F{count} on Query {{ __typename }}"))


def test_fields_of_a_fragment_count_at_each_use() -> None:
    fields = " ".join(f"f{n}" for n in range(MAX_SELECTIONS // 2 - 1))
    fragment = f"fragment F on Query {{ {fields} }}"
    assert found(f"{{ ...F ...F }} {fragment}") == []
    (message,) = found(f"{{ ...F a {{ ...F }} }} {fragment}")
    assert message.endswith(f"at most {MAX_SELECTIONS} fields, those of a fragment counted at each use, got 5001")


def test_fragments_inside_one_another_are_bounded() -> None:
    assert found(chain(MAX_FRAGMENT_DEPTH)) == []
    assert found(chain(MAX_FRAGMENT_DEPTH + 1)) == ["expected at most 20 fragments inside one another, got 21"]
    assert found(chain(500)) == ["expected at most 20 fragments inside one another, got 500"]


def test_each_operation_is_measured() -> None:
    assert len(found("query A { a } query B { ...F1 }" + chain(30).removeprefix("{ ...F1 }"))) == 1


@pytest.mark.parametrize(
    "document", ["{ ...F } fragment F on Query { ...G }", "{ a { b } }", "{ a } fragment F on Query { b }"]
)
def test_missing_and_unused_fragments_are_left_to_others(document: str) -> None:
    assert found(document) == []


@pytest.mark.parametrize("document", [doubling(18), doubling(400), chain(500)], ids=["18", "400", "chain"])
async def test_document_too_large_is_refused_at_once(document: str, caller: Caller) -> None:
    async with deadline(2):
        message, extensions = await caller.refused(document)
    assert message.startswith("expected at most ")
    assert extensions == {"code": "GRAPHQL_VALIDATION_FAILED"}
