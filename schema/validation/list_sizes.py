"""The assumed lengths of the lists in the schema, for the cost of operations (`@listSize`, as in IBM's draft).

The directive is part of the SDL, so that the clients' tools compute the same cost as the server.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import strawberry
from graphql import GraphQLField
from strawberry.schema_directive import Location
from strawberry.types.field import StrawberryField

from schema.types.paging import DEFAULT_FIRST

__all__ = ["LIST_SIZES", "ListSize", "sizes_of"]


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="listSize",
    description="The assumed number of entries in the list of a field, for the cost of an operation. "
    "https://ibm.github.io/graphql-specs/cost-spec.html",
)
class ListSize:
    """The directive."""

    assumed_size: int | None = strawberry.directive_field(name="assumedSize", default=strawberry.UNSET)
    slicing_arguments: list[str] | None = strawberry.directive_field(name="slicingArguments", default=strawberry.UNSET)
    sized_fields: list[str] | None = strawberry.directive_field(name="sizedFields", default=strawberry.UNSET)
    require_one_slicing_argument: bool | None = strawberry.directive_field(
        name="requireOneSlicingArgument", default=strawberry.UNSET
    )


def _assumed(size: int) -> ListSize:
    return ListSize(assumed_size=size)


def _sliced() -> ListSize:
    # The client may leave the argument out: it has a default.
    return ListSize(slicing_arguments=["first"], sized_fields=["edges", "nodes"], require_one_slicing_argument=False)


#: Type and field → the assumed length of its list; a test finds missing entries. For a list with a limit (those of the
#: dashboard) it is the limit, for others a number that most lists do not reach.
LIST_SIZES: Mapping[str, ListSize] = {
    "Agent.profiles": _assumed(5),
    "Attempt.conversation": _sliced(),
    "Attempt.logs": _sliced(),
    "BoardState.cards": _assumed(200),
    "BoardState.columns": _assumed(4),
    "Card.attempts": _sliced(),
    "CardDeleted.renewed": _assumed(50),
    "CardMoved.renewed": _assumed(50),
    # The four columns share the cards of the board.
    "Column.cards": _assumed(50),
    "DashboardMetrics.series": _assumed(5),
    "DashboardOverview.activeAttempts": _assumed(200),
    "DashboardOverview.agentStats": _assumed(20),
    "DashboardOverview.endedAttempts": _assumed(40),
    "DashboardOverview.projectSnapshots": _assumed(6),
    "DependencyCycle.fields": _assumed(100),
    "DependencyMismatch.fields": _assumed(100),
    "Inbox.failed": _assumed(25),
    "Inbox.items": _assumed(25),
    "Inbox.review": _assumed(25),
    "Inbox.stuck": _assumed(25),
    "InvalidInput.fields": _assumed(100),
    "MessageItem.images": _assumed(4),
    "MetricSeries.points": _assumed(30),
    "PublishEventsPayload.accepted": _assumed(1000),
    "Query.accessTokens": _assumed(100),
    "Query.agents": _assumed(20),
    "Query.attempts": _sliced(),
    "Query.events": _sliced(),
    "Query.nodes": ListSize(slicing_arguments=["ids"], require_one_slicing_argument=False),
    "Query.projects": _sliced(),
    "TodoList.items": _assumed(20),
}


def sizes_of(field: GraphQLField, arguments: Mapping[str, Any], most: int) -> tuple[int, dict[str, int]]:
    """Return the factor for the fields inside `field`, and for each of its sized fields the factor inside that one.

    `arguments` are the arguments of the field. At most `most` entries count: the execution refuses more.
    """
    definition = field.extensions.get("strawberry-definition")
    if not isinstance(definition, StrawberryField):
        return 1, {}
    declared = next((one for one in definition.directives if isinstance(one, ListSize)), None)
    if declared is None:
        return 1, {}
    if not declared.slicing_arguments:
        return declared.assumed_size or 1, {}
    given = [arguments.get(name) for name in declared.slicing_arguments]
    asked = [len(one) if isinstance(one, list) else one for one in given]
    size = max((min(max(one, 0), most) for one in asked if isinstance(one, int)), default=_default(field))
    return (1, dict.fromkeys(declared.sized_fields, size)) if declared.sized_fields else (size, {})


def _default(field: GraphQLField) -> int:
    """Return the number of entries of a field whose `first` is null."""
    first = field.args.get("first")
    return first.default_value if first is not None and isinstance(first.default_value, int) else DEFAULT_FIRST
