"""The mapping must know every member and field of the schema, so that a difference is always one of values."""

from __future__ import annotations

from graphql import GraphQLObjectType, GraphQLUnionType

from tests.equivalence.document import sdl, selected_fields, selection
from tests.equivalence.mapping import ITEM_TYPES, MEMBERS, graphql_event, state_shape

_STATE = {
    "columns": {"c1": {"id": "c1", "title": "Any", "cardIds": ["k2", "k1"]}},
    "columnOrder": ["c1"],
    "cards": {
        "k2": {"id": "k2", "title": "B", "createdAt": "2025-01-02T03:04:05Z", "updatedAt": "2025-01-02T03:04:05Z"},
        "k1": {"id": "k1", "title": "A", "createdAt": "2025-01-02T03:04:05Z", "updatedAt": "2025-01-02T03:04:05Z"},
    },
}


def _members(union: str) -> dict[str, set[str]]:
    found = sdl().type_map[union]
    assert isinstance(found, GraphQLUnionType)
    return {member.name: set(selected_fields(member)) for member in found.types}


def _of(type_name: str) -> set[str]:
    found = sdl().type_map[type_name]
    assert isinstance(found, GraphQLObjectType)
    return set(selected_fields(found))


def test_mapping_has_every_member_and_field_of_board_events() -> None:
    assert {name: {*fields, "cursor"} for name, fields in MEMBERS.values()} == _members("BoardEvent")


def test_mapping_has_every_kind_and_field_of_conversation_items() -> None:
    assert {name: set(fields) for name, fields in ITEM_TYPES.values()} == _members("ConversationItem")


def test_mapped_state_has_every_field_of_the_schema() -> None:
    state = state_shape(_STATE, ["k1", "k2"], "c")
    assert set(state) == _of("BoardState")
    assert set(state["columns"][0]) == _of("Column")
    assert set(state["cards"][0]) == _of("Card")


def test_mapped_state_has_cards_by_place_and_by_creation() -> None:
    state = graphql_event("state", _STATE, "c", ["k1", "k2"])["state"]
    assert [card["id"] for card in state["columns"][0]["cards"]] == ["k2", "k1"]
    assert [card["id"] for card in state["cards"]] == ["k1", "k2"]


def test_mapped_attempt_without_id_is_null() -> None:
    event = graphql_event(
        "git_push", {"attemptId": "", "remote": "o", "branch": "b", "ts": "2025-01-02T04:00+01:00"}, "c", []
    )
    assert (event["attemptId"], event["ts"]) == (None, "2025-01-02T03:00:00.000Z")


def test_document_selects_every_member_of_the_union() -> None:
    document = selection("BoardEvent")
    assert all(f"... on {name} " in document for name, _ in MEMBERS.values())
