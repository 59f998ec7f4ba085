"""The dashboard of Grafana and the alert rules of Prometheus name metrics, labels and values that the server has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
import yaml  # type: ignore[import-untyped]  # its types are a package of their own

from realtime.endings import ENDINGS
from realtime.fanout.counters import Counters
from realtime.service.roster import Figures
from server.runtime.metrics import make_registry
from tests.kit.proxies import DEPLOY

_NAME = re.compile(r"\b(?:boardcast|process)_\w+")
_LABELS = re.compile(r"by \(([^)]*)\)|\{\{ ?(?:\$labels\.)?(\w+) ?\}\}|(\w+)=~?\"")
#: Labels that Prometheus adds, and the bound of a histogram.
_ADDED = {"instance", "job", "le"}
_SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}


def _dashboard() -> Any:
    return orjson.loads((DEPLOY / "grafana" / "boardcast.json").read_bytes())


def _rules() -> Any:
    text = (DEPLOY / "prometheus" / "alerts.yaml").read_text(encoding="utf-8")
    return [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]


def _texts() -> Iterator[tuple[str, str]]:
    """Yield each expression with the texts that show its labels."""
    for panel in _dashboard()["panels"]:
        for target in panel["targets"]:
            yield target["expr"], target["legendFormat"]
    for rule in _rules():
        yield rule["expr"], rule["annotations"]["summary"]


def _known() -> tuple[set[str], set[str]]:
    """Return the names and the labels of all samples."""
    counters = Counters()
    exit = counters.exit("board-ws")
    exit.gaps["slow_consumer"] = exit.ended["client_left"] = counters.commands_refused["card_is_done"] = 1
    families = list(make_registry(counters, Figures, "node-1").collect())
    names = {f"{family.name}{suffix}" for family in families for suffix in _SUFFIXES[family.type]}
    return names, {label for family in families for one in family.samples for label in one.labels}


@pytest.mark.parametrize(("expression", "shown"), list(_texts()))
def test_every_metric_and_label_exists(expression: str, shown: str) -> None:
    names, labels = _known()
    used = set(_NAME.findall(expression))
    assert used or expression.startswith("up{")
    assert used <= names
    found = {
        word.strip() for one in _LABELS.findall(f"{expression} {shown}") for part in one for word in part.split(",")
    }
    assert found - {""} <= labels | _ADDED


def test_every_reason_of_a_rule_exists() -> None:
    reasons = set(re.findall(r'reason="(\w+)"', " ".join(rule["expr"] for rule in _rules())))
    assert reasons <= {row.metric for row in ENDINGS.values()} | {"send_timeout"}
    assert reasons


def test_every_metric_of_ours_is_on_the_dashboard_or_in_a_rule() -> None:
    used = {name for expression, _ in _texts() for name in _NAME.findall(expression)}
    bases = {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in used}
    ours = {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in _known()[0] if name.startswith("boardcast_")}
    assert ours - bases == {"boardcast_leader", "boardcast_hint_retries", "boardcast_pool_waits"}


def test_panels_do_not_overlap_and_have_one_id_each() -> None:
    places = [(one["gridPos"]["x"], one["gridPos"]["y"]) for one in _dashboard()["panels"]]
    ids = [one["id"] for one in _dashboard()["panels"]]
    assert (len(set(places)), len(set(ids))) == (len(places), len(ids))
