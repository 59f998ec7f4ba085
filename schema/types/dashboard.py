"""The dashboard as GraphQL shows it.

No code makes these types: their fields are read from the models of `realtime.dashboard.model`. Times are instants
here; the raw exits show the bounds of a range as the client wrote them.
"""

from __future__ import annotations

from datetime import datetime

import strawberry

from realtime.dashboard import model
from schema.types.enums import AgentStatus, AttemptStatus, InboxKind, MetricUnit, ProjectHealthStatus, TimeRangePreset
from schema.types.scalars import SafeInt

__all__ = ["DashboardOverview"]


@strawberry.type(description="The range an overview is about.")
class DashboardTimeRange:
    """The fields are read from `model.DashboardTimeRange`."""

    preset: TimeRangePreset | None = strawberry.field(description="The preset; null when the bounds were given.")
    start: datetime | None = strawberry.field(name="from", description="First instant; null for all time.")
    end: datetime = strawberry.field(name="to", description="The instant before which the range ends.")


@strawberry.type(description="A value for one stretch of time.")
class MetricPoint:
    """The fields are read from `model.MetricPoint`."""

    start: datetime = strawberry.field(name="timestamp", description="When the stretch begins.")
    bucket_size_seconds: SafeInt = strawberry.field(description="Length of the stretch, in seconds.")
    value: int = strawberry.field(description="The value.")


@strawberry.type(description="A figure and its course.")
class MetricSeries:
    """The fields are read from a `_Series`."""

    key: str = strawberry.field(
        description="`projects.total`, `attempts.active`, `attempts.completed` or `cards.open`."
    )
    label: str = strawberry.field(description="Its name for people, in English.")
    unit: MetricUnit = strawberry.field(description="Its unit.")
    total: int = strawberry.field(description="The figure over the whole range.")
    points: list[MetricPoint] = strawberry.field(description="Its course, oldest first; empty for all time.")


class _Series:
    """A series with its key in the overview."""

    def __init__(self, key: str, series: model.MetricSeries) -> None:
        self.key = key
        self.label = series.label
        self.unit = series.unit
        self.total = series.total
        self.points = series.points


def _series(parent: strawberry.Parent[model.DashboardMetrics]) -> list[_Series]:
    return [_Series(key, series) for key, series in parent.by_key.items()]


@strawberry.type(description="The figures at the top of the dashboard.")
class DashboardMetrics:
    """The fields are read from `model.DashboardMetrics`."""

    series: list[_Series] = strawberry.field(
        resolver=_series, graphql_type=list[MetricSeries], description="The figures that have a course."
    )
    active_attempts: int = strawberry.field(description="Attempts that are queued, running or stopping now.")
    attempts_in_range: int = strawberry.field(description="Attempts that were created in the range.")
    success_rate_in_range: float = strawberry.field(
        description="Share of them that succeeded, 0 to 1; 0 without attempts."
    )
    review_items_count: int = strawberry.field(description="Items that wait in the inbox for a review.")
    projects_with_activity: int = strawberry.field(description="Projects with an attempt created in the range.")


@strawberry.type
class _AttemptOnCard:
    """Fields of all attempts in the overview; no type of the schema."""

    attempt_id: strawberry.ID = strawberry.field(description="The attempt.")
    project_id: strawberry.ID | None = strawberry.field(
        description="Id of its project; null if the project was deleted."
    )
    project_name: str | None = strawberry.field(description="Name of the project; null if the project was deleted.")
    card_id: strawberry.ID = strawberry.field(description="The card it works on.")
    card_title: str | None = strawberry.field(description="Title of the card; null if the card was deleted.")
    ticket_key: str | None = strawberry.field(description="The card's ticket key, if it has one.")
    agent_id: str = strawberry.field(name="agentKey", description="Key of the agent, like `CODEX`.")
    status: AttemptStatus = strawberry.field(description="Status of the attempt.")


@strawberry.type(description="An attempt that is queued, running or stopping.")
class ActiveAttempt(_AttemptOnCard):
    """The fields are read from `model.ActiveAttempt`."""

    started_at: datetime | None = strawberry.field(description="When a runner began; null while it is queued.")
    updated_at: datetime = strawberry.field(description="When it last changed.")


