"""Every departure from the recordings, by its number in docs/departures.md, with the expected answer.

A scenario of the sockets or streams is replayed exactly as recorded, unless it is named here, in `elsewhere.py`, or by
another test of this folder. A test asserts that no name here is outdated.

The comparison itself applies the departures that affect every answer: 11 (problem+json for errors, with field errors
under `errors`), 16 (milliseconds), 18 (no CORS `*`) and 24 (compression).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = [
    "EVENTS",
    "HTTP",
    "SSE",
    "WS",
    "Answer",
    "Answers",
    "CallInstead",
    "Ended",
    "EventInstead",
    "Instead",
    "Layout",
    "Refused",
    "departure_numbers",
]


@dataclass(frozen=True)
class Refused:
    """An `error` envelope to the socket that sent the command."""

    code: str
    command: str | None


@dataclass(frozen=True)
class Layout:
    """A `state` whose columns contain these cards, by letter: `Backlog=BCAD`."""

    columns: str


@dataclass(frozen=True)
class Ended:
    """A close frame with this code."""

    code: int


Answer = Refused | Layout | Ended
#: The answers to each sent message (or, for a stream, to each REST call), in place of the recorded ones.
Answers = tuple[tuple[Answer, ...], ...]


@dataclass(frozen=True)
class Instead:
    """The departures of a scenario."""

    #: Rows of docs/departures.md that explain it.
    numbers: tuple[int, ...]
    #: One entry per message of the socket, or per REST call. If empty, the recorded answers are compared in another
    #: way.
    answers: Answers = ()
    #: Status of the answer (handshake, stream or first REST call) if it differs.
    status: int | None = None
    #: Sockets and streams that get nothing now.
    silent: tuple[str, ...] = ()


def _refused(*numbers: int, code: str, command: str | None) -> Instead:
    return Instead(numbers, ((Refused(code, command),),))


def _moved(columns: str) -> Instead:
    return Instead((1,), ((Layout(columns),),))


#: Nothing changes, so nothing is sent.
_UNCHANGED = Instead((5,), ((),))


def _create(code: str, *numbers: int) -> Instead:
    return _refused(*numbers, code=code, command="create_card")


def _update(code: str, *numbers: int) -> Instead:
    return _refused(*numbers, code=code, command="update_card")


def _move(code: str, *numbers: int) -> Instead:
    return _refused(*numbers, code=code, command="move_card")


def _odd(code: str, command: str | None = None) -> Instead:
    """Refuse the invalid frame. The ping that follows is answered as recorded (None means the recording)."""
    return Instead((3,), ((Refused(code, command),),))


_WS_COMMANDS: Mapping[str, Instead] = {
    "create_empty_title": _create("invalid_payload", 4),
    "create_number_title": _create("invalid_payload", 4),
    "create_object_title": _create("invalid_payload", 3, 4),
    "create_invalid_ticketType": _create("invalid_payload", 4),
    "create_missing_title": _create("invalid_payload", 3),
    "create_null_title": _create("invalid_payload", 3),
    "create_unknown_column": _create("column_not_found", 3),
    "create_missing_columnId": _create("invalid_payload", 3),
    "create_in_column_of_another_board": Instead(
        (2, 3), ((Refused("column_not_found", "create_card"),),), silent=("other-board",)
    ),
    "update_isEnhanced_not_boolean": _update("invalid_payload", 3),
    "update_disableAutoClose_null": _update("invalid_payload", 3),
    "update_null_title": _update("invalid_payload", 3),
    "update_invalid_ticketType": _update("invalid_payload", 4),
    "update_unknown_card": _update("card_not_found", 3),
    "update_missing_cardId": _update("invalid_payload", 3),
    "delete_twice": Instead((3,), ((Layout("Backlog=ACD"),), (Refused("card_not_found", "delete_card"),))),
    "delete_unknown": _refused(3, code="card_not_found", command="delete_card"),
    "delete_missing_cardId": _refused(3, code="invalid_payload", command="delete_card"),
    "delete_card_of_another_board": Instead(
        (2, 3), ((Refused("card_not_found", "delete_card"),),), silent=("other-board",)
    ),
}

_WS_MOVES: Mapping[str, Instead] = {
    "move_within_column_A_to_0": _UNCHANGED,
    "move_within_column_A_to_1": _moved("Backlog=BACD"),
    "move_within_column_A_to_2": _moved("Backlog=BCAD"),
    "move_within_column_A_to_3": _moved("Backlog=BCDA"),
    "move_within_column_B_to_0": _moved("Backlog=BACD"),
    "move_within_column_B_to_1": _UNCHANGED,
    "move_within_column_B_to_2": _moved("Backlog=ACBD"),
    "move_within_column_C_to_0": _moved("Backlog=CABD"),
    "move_within_column_C_to_1": _moved("Backlog=ACBD"),
    "move_within_column_C_to_2": _UNCHANGED,
    "move_within_column_C_to_3": _moved("Backlog=ABDC"),
    "move_within_column_D_to_0": _moved("Backlog=DABC"),
    "move_within_column_D_to_2": _moved("Backlog=ABDC"),
    "move_within_column_D_to_3": _UNCHANGED,
    "move_across_newer_card_to_index_0": _moved("Backlog=BC Review=AXYZ"),
    "move_across_newer_card_to_index_1": _moved("Backlog=BC Review=XAYZ"),
    "move_across_index_minus_1": _move("invalid_payload", 1),
    "move_out_of_done": _move("card_is_done", 3),
    "move_blocked_within_in_progress": _move("card_blocked", 3),
    "move_unknown_column": _move("column_not_found", 3),
    "move_null_index": _move("invalid_payload", 3, 4),
    "move_string_index": _move("invalid_payload", 4),
    "move_fraction_index": _move("invalid_payload", 1, 4),
    "move_text_index": _move("invalid_payload", 3, 4),
}

_WS_FRAMES: Mapping[str, Instead] = {
    "odd_unknown_type": _odd("unknown_command", "subscribe"),
    "odd_no_type": _odd("invalid_payload"),
    "odd_json_null": _odd("invalid_payload"),
    "odd_json_string": _odd("invalid_payload"),
    "odd_json_array": _odd("invalid_payload"),
    "odd_malformed_json": _odd("invalid_json"),
    "odd_empty_text": _odd("invalid_json"),
    "odd_type_wrong_case": _odd("unknown_command", "PING"),
    "odd_type_not_string": _odd("invalid_payload"),
    "odd_create_card_missing_payload": _odd("invalid_payload", "create_card"),
    "odd_create_card_null_payload": _odd("invalid_payload", "create_card"),
    "odd_update_card_missing_payload": _odd("invalid_payload", "update_card"),
    "odd_move_card_missing_payload": _odd("invalid_payload", "move_card"),
    "odd_delete_card_missing_payload": _odd("invalid_payload", "delete_card"),
    "odd_bom": _odd("invalid_json"),
    "binary_empty": _odd("invalid_json"),
    "text_unmasked": Instead((20,), ((Ended(1002),),)),
    "frame_of_16_MiB": Instead((20,), ((Ended(1009),),)),
    "frame_over_16_MiB": Instead((20,), ((Ended(1009),),)),
}

#: Scenarios of `ws-transcripts` by name.
WS: Mapping[str, Instead] = {
    **_WS_COMMANDS,
    **_WS_MOVES,
    **_WS_FRAMES,
    "missing_key": Instead((19,), status=400),
    "project_deleted_while_connected": Instead((8,), silent=("A",)),
    "attempt_success": Instead((7,)),
    "attempt_stopped_by_user": Instead((5, 7)),
    "slow_consumer_counts": Instead((9,)),
}

#: Scenarios of `sse-transcripts` by name.
SSE: Mapping[str, Instead] = {
    "connect_empty_boardId": Instead((10,), status=400),
    "connect_empty_boardId_valid_projectId": Instead((10,), status=400),
    "last_event_id_ignored": Instead((23,)),
    "post_request": Instead((19,), status=405),
    "options_preflight": Instead((18,)),
    "rest_move_out_of_done": Instead((15, 21), ((),), status=409),
    "rest_move_within_column_down": Instead((1,), ((Layout("Backlog=BCAD"),),)),
    "rest_move_within_column_up": Instead((1,), ((Layout("Backlog=DABC"),),)),
    "attempt_success": Instead((7,)),
    "attempt_fails": Instead((5, 7)),
    "attempt_crashes": Instead((5, 7)),
    "attempt_stopped_by_user": Instead((5, 7)),
    "heartbeat_dashboard": Instead((12,)),
    "slow_consumer_counts": Instead((9,)),
}


def departure_numbers() -> set[int]:
    """Return the rows of docs/departures.md that a scenario here shows."""
    return {number for table in (WS, SSE) for instead in table.values() for number in instead.numbers}


@dataclass(frozen=True)
class EventInstead:
    """The departure of one published event, and the page that describes it."""

    reason: str
    #: The ingest refuses it with 422, and no subscriber gets anything.
    is_refused: bool = False


_NO_SUCH_BOARD = "docs/ingest.md: an unknown board is refused; a board named like a channel is no channel"

#: Entries of `ws-events` and `sse-events` by event and variant.
EVENTS: Mapping[tuple[str, str | None], EventInstead] = {
    ("some.unknown.event", "name not in the map"): EventInstead(
        "docs/ingest.md: an unknown name is refused", is_refused=True
    ),
    ("attempt.log.appended", "unknown boardId"): EventInstead(_NO_SUCH_BOARD, is_refused=True),
    ("attempt.log.appended", 'boardId "dashboard" (channel name quirk)'): EventInstead(_NO_SUCH_BOARD, is_refused=True),
    ("attempt.log.appended", 'boardId "*" (channel name quirk)'): EventInstead(_NO_SUCH_BOARD, is_refused=True),
    ("board.state.changed", "state object is passed through unchanged; reason is dropped"): EventInstead(
        "docs/ingest.md: unknown card keys are dropped, missing flags are false, a missing ticket type is null"
    ),
    ("project.deleted", "published alone (the row stays)"): EventInstead(
        "row 8: subscribers of a deleted board get a goodbye (test_lifecycle.py)"
    ),
}


@dataclass(frozen=True)
class CallInstead:
    """The departure of a REST call: rows of docs/departures.md, the status, and the detail if a page names one."""

    numbers: tuple[int, ...]
    status: int


#: Calls of `http-api` by name.
HTTP: Mapping[str, CallInstead] = {
    "method not allowed": CallInstead((19,), 405),
    "project create blank name": CallInstead((21,), 400),
    "project rename blank": CallInstead((21,), 400),
    "card create unknown dependency": CallInstead((21,), 400),
    "card create dependency on another board": CallInstead((21,), 400),
    "card update self dependency": CallInstead((21,), 400),
    "card update null description": CallInstead((15,), 200),
    "card move out of done": CallInstead((15, 21), 409),
}
