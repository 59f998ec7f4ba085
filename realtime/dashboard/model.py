"""The overview as a tree of frozen models: attributes for GraphQL, `to_wire` for the raw exits.

Attributes are in snake case and hold real times; on the wire keys are in camel case, in the order of the fields,
and a key whose value is unknown is `null` or absent as the original has it (`omitted` names the absent ones).
Computing the values is `overview`'s and its helpers'.
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
    # JSON as ECMAScript writes it: 1, not 1.0.
    return int(value) if value.is_integer() else value


Instant = Annotated[datetime, PlainSerializer(iso, return_type=str)]
#: From 0 to 1.
Ratio = Annotated[float, PlainSerializer(_number, return_type=int | float)]


class Part(BaseModel):
    """Any part of an overview."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True, extra="forbid")


class PartWithOmissions(Part):
    """A part with keys that may be absent; a class of its own, for such a part takes five times as long to write."""

    #: Wire names of keys that are absent, not null, when there is no value.
    omitted: ClassVar[frozenset[str]]

    @model_serializer(mode="wrap")
    def _leave_out(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        wire: dict[str, Any] = serialize(self)
        return {key: value for key, value in wire.items() if value is not None or key not in self.omitted}


class DashboardTimeRange(PartWithOmissions):
    """The range the overview is about; fixed bounds as the client wrote them."""

    omitted = frozenset({"preset", "from"})

    #: None: fixed bounds.
    preset: TimeRangePreset | None = None
    #: None: no lower bound.
    from_: str | None = Field(default=None, alias="from")
    to: str
    #: The same as instants; not on the wire.
    start: datetime | None = Field(exclude=True)
    end: datetime = Field(exclude=True)


class MetricPoint(Part):
    """A value for one stretch of time."""

    #: The lower bound of the range, as in `timeRange.from`.
    timestamp: str
    value: int
    bucket_size_seconds: int
    #: `timestamp` as an instant; not on the wire.
    start: datetime = Field(exclude=True)


class MetricSeries(Part):
    """A figure and its course; a range without a lower bound has no points."""

    label: str
    unit: Literal["count"] = "count"
    points: tuple[MetricPoint, ...]
    total: int


class DashboardMetrics(Part):
    """The figures at the top."""

    #: By `projects.total`, `attempts.active`, `attempts.completed`, `cards.open`.
    by_key: dict[str, MetricSeries]
    active_attempts: int
    attempts_in_range: int
    success_rate_in_range: Ratio
    review_items_count: int
    projects_with_activity: int


class _AttemptOnCard(Part):
    """An attempt with the names of what it belongs to; names are None when the project or card is gone."""

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

    #: When it ended.
    occurred_at: Instant
    #: From start to end in whole seconds; None when the times contradict each other.
    duration_seconds: int | None


class ColumnCardCounts(Part):
    """The cards of a project by what their columns count as."""

    backlog: int = 0
    in_progress: int = 0
    review: int = 0
    done: int = 0


class ProjectHealth(Part):
    """How busy a project is, and how well it goes."""

    activity_score: int
    failure_rate_in_range: Ratio
    is_high_activity: bool
    is_at_risk: bool
    notes: str


class ProjectSnapshot(Part):
    """A project in figures."""

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
    """What the three kinds of inbox items share; `id` is that of the attempt."""

    id: AttemptId
    type: str
    kind: str
    attempt_id: AttemptId
    project_id: BoardId
    project_name: str | None
    card_id: CardId
    #: Never blank: `Card <id>` stands for a card without a title.
    card_title: str
    ticket_key: str | None
    agent_id: str
    #: The agent's key, as in the original.
    agent_name: str
    status: AttemptStatus
    #: Title of the card's column.
    card_status: str | None
    created_at: Instant
    #: The end, else the last change of the attempt; the same as `last_updated_at`.
    updated_at: Instant
    #: None while the attempt is active.
    finished_at: Instant | None
    last_updated_at: Instant
    pr_url: str | None


class ReviewItem(_InboxEntry):
    """A success that waits for somebody."""

    type: Literal["review"] = "review"
    kind: Literal["review"] = "review"
    reason: str
    meta: dict[str, Any] = Field(default_factory=dict)


class FailedItem(_InboxEntry):
    """A failed or stopped attempt on a card that nothing has saved since."""

    type: Literal["failed"] = "failed"
    kind: Literal["failed"] = "failed"
    #: The last error of its log in one line of at most 200 characters.
    error_summary: str
    meta: dict[str, Any] = Field(default_factory=dict)


class StuckItem(_InboxEntry):
    """An attempt that has been queued or running for too long."""

    type: Literal["stuck"] = "stuck"
    kind: Literal["stuck"] = "stuck"
    stuck_for_seconds: int
    meta: dict[str, Any] = Field(default_factory=dict)


#: Any item, told apart by `kind`.
InboxItem = Annotated[ReviewItem | FailedItem | StuckItem, Field(discriminator="kind")]


class InboxMeta(Part):
    """How many items there are of each kind."""

    total_items: int
    total_review: int
    total_failed: int
    total_stuck: int


class Inbox(PartWithOmissions):
    """What needs a person, by kind, the latest change first."""

    omitted = frozenset({"meta"})

    review: tuple[ReviewItem, ...] = ()
    failed: tuple[FailedItem, ...] = ()
    stuck: tuple[StuckItem, ...] = ()
    #: None when there is no item.
    meta: InboxMeta | None = None


class AgentStats(PartWithOmissions):
    """A registered agent and what it did in the range."""

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
    #: When its latest attempt was created: of all times, and of the range.
    last_active_at: Instant | None
    last_activity_at: Instant | None
    has_activity_in_range: bool


class DashboardMeta(Part):
    """What a client may ask for."""

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
    #: How many registered agents have no entry, None when all have one; absent then.
    agents_omitted: int | None = None
    attempts_in_range: int
    success_rate_in_range: Ratio
    projects_with_activity_in_range: int
    meta: DashboardMeta = DashboardMeta()

    def to_wire(self) -> dict[str, Any]:
        """Return the overview as plain JSON values: keys in the original's order, absent ones absent."""
        wire = self.model_dump(mode="json", by_alias=True)
        if self.agents_omitted is None:
            del wire["agentsOmitted"]
        return wire

    def to_json(self) -> bytes:
        """Return `to_wire` as compact JSON in UTF-8."""
        return orjson.dumps(self.to_wire())
