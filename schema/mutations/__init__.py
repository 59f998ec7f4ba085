"""The mutations: parse, ask the service, show the result. Every entry has the same rules, those of the core.

Each answers with a union: its result, or one of the refusals that it can meet (`schema.refusals`).

See docs/graphql.md, "Mutations".
"""

from __future__ import annotations

import strawberry

from schema.mutations.access_tokens import AccessTokenMutations
from schema.mutations.attempts import AttemptMutations
from schema.mutations.cards import CardMutations
from schema.mutations.events import EventMutations
from schema.mutations.projects import ProjectMutations

__all__ = ["Mutation"]


@strawberry.type(description="Commands and reports; all subscribers see their effects.")
class Mutation(CardMutations, ProjectMutations, AttemptMutations, EventMutations, AccessTokenMutations):
    """The root of mutations."""
