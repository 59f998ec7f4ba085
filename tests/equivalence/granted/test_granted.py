"""Every reader gets exactly the events that its grants allow, on every exit, and no byte of another board.

Grants change while streams run: by a new token in place, and by a token that is revoked. A longer run:
`make equivalence EXAMPLES=1000`, which does a quarter as many runs here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from pydantic import SecretStr

from tests.equivalence.granted.granted_world import GrantedWorld
from tests.equivalence.granted.machine import GrantedMachine
from tests.equivalence.stage import EXAMPLES, Stage, check_machine, open_stage
from tests.kit.access_tokens import ADMIN, Admin
from tests.kit.token_relay import Line, open_lines

_PARTS = 2
_RUNS = max(1, EXAMPLES // 4 // _PARTS)
_SECONDS = 120 + 20 * _RUNS
#: One for the operator, the others for readers.
_LINES = 17
#: Six days: longer than the tokens of the readers that expire, and shorter than a session.
_WARNING_SECONDS = 6 * 24 * 3600.0


@pytest.fixture
def stage(part: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """Run a server that needs tokens, and takes as many on a connection as a client sends."""
    monkeypatch.setattr("server.access.connected_caller.MAX_TOKENS", 10**9)
    monkeypatch.setattr("realtime.lifetimes.credentials.WARNING_SECONDS", _WARNING_SECONDS)
    with open_stage(part, tokens=SecretStr(ADMIN), max_graphql_cost=10**6, max_sessions_per_client=1_000) as opened:
        yield opened


@contextmanager
def _lines(stage: Stage) -> Iterator[list[Line]]:
    with stage.portal.wrap_async_context_manager(open_lines(stage.server.address, _LINES)) as lines:
        yield lines


@pytest.mark.timeout(_SECONDS)
@pytest.mark.parametrize("part", range(_PARTS))
def test_each_reader_gets_what_its_grants_allow_and_no_foreign_byte(part: int, stage: Stage) -> None:
    admin = Admin(stage.server.address)
    with _lines(stage) as (operator, *lines):

        def machine() -> GrantedMachine:
            world = GrantedWorld(operator, lines, admin, stage.clock, uuid4().hex[:12])
            return GrantedMachine(stage.portal, world)

        check_machine(machine, _RUNS)
