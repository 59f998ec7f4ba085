"""The model has attributes for GraphQL and keys for the wire, and is immutable."""

from __future__ import annotations

import orjson
import pytest
from pydantic import TypeAdapter, ValidationError

from realtime.dashboard.model import DashboardOverview, InboxItem, ReviewItem
from realtime.dashboard.time_range import parse_time_range
from tests.unit.realtime.dashboard.counting import Tables, overview_of
from tests.unit.realtime.dashboard.samples import ALL_TIME, NOW, ago, attempt, board, card


def overview() -> DashboardOverview:
    """Build an overview with an entry in every list."""
    rows = [attempt("r", ended=ago(5)), attempt("f", "failed", card="d"), attempt("s", "queued", created=ago(900))]
    return overview_of(board(card(), card("d"), attempts=rows), parse_time_range(from_="2025", to="2026"), NOW)


def test_json_is_the_wire_compact_and_unescaped() -> None:
    made = overview()
    assert orjson.loads(made.to_json()) == made.to_wire()
    assert "–".encode() in made.to_json()
    assert b", " not in made.to_json()


def test_wire_holds_plain_json_values_only() -> None:
    made = overview().to_wire()
    # Strict about types: a subclass of str or an enumeration would be refused.
    options = orjson.OPT_PASSTHROUGH_SUBCLASS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
    assert orjson.loads(orjson.dumps(made, option=options)) == made


def test_whole_ratios_travel_without_fraction() -> None:
    made = overview_of(board(card(), attempts=[attempt("a")]), ALL_TIME, NOW)
    assert b'"successRateInRange":1,' in made.to_json()
    assert made.success_rate_in_range == 1


def test_fixed_range_travels_as_written_without_preset() -> None:
    made = overview()
    assert made.to_wire()["timeRange"] == {"from": "2025", "to": "2026"}
    (point,) = made.metrics.by_key["cards.open"].points
    assert (point.timestamp, point.start) == ("2025", made.time_range.start)
    assert point.model_dump(by_alias=True) == {"timestamp": "2025", "value": 2, "bucketSizeSeconds": 365 * 86_400}


def test_range_without_start_has_no_from_and_no_points() -> None:
    made = overview_of(Tables(), ALL_TIME, NOW)
    assert list(made.to_wire()["timeRange"]) == ["preset", "to"]
    assert all(series.points == () for series in made.metrics.by_key.values())


def test_inbox_items_are_distinguished_by_kind() -> None:
    made = overview().inbox_items
    items = [*made.review, *made.failed, *made.stuck]
    assert [item.kind for item in items] == [item.type for item in items] == ["review", "failed", "stuck"]
    adapter: TypeAdapter[InboxItem] = TypeAdapter(InboxItem)
    assert isinstance(adapter.validate_python(made.review[0].model_dump(by_alias=True)), ReviewItem)


def test_overview_is_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        overview().attempts_in_range = 7  # type: ignore[misc]  # it must be refused
