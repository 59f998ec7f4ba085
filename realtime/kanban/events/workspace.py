"""Events of worktrees, terminals, editors and the settings of the installation."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field, StrictInt

from realtime.kanban.events.base import WHEN, DomainEvent, OfProject, OfProjectAttempt
from realtime.kanban.ids import Id
from realtime.kanban.input.fields import IsoTime

__all__ = [
    "EditorOpenFailed",
    "EditorOpenRequested",
    "EditorOpenSucceeded",
    "SettingsGlobalUpdated",
    "TerminalClosed",
    "TerminalOpened",
    "WorktreeCreated",
    "WorktreeRemoved",
]


class WorktreeCreated(OfProjectAttempt):
    """A worktree was made for an attempt."""

    type: Literal["worktree.created"] = "worktree.created"
    path: str = Field(description="Where it lies on the runner's machine.")
    branch_name: str | None = Field(default=None, description="The branch that is checked out there.")
    base_branch: str | None = Field(default=None, description="The branch it began at.")


class WorktreeRemoved(OfProjectAttempt):
    """A worktree is gone."""

    type: Literal["worktree.removed"] = "worktree.removed"
    path: str = Field(description="Where it lay on the runner's machine.")


class TerminalOpened(OfProjectAttempt):
    """A terminal was opened for a card."""

    type: Literal["terminal.opened"] = "terminal.opened"
    card_id: Id = Field(description="Id of the card for which it was opened.")
    worktree_path: str | None = Field(default=None, description="The folder it began in, on the runner's machine.")


class TerminalClosed(OfProject):
    """A terminal was closed."""

    type: Literal["terminal.closed"] = "terminal.closed"
    card_id: Id = Field(description="Id of the card for which it was opened.")
    reason: str | None = Field(default=None, description="Why it was closed, like `manual`.")


class _Editor(DomainEvent):
    board_field: ClassVar[str | None] = "project_id"
    path: str = Field(description="What is to be shown: a path on the runner's machine.")
    editor_key: str = Field(description="Key of the editor, like `vscode`.")
    project_id: Id | None = Field(
        default=None,
        description="Id of the project, if it belongs to one; then the event is in the history of its board.",
    )
    attempt_id: Id | None = Field(default=None, description="Id of the attempt, if it belongs to one.")


class EditorOpenRequested(_Editor):
    """Somebody wants a path in an editor."""

    type: Literal["editor.open.requested"] = "editor.open.requested"


class EditorOpenSucceeded(_Editor):
    """The editor is open."""

    type: Literal["editor.open.succeeded"] = "editor.open.succeeded"
    pid: StrictInt | None = Field(default=None, description="Process id of the editor on the runner's machine.")


class EditorOpenFailed(_Editor):
    """The editor did not open."""

    type: Literal["editor.open.failed"] = "editor.open.failed"
    error: str = Field(description="What went wrong.")


class SettingsGlobalUpdated(DomainEvent):
    """Settings of the installation changed."""

    type: Literal["settings.global.updated"] = "settings.global.updated"
    changes: dict[str, Any] = Field(default_factory=dict, description="The new settings by name: an object.")
    updated_at: IsoTime | None = Field(default=None, description=WHEN)
