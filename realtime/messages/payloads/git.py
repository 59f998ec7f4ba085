"""Payloads about a project's repository."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from realtime.kanban.events import PullRequest
from realtime.kanban.input.fields import AsItCame, IsoTime
from realtime.messages.payloads.base import Payload, key, payload

__all__ = ["AttemptPullRequest", "GitCommit", "GitPush", "GitStatus"]

_ATTEMPT = "Id of the attempt; empty where it belongs to none."


@payload
class GitStatus(Payload):
    """The working tree of the project's repository changed."""

    type: ClassVar[str] = "git_status"


@payload
class GitCommit(Payload):
    """A commit was made; with an attempt, an `attempt_log` goes before it."""

    type: ClassVar[str] = "git_commit"
    attempt_id: str = key(_ATTEMPT)
    short_sha: str = key("First characters of the hash of the commit.")
    subject: str = key("First line of the message.")
    ts: IsoTime = key("When it was made.")


@payload
class GitPush(Payload):
    """A branch was pushed; with an attempt, an `attempt_log` goes before it."""

    type: ClassVar[str] = "git_push"
    attempt_id: str = key(_ATTEMPT)
    remote: str = key("Name of the remote, like `origin`.")
    branch: str = key("Name of the branch.")
    ts: IsoTime = key("When it was pushed.")


@payload
class AttemptPullRequest(Payload):
    """A pull request was opened."""

    type: ClassVar[str] = "attempt_pr"
    attempt_id: str = key(_ATTEMPT)
    pr: Annotated[dict[str, Any], AsItCame(PullRequest)] = key("The pull request.")
