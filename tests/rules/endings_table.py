"""The tables of pages that repeat the table of endings, and the tests that show each of its rows."""

from __future__ import annotations

from collections.abc import Iterator

from realtime.ending import Conduct, Ending, Exits
from realtime.endings import CLIENT_LEFT, ENDINGS

__all__ = ["SHOWN_BY", "close_code_rows", "stream_rows"]

#: Row → a test that shows it: file below `tests/`, and function. The test uses a live server, unless an event would
#: have to take longer than a client of the test waits.
SHOWN_BY = {
    "BOARD_NOT_FOUND": "live/test_bad_commands.py::test_unknown_board_is_closed_1008_without_a_frame",
    "BOARD_DELETED": "live/test_endings.py::test_deleted_board_ends_its_subscriptions_for_good",
    "NOT_GRANTED": "live/test_json_web_tokens.py::test_dashboard_socket_without_grant_is_forbidden",
    "SLOW_CONSUMER": "live/test_slow_subscribers.py::test_subscriber_with_full_queue_that_is_to_end_learns_why",
    "SERVER_SHUTDOWN": "live/test_endings.py::test_server_that_stops_ends_every_stream_for_a_while",
    "CONNECTION_LIFETIME": "live/test_endings.py::test_lifetime_ends_every_stream_for_a_moment",
    "TOKEN_EXPIRED": "live/test_endings.py::test_token_that_expires_ends_every_stream_at_its_end",
    "TOKEN_REVOKED": "live/test_endings.py::test_token_that_is_revoked_ends_its_streams_and_no_others",
    "GRANTS_REDUCED": "live/test_new_tokens.py::test_grants_that_shrink_end_the_raw_stream",
    "STORE_UNAVAILABLE": "live/test_endings.py::test_store_that_is_away_ends_a_stream_without_goodbye",
    "FAULT": "live/test_endings.py::test_fault_of_the_server_ends_a_stream_and_is_logged",
    "CLIENT_LEFT": "live/test_disconnects.py::test_subscriber_that_leaves_leaves_nothing_behind",
    "SEND_TIMEOUT": "live/test_silent_subscribers.py::test_subscriber_that_takes_nothing_is_cut_after_the_send_timeout",
    "HEARTBEAT_TIMEOUT": "live/replay/test_heartbeats.py::test_socket_without_json_messages_is_closed_with_4000",
    "PING_TIMEOUT": "live/test_silent_subscribers.py::test_socket_that_answers_no_ping_is_closed",
    "BAD_FRAME": "live/test_bad_frames.py::test_bad_frame_is_closed_with_its_code_and_one_line",
    "BAD_TEXT": "live/test_connections.py::test_invalid_utf8_in_a_text_frame_closes_1007_without_a_fault",
    "MESSAGE_TOO_BIG": "live/test_frame_bounds.py::test_message_of_endless_frames_is_closed_1009_and_others_are_served",
    "INVALID_MESSAGE": "live/graphql/test_messages.py::test_invalid_message_closes_4400_with_reason",
    "UNAUTHORIZED": "live/graphql/test_connection.py::test_subscribe_before_init_closes_4401",
    "FORBIDDEN": "live/test_access.py::test_init_without_right_token_closes_4403",
    "INIT_UNDECIDED": "live/test_tokens_without_store.py::test_token_of_an_init_closes_so_that_the_client_comes_back",
    "INIT_LIMITED": "live/test_client_connections.py::test_token_of_connection_init_over_its_connections_closes_1013",
    "UNKNOWN_SUBPROTOCOL": "live/graphql/test_connection.py::test_other_subprotocol_closes_4406",
    "INIT_TIMEOUT": "live/graphql/test_connection.py::test_no_init_in_time_closes_4408",
    "ALREADY_SUBSCRIBED": "live/graphql/test_operations.py::test_active_id_closes_4409",
    "TOO_MANY_INITS": "live/graphql/test_connection.py::test_second_init_closes_4429",
    "TERMINATED": "live/graphql/test_older_subprotocol.py::test_terminate_closes_and_ends_the_operations",
    "OPERATION_TIMEOUT": "live/graphql/test_deadlines.py::test_operation_over_http_has_a_deadline",
    "TOO_EXPENSIVE": "unit/schema/test_running.py::test_event_that_takes_too_long_ends_its_subscription",
    "CONFLICT": "live/test_bad_input.py::test_bad_call_is_refused_and_changes_nothing",
    "NOT_AUTHENTICATED": "live/test_new_tokens.py::test_token_that_is_refused_changes_nothing",
    "INVALID_INPUT": "live/test_bad_input.py::test_bad_call_is_refused_and_changes_nothing",
    "KEY_REUSED": "live/test_repeating.py::test_another_request_under_the_key_is_422",
    "LIMIT_REACHED": "live/test_limits.py::test_client_that_commands_too_often_is_refused_with_a_retry_time",
}

_ON_RAW_STREAMS = (Exits.STREAMS, Exits.SOCKETS, Exits.RAW_SOCKET)
_ON_SOCKETS_OF_GRAPHQL = (Exits.SOCKETS, Exits.GRAPHQL_SOCKET)


def stream_rows() -> Iterator[str]:
    """Yield the rows of "How a stream ends": cause, WebSocket, SSE, word of the metric, whether clients reconnect."""
    for row in ENDINGS.values():
        # The page describes clients that are still connected.
        if row.exits in _ON_RAW_STREAMS and row is not CLIENT_LEFT:
            cells = (_cause(row), _socket(row), _event_stream(row), _quoted(row.reason), _yes(row.reconnect))
            yield f"| {' | '.join(cells)} |".replace("|  |", "| |")


def close_code_rows() -> Iterator[str]:
    """Yield the rows of "Close codes": code, cause, whether clients reconnect."""
    for row in ENDINGS.values():
        close = row.graphql_close or row.close
        if close and (row.exits in _ON_SOCKETS_OF_GRAPHQL or row.ends_connection):
            yield f"| {close.code} | {row.why} | {_yes(row.reconnect)} |"


def _cause(row: Ending) -> str:
    return f"`{row.reason}`: {row.why}" if row.has_goodbye else row.why


def _socket(row: Ending) -> str:
    if row.close is None:
        return _words(row, row.conduct.value)
    return _words(row, f"close {row.close.code} {_quoted(row.close.reason)}".strip())


def _event_stream(row: Ending) -> str:
    if row.exits is not Exits.STREAMS:
        return ""
    if row.reason is None:
        return str(row.status)
    return _words(row, "end" if row.conduct is Conduct.CLOSES else row.conduct.value)


def _words(row: Ending, last: str) -> str:
    return f"`goodbye`, {last}" if row.has_goodbye else last


def _quoted(word: str | None) -> str:
    return f"`{word}`" if word else ""


def _yes(reconnect: bool) -> str:
    return "yes" if reconnect else "no"
