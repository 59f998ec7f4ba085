"""The closed lists of words, as GraphQL enumerations: names in capitals, values as they are on the raw exits.

A test compares the values with those that `realtime` knows.
"""

from __future__ import annotations

from enum import Enum

import strawberry

__all__ = [
    "AgentStatus",
    "AttemptStatus",
    "AutomationStage",
    "AutomationStatus",
    "CardField",
    "InboxKind",
    "InterruptionReason",
    "LogLevel",
    "MessageRole",
    "MetricUnit",
    "ProfileChange",
    "ProjectHealthStatus",
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
    """The kinds of work a card may be."""

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


@strawberry.enum(description="A field of a card that may have a new value.")
class CardField(Enum):
    """The fields of a card that change; the values are the core's words, for these travel on no raw exit."""

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


@strawberry.enum(description="Where an attempt of an agent stands.")
class AttemptStatus(Enum):
    """Where an attempt stands."""

    QUEUED = _value("queued", description="Waits for a runner.")
    RUNNING = _value("running", description="A runner works on it.")
    STOPPING = _value("stopping", description="Was stopped; its runner has not said yet that it ended.")
    SUCCEEDED = _value("succeeded", description="Ended well.")
    FAILED = _value("failed", description="Ended badly.")
    STOPPED = _value("stopped", description="Ended because somebody stopped it.")


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


@strawberry.enum(description="Who said a message.")
class MessageRole(Enum):
    """Who said a message."""

    USER = _value("user", description="A person.")
    ASSISTANT = _value("assistant", description="The agent.")
    SYSTEM = _value("system", description="The system around the agent.")


@strawberry.enum(description="How a text is to be shown.")
class TextFormat(Enum):
    """How a text is to be shown."""

    MARKDOWN = _value("markdown", description="As Markdown.")
    PLAINTEXT = _value("plaintext", description="As it is.")


@strawberry.enum(description="Where the use of a tool stands.")
class ToolStatus(Enum):
    """Where the use of a tool stands."""

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


@strawberry.enum(description="Where a script of the project stands.")
class AutomationStatus(Enum):
    """Where a script stands."""

    RUNNING = _value("running", description="Runs.")
    SUCCEEDED = _value("succeeded", description="Ended well.")
    FAILED = _value("failed", description="Ended badly.")


@strawberry.enum(description="What happened to a profile of an agent.")
class ProfileChange(Enum):
    """What happened to a profile."""

    CREATED = _value("created", description="It was made.")
    UPDATED = _value("updated", description="It has new values.")
    DELETED = _value("deleted", description="It is gone.")


@strawberry.enum(description="Why a stream has a gap (a fresh state follows), or why it ends.")
class InterruptionReason(Enum):
    """Why a stream has a gap, or ends."""

    SLOW_CONSUMER = _value(
        "slow_consumer", description="Gap, or with `DISCONNECT` the end: this reader was too slow for its queue."
    )
    HISTORY_EXPIRED = _value("history_expired", description="Gap: the cursor is older than what is kept.")
    EPOCH_CHANGED = _value("epoch_changed", description="Gap: history was lost since the cursor was handed out.")
    OTHER_BOARD = _value("other_board", description="Gap: the cursor belongs to another board.")
    INVALID_CURSOR = _value("invalid_cursor", description="Gap: the cursor is none of this server's.")
    BROKER_LOST = _value("broker_lost", description="Gap: events between servers were lost.")
    BOARD_DELETED = _value("board_deleted", description="End: the board was deleted; do not come back.")
    SERVER_SHUTDOWN = _value("server_shutdown", description="End: the server stops; come back after the pause.")
    CONNECTION_LIFETIME = _value(
        "connection_lifetime", description="End: the connection lasted as long as one may; come back after the pause."
    )


@strawberry.enum(description="What becomes of a reader that is too slow: more waits for it than may.")
class SlowPolicy(Enum):
    """What becomes of a reader that is too slow."""

    SNAPSHOT = _value("snapshot", description="What waits is dropped: a `Gap` says so, and the present follows.")
    DISCONNECT = _value(
        "disconnect",
        description="It ends with the error `SLOW_CONSUMER`, whose extension `cursor` says where to come back.",
    )


@strawberry.enum(description="Ranges of the dashboard that end now.")
class TimeRangePreset(Enum):
    """Ranges that end now."""

    LAST_24H = _value("last_24h", description="The last 24 hours.")
    LAST_7D = _value("last_7d", description="The last 7 days; what a client gets that asks for no range.")
    LAST_30D = _value("last_30d", description="The last 30 days.")
    LAST_90D = _value("last_90d", description="The last 90 days.")
    ALL_TIME = _value("all_time", description="Everything; such a range has no beginning and its series no points.")


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
    """Why something is in the inbox."""

    REVIEW = _value("review", description="An attempt succeeded and waits for somebody to look at it.")
    FAILED = _value("failed", description="An attempt failed or was stopped, and nothing has saved its card since.")
    STUCK = _value("stuck", description="An attempt has been queued over 10 minutes or running over 30 minutes.")


@strawberry.enum(description="What a figure counts in.")
class MetricUnit(Enum):
    """What a figure counts in."""

    COUNT = _value("count", description="Pieces.")
