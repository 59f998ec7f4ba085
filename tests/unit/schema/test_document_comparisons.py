"""The pairs of fields that validation must compare are counted without a comparison."""

from __future__ import annotations

import pytest
from graphql import OperationDefinitionNode, parse

from schema.validation.document_comparisons import comparisons
from schema.validation.document_size import MAX_COMPARISONS
from tests.kit.deadline import deadline
from tests.unit.schema.caller import Caller


def pairs(text: str, enough: int = 1000) -> int:
    document = parse(text)
    roots = [one.selection_set for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    return comparisons(document, roots, enough)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{ a b c }", 0),
        ("{ a a a }", 3),
        ("{ a: x a: y b: a }", 1),
        ("{ a { x } a { x } }", 2),
        ("{ a { x x } a { x } }", 4),
        ("{ a { x } b { x } }", 0),
        ("{ ... { a } ... { a } }", 1),
        ("{ ...F a } fragment F on Q { a }", 1),
        ("{ ...F ...G } fragment F on Q { a } fragment G on Q { a }", 5),
        ("{ ...F ...F } fragment F on Q { a }", 4),
        ("query A { a a } query B { a a }", 2),
    ],
)
def test_pairs_at_each_place_count(text: str, expected: int) -> None:
    assert pairs(text) == expected


def test_counting_stops_where_it_is_enough() -> None:
    inner = "x"
    for _ in range(7):
        inner = f"a {{ {inner} }} a {{ {inner} }} a {{ {inner} }}"
    assert 100 < pairs(f"{{ {inner} }}", 100) < 10_000_000


@pytest.mark.parametrize(
    "document",
    [
        f"{{ {'agents{label}' * 1200}}}",
        f"{{ {'__typename ' * 2400}}}",
        "{" + "projects { " * 6 + "id " * 900 + "}" * 6 + "}",
        f"{{ {' '.join(f'...F{n}' for n in range(150))} }}"
        + "".join(f" fragment F{n} on Query {{ agents {{ label }} }}" for n in range(150)),
        f"{{ {' '.join(f'a{n}: agents {{ ...F0 }}' for n in range(49))} }}"
        + "".join(f" fragment F{n} on Agent {{ label ...F{n + 1} }}" for n in range(150)),
    ],
    ids=["equal", "leaves", "deep", "fragments", "aliases"],
)
async def test_document_that_takes_long_to_compare_is_refused_at_once(document: str, caller: Caller) -> None:
    async with deadline(2):
        message, extensions = await caller.refused(document)
    assert message.startswith("expected at most ")
    assert extensions == {"code": "GRAPHQL_VALIDATION_FAILED"}


async def test_as_many_equal_fields_as_are_compared_soon_are_served(caller: Caller) -> None:
    assert MAX_COMPARISONS > 99 * 98 // 2
    assert await caller.run(f"{{ {'__typename ' * 99}}}") == "Query"
