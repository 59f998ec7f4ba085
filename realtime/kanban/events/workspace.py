"""Events of worktrees, terminals, editors and the settings of the installation."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field, StrictInt

from realtime.kanban.events.base import DomainEvent, OfProject, OfProjectAttempt
from realtime.kanban.fields import IsoTime
from realtime.kanban.ids import Id

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
    path: str
    branch_name: str | None = None
    base_branch: str | None = None


class WorktreeRemoved(OfProjectAttempt):
    """A worktree is gone."""

    type: Literal["worktree.removed"] = "worktree.removed"
    path: str


class TerminalOpened(OfProjectAttempt):
    """A terminal was opened beside a card."""

    type: Literal["terminal.opened"] = "terminal.opened"
    card_id: Id
    worktree_path: str | None = None


class TerminalClosed(OfProject):
    """A terminal was closed."""

    type: Literal["terminal.closed"] = "terminal.closed"
    card_id: Id
    reason: str | None = None


class _Editor(DomainEvent):
    board_field: ClassVar[str | None] = "project_id"
    path: str
    editor_key: str
    project_id: Id | None = None
    attempt_id: Id | None = None


class EditorOpenRequested(_Editor):
    """Somebody wants a path in an editor."""

    type: Literal["editor.open.requested"] = "editor.open.requested"


class EditorOpenSucceeded(_Editor):
    """The editor is open."""

    type: Literal["editor.open.succeeded"] = "editor.open.succeeded"
    pid: StrictInt | None = None


class EditorOpenFailed(_Editor):
    """The editor did not open."""

    type: Literal["editor.open.failed"] = "editor.open.failed"
    error: str


class SettingsGlobalUpdated(DomainEvent):
    """Settings of the installation changed."""

    type: Literal["settings.global.updated"] = "settings.global.updated"
    changes: dict[str, Any] = Field(default_factory=dict)
    updated_at: IsoTime | None = None
