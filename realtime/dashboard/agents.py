"""Statistics of the registered agents. Attempts of other agents count in the totals, but have no entry here."""

from __future__ import annotations

import heapq
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from realtime.dashboard.figures import AGENTS, Counts
from realtime.dashboard.model import AgentStats
from realtime.dashboard.rows import AgentRow

__all__ = ["agent_stats", "label_order"]

#: Characters of a label that decide its order; sorting labels of several kB would take longer than the whole overview.
ORDERED_CHARS = 100
#: The sort key of an agent without attempts.
_NEVER = datetime.min.replace(tzinfo=UTC)


def agent_stats(agents: Sequence[AgentRow], counts: Mapping[str, Counts]) -> tuple[AgentStats, ...]:
    """Return an entry for each registered agent, ordered by label, then in the order of registration.

    Of more than `AGENTS` agents, those with the latest attempts have an entry, then those that were registered first.
    """
    if len(agents) > AGENTS:
        agents = heapq.nlargest(AGENTS, agents, key=lambda agent: _last_created(counts.get(agent.key)))
    return tuple(_stats(agent, counts.get(agent.key) or Counts()) for agent in sorted(agents, key=_by_label))


def label_order(label: str) -> tuple[list[tuple[int, str]], str, str]:
    """Return a sort key for labels, which gives nearly the order of the original's `localeCompare`.

    The order is blanks, punctuation, symbols, digits, letters. Case and accents decide only between equal letters:
    first the accents, then the case, small letters first. Characters beyond `ORDERED_CHARS` do not count.
    """
    decomposed = unicodedata.normalize("NFKD", label[:ORDERED_CHARS])
    base = [(_rank(char), char.casefold()) for char in decomposed if not unicodedata.combining(char)]
    return base, decomposed.casefold(), decomposed.swapcase()


def _last_created(counts: Counts | None) -> datetime:
    return (counts.last_created if counts else None) or _NEVER


def _by_label(agent: AgentRow) -> tuple[list[tuple[int, str]], str, str]:
    return label_order(agent.label)


def _rank(char: str) -> int:
    # The first letter of the Unicode category: Z separators, P punctuation, S symbols, N numbers, L letters.
    return "ZPSNL".find(unicodedata.category(char)[0])


def _stats(agent: AgentRow, counts: Counts) -> AgentStats:
    success_rate = counts.succeeded / counts.in_range if counts.in_range else None
    return AgentStats(
        agent_id=agent.key,
        agent_name=agent.label,
        attempts_started=counts.in_range,
        attempts_succeeded=counts.succeeded,
        attempts_failed=counts.failed,
        success_rate=success_rate,
        attempts_in_range=counts.in_range,
        success_rate_in_range=success_rate,
        last_active_at=counts.last_created,
        last_activity_at=counts.last_in_range,
        has_activity_in_range=counts.in_range > 0,
    )
