"""The additional scalars: times, whole numbers of more than 32 bits, and JSON for open-ended values."""

from __future__ import annotations

import math
import re
from datetime import datetime
from typing import Any, NewType

import strawberry
from graphql import (
    GraphQLError,
    ListValueNode,
    ObjectValueNode,
    StringValueNode,
    Undefined,
    ValueNode,
    print_ast,
    value_from_ast_untyped,
)
from strawberry.scalars import JSON
from strawberry.types.scalar import ScalarDefinition

from realtime.clock import iso, parse_iso

__all__ = ["JSON", "SCALARS", "SafeInt", "TimeText"]

#: A time from a client: an RFC 3339 time with an offset, as the client wrote it. The core parses it.
TimeText = NewType("TimeText", str)
#: A whole number that a double holds exactly.
SafeInt = NewType("SafeInt", int)
SAFE_INT = 2**53 - 1
#: The integers that our JSON encoder can write.
_INTEGERS = range(-(2**63), 2**64)
#: An argument's name before its value, with the characters between them that GraphQL ignores, and the most characters
#: in which it is looked for.
_NAME_BEFORE = re.compile(r"([_A-Za-z][_0-9A-Za-z]*)[\s,\ufeff]*:[\s,\ufeff]*\Z")
_BEFORE_CHARACTERS = 300


def _time_to_wire(value: datetime | str) -> str:
    # Times from clients are stored as the clients wrote them (docs/ingest.md, "Times"); GraphQL shows them in one form.
    return iso(parse_iso(value) if isinstance(value, str) else value)


def _time_from_wire(value: Any) -> TimeText:
    try:
        parse_iso(value)
    except ValueError as error:
        raise GraphQLError(f"{error}, got {value!r:.80}") from None
    return TimeText(value)


def _time_from_document(node: ValueNode, _variables: dict[str, Any] | None = None) -> TimeText:
    # graphql-core names the path of a bad value in the variables, but not of one in the document.
    try:
        return _time_from_wire(node.value if isinstance(node, StringValueNode) else print_ast(node))
    except GraphQLError as error:
        raise GraphQLError(f"{_name_before(node)}: {error.message}", nodes=node) from None


def _name_before(node: ValueNode) -> str:
    """Return the name of the argument or of the input field with the value `node`; `?` where a comment is between."""
    # By the text, because a cached document has no tokens.
    before = node.loc.source.body[max(0, node.loc.start - _BEFORE_CHARACTERS) : node.loc.start] if node.loc else ""
    found = _NAME_BEFORE.search(before)
    return found[1] if found else "?"


def _safe_int(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > SAFE_INT:
        raise GraphQLError(f"expected a whole number of at most 2^53 - 1, got {value!r:.80}")
    return value


def _json_from_wire(value: Any) -> Any:
    # A number in a document may be too large for our JSON encoder; then it must not come in. No recursion here:
    # variables may be nested deeper than Python's stack.
    parts = [value]
    while parts:
        part = parts.pop()
        if isinstance(part, dict | list):
            parts += part.values() if isinstance(part, dict) else part
        elif (isinstance(part, int) and part not in _INTEGERS) or (isinstance(part, float) and not math.isfinite(part)):
            raise GraphQLError(f"expected JSON with numbers of at most 64 bits, got {part!r:.80}")
    return value


def _json_from_document(node: ValueNode, variables: dict[str, Any] | None = None) -> Any:
    """Read JSON in a document; any part of it may be a variable."""
    return _json_from_wire(_plain(node, variables))


def _plain(node: ValueNode, variables: dict[str, Any] | None) -> Any:
    # An absent variable is treated as in input objects (no entry) and lists (null) (GraphQL, 3.10 and 3.11).
    # graphql-core leaves its `Undefined` there, which no encoder can write.
    if isinstance(node, ObjectValueNode):
        parts = ((field.name.value, _plain(field.value, variables)) for field in node.fields)
        return {name: part for name, part in parts if part is not Undefined}
    if isinstance(node, ListValueNode):
        listed = [_plain(part, variables) for part in node.values]
        return [None if part is Undefined else part for part in listed]
    return value_from_ast_untyped(node, variables)


_DATE_TIME: ScalarDefinition = strawberry.scalar(
    name="DateTime",
    description=(
        "An instant (RFC 3339). Answers have UTC with milliseconds and `Z`, like `2025-01-02T03:04:05.678Z`; inputs "
        "may have any offset and up to 9 digits of fraction."
    ),
    specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
    serialize=_time_to_wire,
    parse_value=_time_from_wire,
    parse_literal=_time_from_document,
)
#: For `StrawberryConfig.scalar_map`.
SCALARS: dict[object, ScalarDefinition] = {
    JSON: strawberry.scalar(
        name="JSON",
        description="Any JSON value (RFC 8259), numbers of at most 64 bits; objects, lists, strings, booleans, null.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc8259",
        serialize=lambda value: value,
        parse_value=_json_from_wire,
        parse_literal=_json_from_document,
    ),
    datetime: _DATE_TIME,
    TimeText: _DATE_TIME,
    SafeInt: strawberry.scalar(
        name="SafeInt",
        description=(
            "A whole number of at most 2^53 - 1 either way, which JSON and JavaScript hold exactly; "
            "`Int` has 32 bits only."
        ),
        specified_by_url="https://www.rfc-editor.org/rfc/rfc7493#section-2.2",
        serialize=_safe_int,
        parse_value=_safe_int,
    ),
}
