"""Scenarios and calls that are not replayed, each with the reason, and those that have their own test."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["APART_SSE", "APART_WS", "HTTP", "SSE", "WS"]

_BOTH_ERAS = "one era lacked the address of the other; this server serves both"
_NOT_CONFIGURED = "the original could be built without WebSockets; this server always has them"
_RUNTIME_PING = "Bun's own ping after 104 s of silence; here our heartbeat (docs/protocol.md) ends the socket first"
_AGENTS = "the original starts and drives agents itself; here a runner outside does, through the ingest (docs/rest.md)"
_TERMINALS = "terminals are another module of the original (docs/rest.md)"
_SETTINGS = "settings are another module of the original (docs/rest.md)"
_PROFILES = "agent profiles are another module of the original (docs/rest.md)"
_FILE_SYSTEM = "the original looks at the repository's folder on its own disk; here the path is a text"
_GIT = "Git and GitHub are another module of the original (docs/rest.md)"
_ENHANCEMENTS = "enhancements are another module of the original (docs/rest.md)"
_WELCOME = "a greeting of the original's framework; `/` is a page here"

#: Scenarios of `ws-transcripts`.
WS: Mapping[str, str] = {
    "sse_path_at_W": _BOTH_ERAS,
    "ws_support_not_configured_board": _NOT_CONFIGURED,
    "ws_support_not_configured_dashboard": _NOT_CONFIGURED,
    "heartbeat_silent_client_that_ignores_protocol_pings": _RUNTIME_PING,
    "heartbeat_dashboard_silent_client_ignores_protocol_pings": _RUNTIME_PING,
    "move_to_in_progress_autostarts_agent": _AGENTS,
}

#: Scenarios of `sse-transcripts`.
SSE: Mapping[str, str] = {
    "ws_upgrade_at_S": _BOTH_ERAS,
    "terminal_missing_projectId": _TERMINALS,
    "terminal_session_cannot_start": _TERMINALS,
    "terminal_rest": _TERMINALS,
}

#: Calls of `http-api`.
HTTP: Mapping[str, str] = {
    "root": _WELCOME,
    "hello": _WELCOME,
    "metrics": "a constant text in the original; metrics come with a later issue, under /metrics",
    "version": "names the original's own version",
    "project create path does not exist": _FILE_SYSTEM,
    "project create path is no git repository": _FILE_SYSTEM,
    "project settings get": _SETTINGS,
    "project settings update": _SETTINGS,
    "next ticket key": _SETTINGS,
    "project branches": _GIT,
    "project github origin": _GIT,
    "enhancement set": _ENHANCEMENTS,
    "enhancements": _ENHANCEMENTS,
    "attempt start": _AGENTS,
    "attempt follow-up while running": _AGENTS,
    "attempt follow-up empty prompt": _AGENTS,
    "attempt follow-up unknown": _AGENTS,
    "legacy follow-up": _AGENTS,
    "global profiles": _PROFILES,
    "project profile create": _PROFILES,
    "app settings": _SETTINGS,
}

#: Scenarios of `ws-transcripts` that need their own test because of their time or size: test file by name.
APART_WS: Mapping[str, str] = {
    "project_deleted_while_connected": "test_lifecycle.py",
    "slow_consumer_counts": "test_slow_subscribers.py",
    "heartbeat_silent_client_that_answers_protocol_pings": "test_heartbeats.py",
    "heartbeat_client_sending_json_ping_every_15s": "test_heartbeats.py",
    "heartbeat_dashboard_silent_client_answers_protocol_pings": "test_heartbeats.py",
    "heartbeat_client_sending_malformed_json_every_30s": "test_heartbeats.py",
    "heartbeat_client_sending_protocol_ping_every_30s": "test_heartbeats.py",
}

#: The same for `sse-transcripts`.
APART_SSE: Mapping[str, str] = {
    "last_event_id_ignored": "test_lifecycle.py",
    "heartbeat_dashboard": "test_heartbeats.py",
    "slow_consumer_counts": "test_slow_subscribers.py",
}