@strawberry.type(description="An attempt that ended in the range.")
class EndedAttempt(_AttemptOnCard):
    """The fields are read from `model.AttemptActivity`."""

    occurred_at: datetime = strawberry.field(name="endedAt", description="When it ended.")
    duration_seconds: SafeInt | None = strawberry.field(
        description="From start to end in whole seconds; null when the reported times contradict each other."
    )


@strawberry.type(description="The cards of a project, by what the titles of their columns mean.")
class ColumnCardCounts:
    """The fields are read from `model.ColumnCardCounts`."""

    backlog: int = strawberry.field(description="Cards without work so far.")
    in_progress: int = strawberry.field(description="Cards that are worked on.")
    review: int = strawberry.field(description="Cards that wait for a review.")
    done: int = strawberry.field(description="Cards that are done.")


@strawberry.type(description="How busy a project is, and how well it goes.")
class ProjectHealth:
    """The fields are read from `model.ProjectHealth`."""

    activity_score: int = strawberry.field(description="Open cards and attempts, weighted; 0 = no activity.")
    is_high_activity: bool = strawberry.field(description="Whether there is much activity.")
    is_at_risk: bool = strawberry.field(description="Whether many of several recent attempts failed.")
    notes: str = strawberry.field(description="The judgement as a sentence, in English.")


@strawberry.type(description="A project in figures.")
class ProjectSnapshot:
    """The fields are read from `model.ProjectSnapshot`."""

    project_id: strawberry.ID = strawberry.field(description="The project.")
    name: str = strawberry.field(description="Its name.")
    status: ProjectHealthStatus = strawberry.field(description="Whether it works.")
    repository_slug: str | None = strawberry.field(description="`owner/name` of its repository.")
    repository_path: str = strawberry.field(description="Path of its repository on the machine of the runners.")
    created_at: datetime = strawberry.field(description="When it was made.")
    active_attempts: int = strawberry.field(description="Attempts that are queued, running or stopping now.")
    open_cards: int = strawberry.field(description="Cards that are not done.")
    total_cards: int = strawberry.field(description="All cards.")
    column_card_counts: ColumnCardCounts = strawberry.field(description="The cards by columns.")
    attempts_in_range: int = strawberry.field(description="Attempts that were created in the range.")
    failed_attempts_in_range: int = strawberry.field(description="Those of them that failed.")
    failure_rate_in_range: float = strawberry.field(description="Their share, 0 to 1; 0 without attempts.")
    health: ProjectHealth = strawberry.field(description="How it goes.")


@strawberry.interface(description="An attempt that needs a person, with the reason.")
class InboxItem:
    """Fields of all inbox items, read from `model.InboxItem`."""

    kind: InboxKind = strawberry.field(description="Why it is in the inbox.")
    attempt_id: strawberry.ID = strawberry.field(description="The attempt.")
    project_id: strawberry.ID = strawberry.field(description="Its project.")
    project_name: str | None = strawberry.field(description="The project's name.")
    card_id: strawberry.ID = strawberry.field(description="Its card.")
    card_title: str = strawberry.field(description="The card's title, or `Card <id>` when it has none.")
    ticket_key: str | None = strawberry.field(description="The card's ticket key, if it has one.")
    agent_id: str = strawberry.field(name="agentKey", description="Key of the agent, like `CODEX`.")
    status: AttemptStatus = strawberry.field(description="Status of the attempt.")
    card_status: str | None = strawberry.field(description="Title of the card's column.")
    created_at: datetime = strawberry.field(description="When the attempt was created.")
    updated_at: datetime = strawberry.field(description="When it ended, else when it last changed.")
    finished_at: datetime | None = strawberry.field(
        name="endedAt", description="When it ended; null while it is active."
    )
    pr_url: str | None = strawberry.field(description="Address of the card's pull request, if it has one.")

    @classmethod
    def resolve_type(cls, value: object, _info: object, _kind: object) -> str:
        """Return the name of the type that shows `value`; the models have the same names."""
        return type(value).__name__


@strawberry.type(description="An attempt that succeeded and waits for a review.")
class ReviewItem(InboxItem):
    """The fields are read from `model.ReviewItem`."""

    reason: str = strawberry.field(description="Why it waits, in English.")

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        """Return whether `value` is of this kind."""
        return isinstance(value, model.ReviewItem)


@strawberry.type(description="An attempt that failed or was stopped, on a card that nothing has saved since.")
class FailedItem(InboxItem):
    """The fields are read from `model.FailedItem`."""

    error_summary: str = strawberry.field(
        description="The last error of its log, in one line of at most 200 characters."
    )

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        """Return whether `value` is of this kind."""
        return isinstance(value, model.FailedItem)


