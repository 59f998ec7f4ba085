"""The kind of operation in a document."""

from __future__ import annotations

import pytest
from graphql import parse
from strawberry.types.graphql import OperationType

from server.transports.graphql.parameters import operation_type

_THREE = "query A { a } mutation B { b } subscription C { c }"


@pytest.mark.parametrize(
    ("query", "name", "expected"),
    [
        ("{ a }", None, OperationType.QUERY),
        ("mutation { a }", None, OperationType.MUTATION),
        ("subscription S { a }", None, OperationType.SUBSCRIPTION),
        (_THREE, "A", OperationType.QUERY),
        (_THREE, "B", OperationType.MUTATION),
        (_THREE, "C", OperationType.SUBSCRIPTION),
        (_THREE, None, None),
        (_THREE, "D", None),
        ("fragment F on Query { a }", None, None),
    ],
    ids=[
        "short",
        "mutation",
        "subscription",
        "A",
        "B",
        "C",
        "which",
        "unknown",
        "none",
    ],
)
def test_type_is_that_of_the_named_operation(query: str, name: str | None, expected: OperationType | None) -> None:
    assert operation_type(parse(query), name) is expected
