"""What a change of the schema means for clients: breaking, dangerous or safe, as graphql-core judges it."""

from __future__ import annotations

from enum import StrEnum

from graphql import BreakingChange, DangerousChange, GraphQLSchema, build_schema
from graphql.utilities.find_schema_changes import SchemaChange, find_schema_changes

__all__ = ["Risk", "find_changes", "report"]


class Risk(StrEnum):
    """What a change does to documents and programs that clients have today, worst first."""

    #: Documents that were valid are refused, or a value is no longer what it was.
    BREAKING = "breaking"
    #: Documents stay valid; a program may meet a value, a member of a union or a default that it does not know.
    DANGEROUS = "dangerous"
    #: Clients do not notice.
    SAFE = "safe"


def find_changes(old: GraphQLSchema, new: GraphQLSchema) -> dict[Risk, list[str]]:
    """Return a sentence for each change from `old` to `new`, by risk; every risk has its list, empty or not."""
    found: dict[Risk, list[str]] = {risk: [] for risk in Risk}
    for change in find_schema_changes(old, new):
        found[_risk(change)].append(change.description)
    return found


def report(old_sdl: str, new_sdl: str) -> str:
    """Return what changes from one SDL to the other, one line each, worst first; empty when they are the same text."""
    if old_sdl == new_sdl:
        return ""
    changes = find_changes(build_schema(old_sdl), build_schema(new_sdl))
    lines = [f"{risk}: {sentence}" for risk, sentences in changes.items() for sentence in sentences]
    return "\n".join(lines or ["safe: only order, comments or deprecations differ"])


def _risk(change: SchemaChange) -> Risk:
    if isinstance(change, BreakingChange):
        return Risk.BREAKING
    return Risk.DANGEROUS if isinstance(change, DangerousChange) else Risk.SAFE
