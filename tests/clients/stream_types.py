"""The event types that a client of the raw streams must listen for by name."""

from __future__ import annotations

__all__ = ["STREAM_TYPES"]

STREAM_TYPES = (
    *("hello", "state", "attempt_started", "attempt_status", "attempt_log", "conversation_item", "attempt_session"),
    *("attempt_todos", "git_status", "git_commit", "git_push", "attempt_pr", "agent_profile", "agent_registered"),
    *("dashboard_overview", "heartbeat", "access", "gap", "goodbye"),
)
