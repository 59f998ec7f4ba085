"""The inputs of domain events equal the models: every name, every field, required fields, and enum values."""

from __future__ import annotations

import pytest
from graphql import is_required_input_field

from realtime.kanban.events import EVENT_MODELS, EVENT_NAMES
from schema.types.event_inputs import FAMILIES, member_of
from schema.types.inputs import shown_name
from tests.unit.schema.event_arguments import family_of, input_type

MEMBERS = {
    "attempt.status.changed": "attemptStatusChanged",
    "github.pr.merged.autoClosed": "githubPrMergedAutoClosed",
    "git.status.changed": "gitStatusChanged",
    "settings.global.updated": "settingsGlobalUpdated",
}


def test_every_event_name_is_a_member_of_one_family() -> None:
    members = [member for family in FAMILIES for member in input_type(f"{family.title()}EventInput").fields]
    assert sorted(members) == sorted(member_of(name) for name in EVENT_NAMES)


@pytest.mark.parametrize(("name", "member"), MEMBERS.items())
def test_member_is_the_name_in_camel_case(name: str, member: str) -> None:
    assert member_of(name) == member


def test_families_follow_the_first_word_and_the_rest_is_workspace() -> None:
    assert list(FAMILIES) == ["board", "card", "attempt", "project", "git", "github", "workspace", "agent"]
    assert {family_of(name) for name in EVENT_NAMES if name.split(".")[0] in FAMILIES} == {*FAMILIES} - {"workspace"}


@pytest.mark.parametrize("name", EVENT_NAMES)
def test_input_has_the_fields_of_the_model(name: str) -> None:
    model = EVENT_MODELS[name]
    fields = {shown_name(str(one.alias)): one for key, one in model.model_fields.items() if key != "type"}
    made = input_type(f"{model.__name__}Input").fields
    assert list(made) == [*fields, "extra"]
    assert {name for name, one in made.items() if is_required_input_field(one)} == {
        name for name, one in fields.items() if one.is_required()
    }
    assert {name: made[name].description for name in fields} == {name: one.description for name, one in fields.items()}


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        ("AttemptQueuedInput.attemptId", "ID!"),
        ("AttemptQueuedInput.agentKey", "String!"),
        ("AttemptQueuedInput.profileId", "ID"),
        ("AttemptStatusChangedInput.status", "AttemptStatus!"),
        ("AttemptStatusChangedInput.previousStatus", "AttemptStatus"),
        ("AttemptStatusChangedInput.endedAt", "DateTime"),
        ("AttemptLogAppendedInput.level", "LogLevel!"),
        ("AttemptConversationAppendedInput.item", "JSON!"),
        ("AttemptTodosUpdatedInput.todos", "TodosInput!"),
        ("TodosInput.items", "[TodoInput!]!"),
        ("TodosInput.total", "SafeInt!"),
        ("TodoInput.todoKey", "ID!"),
        ("TodoInput.status", "TodoStatus!"),
        ("BoardStateChangedInput.state", "JSON"),
        ("BoardColumnsInitializedInput.columnIds", "[ID!]!"),
        ("CardMovedInput.toIndex", "JSON"),
        ("GithubPrCreatedInput.pr", "PullRequestInput!"),
        ("PullRequestInput.draft", "Boolean!"),
        ("ProjectUpdatedInput.changes", "ProjectChangesInput!"),
        ("EditorOpenRequestedInput.projectId", "ID"),
        ("AgentProfileChangedInput.kind", "ProfileChange!"),
    ],
)
def test_field_has_the_type_that_fits_the_model(place: str, kind: str) -> None:
    name, _, field = place.partition(".")
    assert str(input_type(name).fields[field].type) == kind


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("agent", "agentKey"),
        ("id", "id"),
        ("todos.items.3.id", "todos.items.3.todoKey"),
        ("item.id", "item.id"),
    ],
)
def test_path_of_a_mistake_has_the_names_of_the_schema(path: str, shown: str) -> None:
    assert shown_name(path) == shown


@pytest.mark.parametrize("family", FAMILIES)
def test_input_of_a_family_takes_exactly_one_member(family: str) -> None:
    assert input_type(f"{family.title()}EventInput").is_one_of
