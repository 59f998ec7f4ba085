"""Events of git and GitHub."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StrictBool, StrictInt

from realtime.kanban.events.base import WHEN, DomainEvent, EventPart, OfProject, OfProjectAttempt
from realtime.kanban.ids import Id
from realtime.kanban.input.fields import AsItCame, IsoTime, RepositoryPlace

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
    short_sha: str = Field(description="First characters of the hash of the commit.")
    subject: str = Field(description="First line of the message.")
    ts: IsoTime = Field(description=WHEN)


class GitPushCompleted(OfProjectAttempt):
    """A branch was pushed."""

    type: Literal["git.push.completed"] = "git.push.completed"
    remote: str = Field(description="Name of the remote, like `origin`.")
    branch: str = Field(description="Name of the branch.")
    ts: IsoTime = Field(description=WHEN)


class GitPushRetried(OfProjectAttempt):
    """A push is tried again."""

    type: Literal["git.push.retried"] = "git.push.retried"
    remote: str | None = Field(default=None, description="Name of the remote, like `origin`.")
    branch: str | None = Field(default=None, description="Name of the branch.")
    ts: IsoTime | None = Field(default=None, description=WHEN)


class GitPushFailed(OfProjectAttempt):
    """A push did not go through."""

    type: Literal["git.push.failed"] = "git.push.failed"
    reason: str | None = Field(default=None, description="Why, in a word or two.")
    error: str | None = Field(default=None, description="What git said.")
    ts: IsoTime | None = Field(default=None, description=WHEN)


class GitMergeCompleted(OfProjectAttempt):
    """A merge was made, or was not."""

    type: Literal["git.merge.completed"] = "git.merge.completed"
    result: dict[str, Any] = Field(
        description="The result as the sender reports it: an object like `{merged, message}`."
    )


class GitRebaseStarted(OfProjectAttempt):
    """A rebase began."""

    type: Literal["git.rebase.started"] = "git.rebase.started"
    ts: IsoTime | None = Field(default=None, description=WHEN)


class GitRebaseCompleted(OfProjectAttempt):
    """A rebase is done."""

    type: Literal["git.rebase.completed"] = "git.rebase.completed"
    ts: IsoTime | None = Field(default=None, description=WHEN)


class GitRebaseAborted(OfProjectAttempt):
    """A rebase was given up."""

    type: Literal["git.rebase.aborted"] = "git.rebase.aborted"
    ts: IsoTime | None = Field(default=None, description=WHEN)


class PullRequest(EventPart):
    """A pull request as GitHub shows it."""

    number: StrictInt = Field(description="Number of the pull request in its repository.")
    url: RepositoryPlace = Field(description="Address of the pull request.")
    state: str = Field(description="`open`, `closed`, …, in the words of GitHub.")
    draft: StrictBool = Field(description="Whether it is a draft.")
    title: str | None = Field(default=None, description="Its title.")
    head_ref: str | None = Field(default=None, description="The branch with the changes.")
    base_ref: str | None = Field(default=None, description="The branch it is to be merged into.")
    created_at: IsoTime | None = Field(default=None, description="When it was opened: RFC 3339 with an offset.")
    updated_at: IsoTime | None = Field(default=None, description="When it last changed: RFC 3339 with an offset.")
    merged: StrictBool | None = Field(default=None, description="Whether it was merged.")


class GithubPrCreated(OfProjectAttempt):
    """A pull request was opened; with an attempt whose card is known, the card gets its URL."""

    type: Literal["github.pr.created"] = "github.pr.created"
    pr: Annotated[dict[str, Any], AsItCame(PullRequest)] = Field(description="The pull request.")


class GithubIssuesImported(OfProject):
    """Issues became cards."""

    type: Literal["github.issues.imported"] = "github.issues.imported"
    imported_count: StrictInt = Field(description="Number of issues that became cards.")


class GithubPrMergedAutoClosed(OfProject):
    """A merged pull request closed its card."""

    type: Literal["github.pr.merged.autoClosed"] = "github.pr.merged.autoClosed"
    card_id: Id = Field(description="Id of the card that was closed.")
    pr_number: StrictInt = Field(description="Number of the pull request in its repository.")
    pr_url: str = Field(description="Address of the pull request.")
    ts: IsoTime | None = Field(default=None, description=WHEN)


class GithubIssueClosedAutoClosed(OfProject):
    """A closed issue closed its card."""

    type: Literal["github.issue.closed.autoClosed"] = "github.issue.closed.autoClosed"
    card_id: Id | None = Field(default=None, description="Id of the card that was closed.")
    issue_number: StrictInt | None = Field(default=None, description="Number of the issue in its repository.")
    ts: IsoTime | None = Field(default=None, description=WHEN)


class GithubConnected(DomainEvent):
    """Somebody connected a GitHub account."""

    type: Literal["github.connected"] = "github.connected"
    provider: str = Field(description="How the account was connected, like `device_flow`.")
    connected_at: IsoTime | None = Field(default=None, description=WHEN)


class GithubDisconnected(DomainEvent):
    """The GitHub account is no longer connected."""

    type: Literal["github.disconnected"] = "github.disconnected"
    disconnected_at: IsoTime | None = Field(default=None, description=WHEN)
