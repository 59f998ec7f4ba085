"""The page and the clients of the tests know each type by its name: `EventSource` is silent about the others."""

from __future__ import annotations

import re

from realtime.messages.payloads import Heartbeat, Hello, Overview, State
from schema.envelopes.change_mapping import CHANGES
from schema.envelopes.mapping import BOARD_EVENT_TYPES
from tests.clients.stream_types import STREAM_TYPES
from tests.rules.trees import REPOSITORY

_PAGE = REPOSITORY / "server" / "static" / "page"
#: Types of a board's stream over SSE, without the changes of its state, which the board itself shows.
_OF_A_BOARD = BOARD_EVENT_TYPES - {kind.type for kind in CHANGES}
#: Types without a line in the list of activities.
_SILENT = {Hello.type, State.type, Heartbeat.type}


def test_page_has_a_line_for_every_type() -> None:
    named = re.findall(r"^  (\w+): ", _constant("texts.js", "EVENT_TEXTS"), re.MULTILINE)
    assert set(named) == _OF_A_BOARD - _SILENT


def test_clients_of_the_tests_listen_for_every_type() -> None:
    assert set(STREAM_TYPES) == _OF_A_BOARD | {Overview.type}


def _constant(script: str, name: str) -> str:
    text = (_PAGE / script).read_text(encoding="utf-8")
    return text.partition(f"const {name} = ")[2].partition(";\n")[0]
