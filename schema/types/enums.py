"""The enumerations: names in capitals, values as on the raw exits.

A test compares the values with those in `realtime`.
"""

from __future__ import annotations

from enum import Enum

import strawberry

__all__ = [
    "AccessAction",
    "AgentStatus",
    "AttemptStatus",
    "AutomationStage",
    "AutomationStatus",
    "CardField",
    "Delivery",
    "InboxKind",
    "InterruptionReason",
    "LogLevel",
    "MessageRole",
    "MetricUnit",
    "ProfileChange",
    "ProjectHealthStatus",
    "ProjectStatus",
    "SlowPolicy",
    "TextFormat",
    "TicketType",
    "TimeRangePreset",
    "TodoStatus",
    "ToolStatus",
]

_value = strawberry.enum_value


@strawberry.enum(description="The kind of work a card is.")
class TicketType(Enum):
    """The kinds of work."""

    FEAT = _value("feat", description="A new feature.")
    FIX = _value("fix", description="A repair.")
    CHORE = _value("chore", description="Upkeep that changes no behaviour.")
    DOCS = _value("docs", description="Documentation.")
    STYLE = _value("style", description="Form only, like formatting.")
    REFACTOR = _value("refactor", description="The same behaviour in better code.")
    PERF = _value("perf", description="The same behaviour, faster or smaller.")
    TEST = _value("test", description="Tests.")
    BUILD = _value("build", description="Build system or dependencies.")
    CI = _value("ci", description="Continuous integration.")
    REVERT = _value("revert", description="Takes an earlier change back.")


@strawberry.enum(description="An action that a token may allow (docs/access.md).")
class AccessAction(Enum):
    """The actions that grants distinguish."""

    READ = _value("read", description="Read boards, and follow their streams.")
    WRITE = _value("write", description="Change boards.")
    PUBLISH = _value("publish", description="Report events.")
    DASHBOARD = _value("dashboard", description="Read the dashboard and the agents; needs all boards.")
    ADMIN = _value("admin", description="Manage projects; with all boards also access tokens and metrics.")


@strawberry.enum(description="A field of a card that may have a new value.")
class CardField(Enum):
    """The fields of a card that can change. No raw exit sends them, so the values are the names in `realtime`."""

    TICKET_KEY = _value("ticket_key", description="`ticketKey`.")
    TITLE = _value("title", description="`title`.")
    DESCRIPTION = _value("description", description="`description`.")
    TICKET_TYPE = _value("ticket_type", description="`ticketType`.")
    DEPENDS_ON = _value("depends_on", description="`dependsOn`.")
    IS_ENHANCED = _value("is_enhanced", description="`isEnhanced`.")
    PR_URL = _value("pr_url", description="`prUrl`.")
    DISABLE_AUTO_CLOSE_ON_PR_MERGE = _value(
        "disable_auto_close_on_pr_merge", description="`disableAutoCloseOnPRMerge`."
    )
    GITHUB_ISSUE = _value("github_issue", description="`githubIssue`.")
    CREATED_AT = _value("created_at", description="`createdAt`.")
    UPDATED_AT = _value("updated_at", description="`updatedAt`.")


@strawberry.enum(description="The status of an agent's attempt.")
class AttemptStatus(Enum):
    """The status of an attempt."""

    QUEUED = _value("queued", description="Waits for a runner.")
    RUNNING = _value("running", description="A runner works on it.")
    STOPPING = _value("stopping", description="A client has stopped it; its runner has not reported its end yet.")
    SUCCEEDED = _value("succeeded", description="Ended well.")
    FAILED = _value("failed", description="Ended badly.")
    STOPPED = _value("stopped", description="Ended because a client stopped it.")


@strawberry.enum(description="How serious a line of a log is.")
class LogLevel(Enum):
    """How serious a line of a log is."""

    INFO = _value("info", description="As expected.")
    WARN = _value("warn", description="Worth a look.")
    ERROR = _value("error", description="Something went wrong.")


@strawberry.enum(description="Whether an entry of an agent's todo list is done.")
class TodoStatus(Enum):
    """Whether a todo is done."""

    OPEN = _value("open", description="Still to be done.")
    DONE = _value("done", description="Done.")


@strawberry.enum(description="The author of a message.")
class MessageRole(Enum):
    """The author of a message."""

    USER = _value("user", description="A person.")
    ASSISTANT = _value("assistant", description="The agent.")
    SYSTEM = _value("system", description="The system around the agent.")


@strawberry.enum(description="How to show a text.")
class TextFormat(Enum):
    """How to show a text."""

    MARKDOWN = _value("markdown", description="As Markdown.")
    PLAINTEXT = _value("plaintext", description="As it is.")


@strawberry.enum(description="The status of a tool's use.")
class ToolStatus(Enum):
    """The status of a tool's use."""

    CREATED = _value("created", description="Was asked for.")
    RUNNING = _value("running", description="Runs.")
    SUCCEEDED = _value("succeeded", description="Ended well.")
    FAILED = _value("failed", description="Ended badly.")
    CANCELLED = _value("cancelled", description="Was given up.")


