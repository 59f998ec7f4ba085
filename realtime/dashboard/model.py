"""The overview as a tree of frozen models: attributes for GraphQL, `to_wire` for the raw exits.

Attributes are in snake case and hold real times. On the wire, keys are in camel case, in the order of the fields. A
key without a value is `null` or absent, as in the original (`omitted` names the absent ones). `overview` and its
helpers compute the values.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, SerializerFunctionWrapHandler, model_serializer
from pydantic.alias_generators import to_camel

from realtime.clock import iso
from realtime.dashboard.time_range import TimeRangePreset
from realtime.kanban.ids import AttemptId, BoardId, CardId
from realtime.kanban.models import AttemptStatus

__all__ = [
    "ActiveAttempt",
    "AgentStats",
    "AttemptActivity",
    "ColumnCardCounts",
    "DashboardMeta",
    "DashboardMetrics",
    "DashboardOverview",
    "DashboardTimeRange",
    "FailedItem",
    "Inbox",
    "InboxItem",
    "InboxMeta",
    "MetricPoint",
    "MetricSeries",
    "ProjectHealth",
    "ProjectSnapshot",
    "ReviewItem",
    "StuckItem",
]


def _number(value: float) -> int | float:
    # ECMAScript writes such a number in JSON as 1, not 1.0.
    return int(value) if value.is_integer() else value


Instant = Annotated[datetime, PlainSerializer(iso, return_type=str)]
#: From 0 to 1.
Ratio = Annotated[float, PlainSerializer(_number, return_type=int | float)]


class Part(BaseModel):
    """Base class of all parts of an overview."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True, extra="forbid")


