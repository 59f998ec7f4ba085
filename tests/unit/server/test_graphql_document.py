"""What a document asks for."""

from __future__ import annotations

import pytest
from strawberry.types.graphql import OperationType

from server.protocol.graphql_document import operation_type
from server.protocol.graphql_request import GraphqlRequest

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
        ("", None, None),
        ("{", None, None),
        ("fragment F on Query { a }", None, None),
        ("{ a " * 100_000, None, None),
        ("subscription { a(b: " + "[" * 4000, None, None),
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
        "empty",
        "half",
        "none",
        "long",
        "deep",
    ],
)
def test_type_is_that_of_the_named_operation(query: str, name: str | None, expected: OperationType | None) -> None:
    assert operation_type(GraphqlRequest(query, operation_name=name)) is expected
