"""Domain events: facts in the past tense, one frozen model per dotted name, in one discriminated union.

Names and payload fields are those of the recordings. `python -m realtime.export` writes them into docs/events.md.
On the wire an event is `{"name": …, "payload": {…}}`. A payload may have fields that this version does not know; they
are stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, get_args

from pydantic import Field

from realtime.kanban.events.agents import AgentProfileChanged, AgentRegistered
from realtime.kanban.events.attempts import (
    AttemptAutocommitRequested,
    AttemptCompleted,
    AttemptConversationAppended,
    AttemptLogAppended,
    AttemptQueued,
    AttemptSessionRecorded,
    AttemptStarted,
    AttemptStatusChanged,
    AttemptStopped,
    AttemptTodosUpdated,
    Todos,
)
from realtime.kanban.events.base import DomainEvent
from realtime.kanban.events.board import (
    BoardColumnsInitialized,
    BoardStateChanged,
    CardCreated,
    CardDeleted,
    CardMoved,
    CardUpdated,
)
from realtime.kanban.events.git import (
    GitCommitCreated,
    GithubConnected,
    GithubDisconnected,
    GithubIssueClosedAutoClosed,
    GithubIssuesImported,
    GithubPrCreated,
    GithubPrMergedAutoClosed,
    GitMergeCompleted,
    GitPushCompleted,
    GitPushFailed,
    GitPushRetried,
    GitRebaseAborted,
    GitRebaseCompleted,
    GitRebaseStarted,
    GitStatusChanged,
    PullRequest,
)
from realtime.kanban.events.projects import (
    ProjectChanges,
    ProjectCreated,
    ProjectDeleted,
    ProjectSettingsUpdated,
    ProjectUpdated,
)
from realtime.kanban.events.workspace import (
    EditorOpenFailed,
    EditorOpenRequested,
    EditorOpenSucceeded,
    SettingsGlobalUpdated,
    TerminalClosed,
    TerminalOpened,
    WorktreeCreated,
    WorktreeRemoved,
)

__all__ = [
    "DASHBOARD_EVENTS",
    "EVENT_MODELS",
    "EVENT_NAMES",
    "AgentProfileChanged",
    "AgentRegistered",
    "AttemptAutocommitRequested",
    "AttemptCompleted",
    "AttemptConversationAppended",
    "AttemptLogAppended",
    "AttemptQueued",
    "AttemptSessionRecorded",
    "AttemptStarted",
    "AttemptStatusChanged",
    "AttemptStopped",
    "AttemptTodosUpdated",
    "BoardColumnsInitialized",
    "BoardStateChanged",
    "CardCreated",
    "CardDeleted",
    "CardMoved",
    "CardUpdated",
    "DomainEvent",
    "EditorOpenFailed",
    "EditorOpenRequested",
    "EditorOpenSucceeded",
    "Event",
    "GitCommitCreated",
    "GitMergeCompleted",
    "GitPushCompleted",
    "GitPushFailed",
    "GitPushRetried",
    "GitRebaseAborted",
    "GitRebaseCompleted",
    "GitRebaseStarted",
    "GitStatusChanged",
    "GithubConnected",
    "GithubDisconnected",
    "GithubIssueClosedAutoClosed",
    "GithubIssuesImported",
    "GithubPrCreated",
    "GithubPrMergedAutoClosed",
    "ProjectChanges",
    "ProjectCreated",
    "ProjectDeleted",
    "ProjectSettingsUpdated",
    "ProjectUpdated",
    "PullRequest",
    "SettingsGlobalUpdated",
    "TerminalClosed",
    "TerminalOpened",
    "Todos",
    "WorktreeCreated",
    "WorktreeRemoved",
    "parse_event",
]

_Events = (
    BoardStateChanged
    | BoardColumnsInitialized
    | CardCreated
    | CardUpdated
    | CardMoved
    | CardDeleted
    | AttemptQueued
    | AttemptStarted
    | AttemptStatusChanged
    | AttemptLogAppended
    | AttemptConversationAppended
    | AttemptSessionRecorded
    | AttemptTodosUpdated
    | AttemptCompleted
    | AttemptStopped
    | AttemptAutocommitRequested
    | ProjectCreated
    | ProjectUpdated
    | ProjectDeleted
    | ProjectSettingsUpdated
    | GitStatusChanged
    | GitCommitCreated
    | GitPushCompleted
    | GitPushRetried
    | GitPushFailed
    | GitMergeCompleted
    | GitRebaseStarted
    | GitRebaseCompleted
    | GitRebaseAborted
    | GithubPrCreated
    | GithubIssuesImported
    | GithubPrMergedAutoClosed
    | GithubIssueClosedAutoClosed
    | GithubConnected
    | GithubDisconnected
    | WorktreeCreated
    | WorktreeRemoved
    | TerminalOpened
    | TerminalClosed
    | EditorOpenRequested
    | EditorOpenSucceeded
    | EditorOpenFailed
    | SettingsGlobalUpdated
    | AgentRegistered
    | AgentProfileChanged
)
#: Every domain event; `type` discriminates.
Event = Annotated[_Events, Field(discriminator="type")]
#: Name → model, in the order of this module.
EVENT_MODELS: Mapping[str, type[DomainEvent]] = MappingProxyType(
    {model.model_fields["type"].default: model for model in get_args(_Events)}
)
EVENT_NAMES = tuple(EVENT_MODELS)
#: After one of these the dashboard may show something else (docs/protocol.md).
DASHBOARD_EVENTS = frozenset(
    {
        *("project.created", "project.updated", "project.deleted"),
        *("card.created", "card.updated", "card.moved", "card.deleted"),
        *("attempt.queued", "attempt.started", "attempt.status.changed", "attempt.completed", "attempt.stopped"),
    }
)


def parse_event(name: str, payload: Mapping[str, Any], context: object = None) -> DomainEvent:
    """Make an event from its name and payload; `context` is `STORED` when it comes from the log.

    Raises:
        KeyError: no event has this name.
        pydantic.ValidationError: the payload does not fit.
    """
    fields = {**payload, "type": name}
    return EVENT_MODELS[name].model_validate(fields, by_alias=True, by_name=False, context=context)
