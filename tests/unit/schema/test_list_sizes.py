"""Each list of the schema has an assumed size, in the SDL and in the cost of operations."""

from __future__ import annotations

import pytest
import strawberry
from graphql import (
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
    is_composite_type,
)

from schema.export import SDL_PATH, sdl
from schema.validation.list_sizes import LIST_SIZES, sizes_of

#: Type and field of each list that comes without pages → its limit: a setting, or a rule. Lists that grow have pages.
_LIMITS = {
    "Agent.profiles": "--max-agent-profiles",
    "BoardState.cards": "--max-cards-per-board",
    "BoardState.columns": "columns of a state",
    "CardDeleted.renewed": "--max-cards-per-board",
    "CardMoved.renewed": "--max-cards-per-board",
    "Column.cards": "--max-cards-per-board",
    "DashboardMetrics.series": "a fixed number",
    "DashboardOverview.activeAttempts": "size of an overview",
    "DashboardOverview.agentStats": "size of an overview",
    "DashboardOverview.endedAttempts": "size of an overview",
    "DashboardOverview.projectSnapshots": "size of an overview",
    **dict.fromkeys(("DependencyCycle.fields", "DependencyMismatch.fields", "InvalidInput.fields"), "--max-body-bytes"),
    **dict.fromkeys(("Inbox.failed", "Inbox.items", "Inbox.review", "Inbox.stuck"), "size of an overview"),
    "MessageItem.images": "--max-body-bytes",
    "MetricSeries.points": "points of a range",
    "PublishEventsPayload.accepted": "events of a request",
    "Query.accessTokens": "--max-access-tokens",
    "Query.agents": "--max-agents",
    "Query.nodes": "ids of a request",
    "TodoList.items": "--max-body-bytes",
}
#: The list of a connection, whose size comes from an argument.
_SIZED = {"edges", "nodes"}


def test_every_list_of_objects_has_a_size(schema: strawberry.Schema) -> None:
    without = [
        f"{kind.name}.{name}"
        for kind in schema._schema.type_map.values()  # noqa: SLF001 - Strawberry has no other way to it
        if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__")
        for name, field in kind.fields.items()
        if isinstance(field.type.of_type if isinstance(field.type, GraphQLNonNull) else field.type, GraphQLList)
        and is_composite_type(get_named_type(field.type))
        and sizes_of(field, {}, 7) == (1, {})
    ]
    assert [name for name in without if name.split(".")[1] not in _SIZED] == []


def test_every_list_without_pages_has_a_limit() -> None:
    plain = {name for name, size in LIST_SIZES.items() if not isinstance(size.sized_fields, list)}
    assert plain == _LIMITS.keys()
    settings = (SDL_PATH.parents[1] / "docs" / "operating.md").read_text(encoding="utf-8")
    assert [one for one in _LIMITS.values() if one.startswith("--") and f"`{one}`" not in settings] == []


def test_every_size_is_of_a_field(schema: strawberry.Schema) -> None:
    for name in LIST_SIZES:
        kind, field = name.split(".")
        found = schema._schema.type_map[kind]  # noqa: SLF001 - as above
        assert isinstance(found, GraphQLObjectType)
        assert sizes_of(found.fields[field], {}, 7) != (1, {}), name


@pytest.mark.parametrize(("first", "expected"), [(0, 0), (-5, 0), (3, 3), (10**9, 1000), (None, 100)])
def test_size_of_a_page_is_what_is_asked_for(first: int | None, expected: int, schema: strawberry.Schema) -> None:
    query = schema._schema.query_type  # noqa: SLF001 - as above
    assert query is not None
    sizes = sizes_of(query.fields["events"], {"first": first}, 1000)
    assert sizes == (1, {"edges": expected, "nodes": expected})


def test_sdl_has_the_sizes() -> None:
    text = sdl()
    assert "cards: [Card!]! @listSize(assumedSize: 200)" in text
    assert '@listSize(slicingArguments: ["first"], sizedFields: ["edges", "nodes"], ' in text
