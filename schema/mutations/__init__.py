"""The mutations: parse, hand to the bus, show what came of it. The rules are the core's own, one set for every door.

Each answers with a union: what it did, or one of the refusals that it can meet (`schema.refusals`).

See docs/graphql.md, "Mutations".
"""

from __future__ import annotations

import strawberry

from schema.mutations.attempts import AttemptMutations
from schema.mutations.cards import CardMutations
from schema.mutations.events import EventMutations
from schema.mutations.projects import ProjectMutations

__all__ = ["Mutation"]


@strawberry.type(description="Commands and reports; all subscribers see their effects.")
class Mutation(CardMutations, ProjectMutations, AttemptMutations, EventMutations):
    """The root of mutations."""
