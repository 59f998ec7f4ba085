"""The mapping must know every member and field of the schema, so that a difference is always one of values."""

from __future__ import annotations

from graphql import GraphQLObjectType, GraphQLUnionType

from tests.equivalence.document import OF_CHANGES, sdl, selected_fields, selection
from tests.equivalence.mapping import ITEM_TYPES, MEMBERS, graphql_event, state_shape

_CURSOR = "e-0a1b2c3d-7.2-3"
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
    return {member.name: set(selected_fields(member)) for member in found.types if member.name not in OF_CHANGES}


def _of(type_name: str) -> set[str]:
    found = sdl().type_map[type_name]
    assert isinstance(found, GraphQLObjectType)
    return set(selected_fields(found))


def test_mapping_has_every_member_and_field_of_board_events() -> None:
    without_position = {"Access", "Gap", "Goodbye"}
    position = {"cursor", "offset", "part"}
    mapped = {name: {*fields, *(() if name in without_position else position)} for name, fields in MEMBERS.values()}
    assert mapped == _members("BoardEvent")


def test_mapping_has_every_kind_and_field_of_conversation_items() -> None:
    assert {name: set(fields) for name, fields in ITEM_TYPES.values()} == _members("ConversationItem")


def test_mapped_state_has_every_field_of_the_schema() -> None:
    state = state_shape(_STATE, ["k1", "k2"], _CURSOR)
    assert set(state) == _of("BoardState")
    assert set(state["columns"][0]) == _of("Column")
    assert set(state["cards"][0]) == _of("Card")


def test_mapped_state_has_cards_by_place_and_by_creation() -> None:
    state = graphql_event("state", _STATE, _CURSOR, ["k1", "k2"])["state"]
    assert [card["cardId"] for card in state["columns"][0]["cards"]] == ["k2", "k1"]
    assert [card["cardId"] for card in state["cards"]] == ["k1", "k2"]


def test_mapped_position_is_that_of_the_cursor() -> None:
    event = graphql_event("git_status", None, _CURSOR, [])
    assert event == {"__typename": "GitStatusChanged", "cursor": _CURSOR, "offset": 7, "part": 2}


def test_mapped_attempt_without_id_is_null() -> None:
    event = graphql_event(
        "git_push", {"attemptId": "", "remote": "o", "branch": "b", "ts": "2025-01-02T04:00+01:00"}, _CURSOR, []
    )
    assert (event["attemptId"], event["ts"]) == (None, "2025-01-02T03:00:00.000Z")


def test_document_selects_every_member_of_the_union() -> None:
    document = selection("BoardEvent")
    assert all(f"... on {name} " in document for name, _ in MEMBERS.values())
