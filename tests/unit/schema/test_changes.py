"""The check of schema changes rates their effect on clients."""

from __future__ import annotations

import pytest
from graphql import build_schema

from schema.export import Risk, find_changes, report

OLD = """
\"\"\"What can be asked.\"\"\"
type Query { a(x: Int): A, u: U, e: E, n(i: I): Int! }
type A { id: ID!, gone: String }
type B { id: ID! }
union U = A
enum E { ONE }
input I { x: Int! }
"""

#: Name of the change → text before, text after, risk.
CASES: dict[str, tuple[str, str, Risk]] = {
    "field-removed": (", gone: String", "", Risk.BREAKING),
    "type-removed": ("type B { id: ID! }", "", Risk.BREAKING),
    "field-nullable": ("n(i: I): Int!", "n(i: I): Int", Risk.BREAKING),
    "argument-removed": ("a(x: Int): A", "a: A", Risk.BREAKING),
    "required-argument-added": ("a(x: Int): A", "a(x: Int, y: Int!): A", Risk.BREAKING),
    "required-input-field-added": ("{ x: Int! }", "{ x: Int!, y: Int! }", Risk.BREAKING),
    "enum-value-added": ("ONE", "ONE TWO", Risk.DANGEROUS),
    "union-member-added": ("union U = A", "union U = A | B", Risk.DANGEROUS),
    "optional-argument-added": ("a(x: Int): A", "a(x: Int, y: Int): A", Risk.DANGEROUS),
    "field-added": (", gone: String", ", gone: String, new: Int", Risk.SAFE),
    "type-added": ("type B", "type C { id: ID! } type B", Risk.SAFE),
    "field-non-null": ("gone: String", "gone: String!", Risk.SAFE),
    "description-changed": ("What can be asked.", "What one can ask.", Risk.SAFE),
    "order-changed": ("{ id: ID!, gone: String }", "{ gone: String, id: ID! }", Risk.SAFE),
}


@pytest.mark.parametrize("case", CASES)
def test_change_has_the_risk_it_is_for_clients(case: str) -> None:
    before, after, risk = CASES[case]
    assert OLD.count(before) == 1
    lines = report(OLD, OLD.replace(before, after)).splitlines()
    assert [line.partition(": ")[0] for line in lines] == [risk]


def test_worst_changes_come_first() -> None:
    new = OLD.replace(", gone: String", ", new: Int").replace("ONE", "ONE TWO")
    assert report(OLD, new).splitlines() == [
        "breaking: Field A.gone was removed.",
        "dangerous: Enum value E.TWO was added.",
        "safe: Field A.new was added.",
    ]


def test_same_text_has_no_changes() -> None:
    assert report(OLD, OLD) == ""
    assert find_changes(build_schema(OLD), build_schema(OLD)) == {risk: [] for risk in Risk}
