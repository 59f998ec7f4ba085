"""Activity and health of a project, from four counts."""

from __future__ import annotations

from realtime.dashboard.model import ProjectHealth

__all__ = ["project_health", "ratio"]

#: Points for the activity score, for each of these.
OPEN_CARD_SCORE = 1
ACTIVE_ATTEMPT_SCORE = 3
ATTEMPT_IN_RANGE_SCORE = 2
#: The score from which activity is high.
HIGH_ACTIVITY_SCORE = 10
#: A project is at risk from this share of failures on, if it has at least this number of attempts.
AT_RISK_FAILURE_RATE = 0.5
AT_RISK_ATTEMPTS = 5


def ratio(part: int, whole: int) -> float:
    """Return `part / whole`, 0 if `whole` is 0."""
    return part / whole if whole else 0.0


def project_health(
    open_cards: int, active_attempts: int, attempts_in_range: int, failed_in_range: int
) -> ProjectHealth:
    """Return the health of a project. Active attempts from before the range alone do not make a project busy."""
    score = (
        OPEN_CARD_SCORE * open_cards
        + ACTIVE_ATTEMPT_SCORE * active_attempts
        + ATTEMPT_IN_RANGE_SCORE * attempts_in_range
    )
    failure_rate = ratio(failed_in_range, attempts_in_range)
    busy = score >= HIGH_ACTIVITY_SCORE and bool(open_cards or attempts_in_range)
    at_risk = attempts_in_range >= AT_RISK_ATTEMPTS and failure_rate >= AT_RISK_FAILURE_RATE
    return ProjectHealth(
        activity_score=score,
        failure_rate_in_range=failure_rate,
        is_high_activity=busy,
        is_at_risk=at_risk,
        notes=_notes(open_cards, attempts_in_range, busy=busy, at_risk=at_risk),
    )


def _notes(open_cards: int, attempts_in_range: int, *, busy: bool, at_risk: bool) -> str:
    if not attempts_in_range:
        return "Open cards with no recent attempts" if open_cards else "No cards or attempts in selected range"
    if at_risk:
        return "High failure rate with sufficient recent attempts"
    if busy:
        return "High activity with multiple open cards and attempts"
    return "Moderate activity and low failure rate"