@strawberry.type(description="An attempt that has been queued or running for too long.")
class StuckItem(InboxItem):
    """The fields are read from `model.StuckItem`."""

    stuck_for_seconds: SafeInt = strawberry.field(description="For how long, in seconds.")

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        """Return whether `value` is of this kind."""
        return isinstance(value, model.StuckItem)


def _inbox_items(parent: strawberry.Parent[model.Inbox]) -> list[model.InboxItem]:
    items: list[model.InboxItem] = [*parent.review, *parent.failed, *parent.stuck]
    return sorted(items, key=lambda item: item.updated_at, reverse=True)


@strawberry.type(description="How many items the inbox has.")
class InboxMeta:
    """The fields are read from `model.InboxMeta`."""

    total_items: int = strawberry.field(description="All items.")
    total_review: int = strawberry.field(description="Items to review.")
    total_failed: int = strawberry.field(description="Failed attempts.")
    total_stuck: int = strawberry.field(description="Stuck attempts.")


@strawberry.type(description="Attempts that need a person; each list has the latest change first.")
class Inbox:
    """The fields are read from `model.Inbox`."""

    items: list[model.InboxItem] = strawberry.field(
        resolver=_inbox_items,
        graphql_type=list[InboxItem],
        description="All of them: the reviews, failures and attempts that take too long, in one list.",
    )
    review: list[ReviewItem] = strawberry.field(description="Successes that wait for a review.")
    failed: list[FailedItem] = strawberry.field(description="Failures.")
    stuck: list[StuckItem] = strawberry.field(description="Attempts that take too long.")
    meta: InboxMeta | None = strawberry.field(description="How many there are; null when there are none.")


@strawberry.type(description="A registered agent, and its results.")
class AgentStats:
    """The fields are read from `model.AgentStats`."""

    agent_id: str = strawberry.field(name="agentKey", description="Key of the agent, like `CODEX`.")
    agent_name: str = strawberry.field(name="label", description="Its name for people; its key when it has none.")
    status: AgentStatus = strawberry.field(description="Whether it can be used.")
    attempts_in_range: int = strawberry.field(description="Its attempts that were created in the range.")
    attempts_succeeded: int = strawberry.field(description="Those of them that succeeded.")
    attempts_failed: int = strawberry.field(description="Those of them that failed.")
    success_rate_in_range: float | None = strawberry.field(
        description="Share of them that succeeded, 0 to 1; null without attempts."
    )
    last_active_at: datetime | None = strawberry.field(
        description="When its latest attempt was created, in the range or not; null when it has none."
    )
    last_activity_at: datetime | None = strawberry.field(
        name="lastActiveInRangeAt",
        description="When its latest attempt in the range was created; null when it has none.",
    )


@strawberry.type(description="What a client may ask for.")
class DashboardMeta:
    """The fields are read from `model.DashboardMeta`."""

    version: str = strawberry.field(description="Version of the overview's shape.")
    available_time_range_presets: list[TimeRangePreset] = strawberry.field(description="The presets there are.")


@strawberry.type(description="Everything the dashboard shows, at one moment.")
class DashboardOverview:
    """The fields are read from `model.DashboardOverview`."""

    time_range: DashboardTimeRange = strawberry.field(description="The range it is about.")
    generated_at: datetime = strawberry.field(description="When it was computed.")
    metrics: DashboardMetrics = strawberry.field(description="The figures at the top.")
    active_attempts: list[ActiveAttempt] = strawberry.field(
        description="Attempts that are active now, in the range or not; the last changed first, at most 200."
    )
    recent_attempt_activity: list[EndedAttempt] = strawberry.field(
        name="endedAttempts",
        description="Attempts that ended in the range; the last first, at most 40.",
    )
    project_snapshots: list[ProjectSnapshot] = strawberry.field(description="The newest projects, at most 6.")
    inbox_items: Inbox = strawberry.field(
        description="Attempts created in the range that need a person; at most 25 items in total."
    )
    agent_stats: list[AgentStats] = strawberry.field(
        description="The registered agents and their results; at most 200, those with the latest attempts."
    )
    agents_omitted: int | None = strawberry.field(
        description="How many registered agents are not among `agentStats`; null when all are."
    )
    meta: DashboardMeta = strawberry.field(description="What a client may ask for.")
