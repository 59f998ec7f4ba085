"""Events of git and GitHub."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import StrictBool, StrictInt

from realtime.kanban.events.base import DomainEvent, EventPart, OfProject, OfProjectAttempt
from realtime.kanban.fields import AsItCame, IsoTime
from realtime.kanban.ids import Id

__all__ = [
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
    "PullRequest",
]


class GitStatusChanged(OfProject):
    """The working tree is another."""

    type: Literal["git.status.changed"] = "git.status.changed"


class GitCommitCreated(OfProjectAttempt):
    """A commit was made."""

    type: Literal["git.commit.created"] = "git.commit.created"
    short_sha: str
    subject: str
    ts: IsoTime


class GitPushCompleted(OfProjectAttempt):
    """A branch was pushed."""

    type: Literal["git.push.completed"] = "git.push.completed"
    remote: str
    branch: str
    ts: IsoTime


class GitPushRetried(OfProjectAttempt):
    """A push is tried again."""

    type: Literal["git.push.retried"] = "git.push.retried"
    remote: str | None = None
    branch: str | None = None
    ts: IsoTime | None = None


class GitPushFailed(OfProjectAttempt):
    """A push did not go through."""

    type: Literal["git.push.failed"] = "git.push.failed"
    reason: str | None = None
    error: str | None = None
    ts: IsoTime | None = None


class GitMergeCompleted(OfProjectAttempt):
    """A merge was made, or was not."""

    type: Literal["git.merge.completed"] = "git.merge.completed"
    result: dict[str, Any]


class GitRebaseStarted(OfProjectAttempt):
    """A rebase began."""

    type: Literal["git.rebase.started"] = "git.rebase.started"
    ts: IsoTime | None = None


class GitRebaseCompleted(OfProjectAttempt):
    """A rebase is done."""

    type: Literal["git.rebase.completed"] = "git.rebase.completed"
    ts: IsoTime | None = None


class GitRebaseAborted(OfProjectAttempt):
    """A rebase was given up."""

    type: Literal["git.rebase.aborted"] = "git.rebase.aborted"
    ts: IsoTime | None = None


class PullRequest(EventPart):
    """A pull request as GitHub shows it."""

    number: StrictInt
    url: str
    state: str
    draft: StrictBool
    title: str | None = None
    head_ref: str | None = None
    base_ref: str | None = None
    created_at: str | None = None
    updated_at: str | None = None
    merged: StrictBool | None = None


class GithubPrCreated(OfProjectAttempt):
    """A pull request was opened; with an attempt whose card is known, the card gets its URL."""

    type: Literal["github.pr.created"] = "github.pr.created"
    pr: Annotated[dict[str, Any], AsItCame(PullRequest)]


class GithubIssuesImported(OfProject):
    """Issues became cards."""

    type: Literal["github.issues.imported"] = "github.issues.imported"
    imported_count: StrictInt


class GithubPrMergedAutoClosed(OfProject):
    """A merged pull request closed its card."""

    type: Literal["github.pr.merged.autoClosed"] = "github.pr.merged.autoClosed"
    card_id: Id
    pr_number: StrictInt
    pr_url: str
    ts: IsoTime | None = None


class GithubIssueClosedAutoClosed(OfProject):
    """A closed issue closed its card."""

    type: Literal["github.issue.closed.autoClosed"] = "github.issue.closed.autoClosed"
    card_id: Id | None = None
    issue_number: StrictInt | None = None
    ts: IsoTime | None = None


class GithubConnected(DomainEvent):
    """Somebody connected a GitHub account."""

    type: Literal["github.connected"] = "github.connected"
    provider: str
    connected_at: IsoTime | None = None


class GithubDisconnected(DomainEvent):
    """The GitHub account is no longer connected."""

    type: Literal["github.disconnected"] = "github.disconnected"
    disconnected_at: IsoTime | None = None
