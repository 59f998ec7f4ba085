"""Attempts as GraphQL shows them.

`Attempt` is never made: its fields are read off the rows of `realtime.ports`.
"""

from __future__ import annotations

from datetime import datetime

import strawberry

from schema.enums import AttemptStatus

__all__ = ["Attempt"]


@strawberry.type(description="An attempt of an agent at a card. A card that is tried again keeps its attempt's id.")
class Attempt:
    """Read off `ports.Attempt`."""

    id: strawberry.ID = strawberry.field(description="Id of the attempt, `att-<uuid>` when this server made it.")
    board_id: strawberry.ID = strawberry.field(description="The board, whose project has the same id.")
    card_id: strawberry.ID = strawberry.field(description="The card that the attempt is at; it may be deleted since.")
    agent: str = strawberry.field(description="Key of the agent that works, like `CODEX`.")
    status: AttemptStatus = strawberry.field(description="Where the attempt stands.")
    base_branch: str | None = strawberry.field(description="The branch it begins at; null when nobody said.")
    branch_name: str | None = strawberry.field(description="The branch it works on; null when nobody said.")
    worktree_path: str | None = strawberry.field(
        description="Where its working tree lies on the machine of the runner; null until the runner says so."
    )
    session_id: str | None = strawberry.field(description="The agent's own id of its session; null until it is known.")
    created_at: datetime = strawberry.field(description="When it was queued (or began) for the first time.")
    updated_at: datetime = strawberry.field(description="When its status last changed.")
    started_at: datetime | None = strawberry.field(description="When a runner last began; null before the first time.")
    ended_at: datetime | None = strawberry.field(description="When it ended; null while it has not.")