@strawberry.enum(description="When a script of the project runs around an attempt.")
class AutomationStage(Enum):
    """When a script runs."""

    COPY_FILES = _value("copy_files", description="Copies files into the worktree.")
    SETUP = _value("setup", description="Before the agent begins.")
    DEV = _value("dev", description="While the agent works.")
    CLEANUP = _value("cleanup", description="After the agent has ended.")


@strawberry.enum(description="The status of a script of the project.")
class AutomationStatus(Enum):
    """The status of a script."""

    RUNNING = _value("running", description="Runs.")
    SUCCEEDED = _value("succeeded", description="Ended well.")
    FAILED = _value("failed", description="Ended badly.")


@strawberry.enum(description="The kind of change of an agent's profile.")
class ProfileChange(Enum):
    """The kind of change of a profile."""

    CREATED = _value("created", description="It was made.")
    UPDATED = _value("updated", description="It has new values.")
    DELETED = _value("deleted", description="It was deleted.")


@strawberry.enum(description="Why a stream has a gap (a fresh state follows), or why it ends.")
class InterruptionReason(Enum):
    """The reason for a gap, or for the end of a stream."""

    SLOW_CONSUMER = _value(
        "slow_consumer", description="Gap, or with `DISCONNECT` the end: this subscriber was too slow for its queue."
    )
    HISTORY_EXPIRED = _value("history_expired", description="Gap: the log no longer has the events after the cursor.")
    EPOCH_CHANGED = _value("epoch_changed", description="Gap: the server has lost history since it issued the cursor.")
    OTHER_BOARD = _value("other_board", description="Gap: the cursor belongs to another board.")
    INVALID_CURSOR = _value("invalid_cursor", description="Gap: the text is no cursor of this server.")
    BROKER_LOST = _value("broker_lost", description="Gap: events between servers were lost.")
    BOARD_DELETED = _value("board_deleted", description="End: the board was deleted; do not reconnect.")
    SERVER_SHUTDOWN = _value("server_shutdown", description="End: the server stops; reconnect after the pause.")
    CONNECTION_LIFETIME = _value(
        "connection_lifetime",
        description="End: the connection has reached its lifetime; reconnect after the pause.",
    )
    TOKEN_EXPIRED = _value(
        "token_expired", description="End: the token has expired; reconnect with a new one, and the last cursor."
    )
    TOKEN_REVOKED = _value(
        "token_revoked", description="End: the token was revoked; reconnect with another one, and the last cursor."
    )
    FORBIDDEN = _value("forbidden", description="End: the grants of a new token do not allow it; do not reconnect.")


@strawberry.enum(description="The form in which a subscription gets the changes of its board.")
class Delivery(Enum):
    """The deliveries of `realtime` that GraphQL has; JSON Patch is only for the JSON of the raw exits."""

    STATE = _value("state", description="`State`: the whole board after each change.")
    CHANGES = _value(
        "changes", description="`CardCreated`, `CardMoved`, …: each single change; and `Heartbeat`, to check a copy."
    )


@strawberry.enum(description="What the server does when a subscriber is too slow and its queue is full.")
class SlowPolicy(Enum):
    """The slow policy: the action of the server when a subscriber is too slow."""

    SNAPSHOT = _value(
        "snapshot",
        description="The server drops the queue and sends a `Gap` and the current state (resync).",
    )
    DISCONNECT = _value(
        "disconnect",
        description="The stream ends with the error `SLOW_CONSUMER`; resume from its extension `cursor`.",
    )


@strawberry.enum(description="Ranges of the dashboard that end now.")
class TimeRangePreset(Enum):
    """Time ranges that end now."""

    LAST_24H = _value("last_24h", description="The last 24 hours.")
    LAST_7D = _value("last_7d", description="The last 7 days; the default range.")
    LAST_30D = _value("last_30d", description="The last 30 days.")
    LAST_90D = _value("last_90d", description="The last 90 days.")
    ALL_TIME = _value("all_time", description="All time; the range has no beginning, and its series have no points.")


@strawberry.enum(description="The status of a project; today every project is active.")
class ProjectStatus(Enum):
    """The status of a project."""

    ACTIVE = _value("Active", description="It can be worked on.")


@strawberry.enum(description="Whether a project works; today always healthy (see `ProjectHealth` for judgement).")
class ProjectHealthStatus(Enum):
    """Whether a project works."""

    HEALTHY = _value("healthy", description="It works.")


@strawberry.enum(description="Whether an agent can be used; registered agents are online.")
class AgentStatus(Enum):
    """Whether an agent can be used."""

    ONLINE = _value("online", description="It can be used.")


@strawberry.enum(description="Why something is in the inbox.")
class InboxKind(Enum):
    """The reason for an inbox item."""

    REVIEW = _value("review", description="An attempt succeeded and waits for a review.")
    FAILED = _value("failed", description="An attempt failed or was stopped, and nothing has resolved it since.")
    STUCK = _value("stuck", description="An attempt has been queued over 10 minutes or running over 30 minutes.")


@strawberry.enum(description="The unit of a figure.")
class MetricUnit(Enum):
    """The unit of a figure."""

    COUNT = _value("count", description="Pieces.")