class PartWithOmissions(Part):
    """A part with keys that may be absent. Separate, because encoding such a part takes five times as long."""

    #: Wire names of keys that are absent instead of null when they have no value.
    omitted: ClassVar[frozenset[str]]

    @model_serializer(mode="wrap")
    def _leave_out(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        wire: dict[str, Any] = serialize(self)
        return {key: value for key, value in wire.items() if value is not None or key not in self.omitted}


class DashboardTimeRange(PartWithOmissions):
    """The range of the overview. Fixed bounds are as the client wrote them."""

    omitted = frozenset({"preset", "from"})

    #: None for fixed bounds.
    preset: TimeRangePreset | None = None
    #: None without a lower bound.
    from_: str | None = Field(default=None, alias="from")
    to: str
    #: The bounds as times; not on the wire.
    start: datetime | None = Field(exclude=True)
    end: datetime = Field(exclude=True)


class MetricPoint(Part):
    """A value for one span of time."""

    #: The lower bound of the range, as in `timeRange.from`.
    timestamp: str
    value: int
    bucket_size_seconds: int
    #: `timestamp` as a time; not on the wire.
    start: datetime = Field(exclude=True)


class MetricSeries(Part):
    """A figure and its points over time; a range without a lower bound has no points."""

    label: str
    unit: Literal["count"] = "count"
    points: tuple[MetricPoint, ...]
    total: int


class DashboardMetrics(Part):
    """The figures at the top of the dashboard."""

    #: Keys: `projects.total`, `attempts.active`, `attempts.completed`, `cards.open`.
    by_key: dict[str, MetricSeries]
    active_attempts: int
    attempts_in_range: int
    success_rate_in_range: Ratio
    review_items_count: int
    projects_with_activity: int


class _AttemptOnCard(Part):
    """An attempt with the names of its project and card; a name is None if the project or card is gone."""

    attempt_id: AttemptId
    project_id: BoardId | None
    project_name: str | None
    card_id: CardId
    card_title: str | None
    ticket_key: str | None
    agent_id: str
    status: AttemptStatus


class ActiveAttempt(_AttemptOnCard):
    """An attempt that is queued, running or stopping."""

    started_at: Instant | None
    updated_at: Instant


class AttemptActivity(_AttemptOnCard, PartWithOmissions):
    """An attempt that ended in the range."""

    omitted = frozenset({"durationSeconds"})

    #: Time of its end.
    occurred_at: Instant
    #: Whole seconds from start to end; None if the end is before the start.
    duration_seconds: int | None


class ColumnCardCounts(Part):
    """The number of a project's cards in each kind of column."""

    backlog: int = 0
    in_progress: int = 0
    review: int = 0
    done: int = 0


class ProjectHealth(Part):
    """Activity and health of a project."""

    activity_score: int
    failure_rate_in_range: Ratio
    is_high_activity: bool
    is_at_risk: bool
    notes: str


class ProjectSnapshot(Part):
    """The figures of one project."""

    project_id: BoardId
    id: BoardId
    name: str
    status: Literal["healthy"] = "healthy"
    repository_slug: str | None
    repository_path: str
    created_at: Instant
    active_attempts: int
    active_attempts_count: int
    open_cards: int
    total_cards: int
    column_card_counts: ColumnCardCounts
    attempts_in_range: int
    failed_attempts_in_range: int
    failure_rate_in_range: Ratio
    health: ProjectHealth


class _InboxEntry(Part):
    """The fields that the three kinds of inbox items share; `id` is the attempt's id."""

    id: AttemptId
    type: str
    kind: str
    attempt_id: AttemptId
    project_id: BoardId
    project_name: str | None
    card_id: CardId
    #: Never blank; a card without a title is `Card <id>`.
    card_title: str
    ticket_key: str | None
    agent_id: str
    #: The agent's key, as in the original.
    agent_name: str
    status: AttemptStatus
    #: Title of the card's column.
    card_status: str | None
    created_at: Instant
    #: Time of the end, else of the last change of the attempt; the same as `last_updated_at`.
    updated_at: Instant
    #: None while the attempt is active.
    finished_at: Instant | None
    last_updated_at: Instant
    pr_url: str | None


class ReviewItem(_InboxEntry):
    """A successful attempt that waits for a review."""

    type: Literal["review"] = "review"
    kind: Literal["review"] = "review"
    reason: str
    meta: dict[str, Any] = Field(default_factory=dict)


class FailedItem(_InboxEntry):
    """A failed or stopped attempt that nothing has resolved since."""

    type: Literal["failed"] = "failed"
    kind: Literal["failed"] = "failed"
    #: The last error of its log, in one line of at most 200 characters.
    error_summary: str
    meta: dict[str, Any] = Field(default_factory=dict)


class StuckItem(_InboxEntry):
    """An attempt that has been queued or running for too long."""

    type: Literal["stuck"] = "stuck"
    kind: Literal["stuck"] = "stuck"
    stuck_for_seconds: int
    meta: dict[str, Any] = Field(default_factory=dict)


#: Any item; `kind` discriminates.
InboxItem = Annotated[ReviewItem | FailedItem | StuckItem, Field(discriminator="kind")]


class InboxMeta(Part):
    """The number of items of each kind."""

    total_items: int
    total_review: int
    total_failed: int
    total_stuck: int


class Inbox(PartWithOmissions):
    """Attempts that need a person, by kind; the one with the latest change comes first."""

    omitted = frozenset({"meta"})

    review: tuple[ReviewItem, ...] = ()
    failed: tuple[FailedItem, ...] = ()
    stuck: tuple[StuckItem, ...] = ()
    #: None if there is no item.
    meta: InboxMeta | None = None


class AgentStats(PartWithOmissions):
    """A registered agent and its attempts in the range."""

    omitted = frozenset({"successRate", "lastActiveAt"})

    agent_id: str
    agent_name: str
    status: Literal["online"] = "online"
    attempts_started: int
    attempts_succeeded: int
    attempts_failed: int
    success_rate: Ratio | None
    attempts_in_range: int
    success_rate_in_range: Ratio | None
    #: Creation time of the agent's latest attempt: of all times, and in the range.
    last_active_at: Instant | None
    last_activity_at: Instant | None
    has_activity_in_range: bool


class DashboardMeta(Part):
    """The options that a client may ask for."""

    version: Literal["v1"] = "v1"
    available_time_range_presets: tuple[TimeRangePreset, ...] = tuple(TimeRangePreset)


class DashboardOverview(Part):
    """Everything the dashboard shows, at one moment."""

    time_range: DashboardTimeRange
    generated_at: Instant
    updated_at: Instant
    metrics: DashboardMetrics
    active_attempts: tuple[ActiveAttempt, ...]
    recent_attempt_activity: tuple[AttemptActivity, ...]
    project_snapshots: tuple[ProjectSnapshot, ...]
    inbox_items: Inbox
    agent_stats: tuple[AgentStats, ...]
    #: Number of registered agents without an entry. None, and absent on the wire, if all have one.
    agents_omitted: int | None = None
    attempts_in_range: int
    success_rate_in_range: Ratio
    projects_with_activity_in_range: int
    meta: DashboardMeta = DashboardMeta()

    def to_wire(self) -> dict[str, Any]:
        """Return the overview as plain JSON values, with the keys in the original's order."""
        wire = self.model_dump(mode="json", by_alias=True)
        if self.agents_omitted is None:
            del wire["agentsOmitted"]
        return wire

    def to_json(self) -> bytes:
        """Return `to_wire` as compact JSON in UTF-8."""
        return orjson.dumps(self.to_wire())
