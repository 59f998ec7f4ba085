"""Fingerprints of requests: equal for equal requests, at whatever entry they come (docs/protocol.md, "Repeating").

The store keeps fingerprints for as long as the log. So classes and fields keep their names, and a new field gets a
default value, which is left out here.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import orjson
from pydantic import BaseModel

from realtime.clock import iso
from realtime.kanban.commands import UpdateCard
from realtime.kanban.ids import BoardId
from realtime.kanban.incoming import Incoming
from realtime.kanban.projects import UpdateProject

__all__ = ["command_fingerprint", "event_fingerprint"]

#: Commands in which a field that is not given differs from a field with its default value.
_SPARSE = (UpdateCard, UpdateProject)


def command_fingerprint(board_id: BoardId | None, *commands: BaseModel) -> bytes:
    """Return the fingerprint of commands on a board, without the ids that the server has chosen."""
    return _digest([board_id, *([type(command).__name__, _fields(command)] for command in commands)])


def event_fingerprint(incoming: Incoming) -> bytes:
    """Return the fingerprint of an event from outside; an event without a time of its own differs from one with any."""
    at = iso(incoming.at) if incoming.at else None
    return _digest([incoming.event.type, at, orjson.loads(incoming.event.payload_json())])


def _fields(command: BaseModel) -> dict[str, Any]:
    chosen = {name for name, field in type(command).model_fields.items() if field.init is False}
    ours = chosen - command.model_fields_set
    if isinstance(command, _SPARSE):
        return command.model_dump(mode="json", exclude=ours, exclude_unset=True)
    return command.model_dump(mode="json", exclude=ours, exclude_defaults=True)


def _digest(request: list[Any]) -> bytes:
    return sha256(orjson.dumps(request, option=orjson.OPT_SORT_KEYS)).digest()
