"""The state machine: commands and domain events in any order, with all exits compared after each.

Rules only choose. `world` executes the steps and knows the expected events.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from anyio.from_thread import BlockingPortal
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.equivalence.asking import KINDS, TRANSPORTS, commands_of
from tests.equivalence.happenings import Figures, figures, names
from tests.equivalence.world import World
from tests.kit.deadline import deadline

__all__ = ["EquivalenceMachine"]

_STEP_UNITS = 20

#: Rare steps.
_RARE = ("repeat", "nonsense", "get_state", "rename", "delete", "look")
_PROJECT_NAMES = ("Zulu", "Alpha Board", "ünïcödé")
_boards = st.integers(0, 1)
#: Transports of steps that REST and GraphQL have.
_transports = st.sampled_from(("rest", "graphql"))
_happenings = st.tuples(_boards, names(), figures())


class EquivalenceMachine(RuleBasedStateMachine):
    """A run with two boards on a running server; `portal` runs all steps on the server's event loop."""

    def __init__(self, portal: BlockingPortal, world: World) -> None:
        """Begin in a world that is not open yet."""
        super().__init__()
        self._portal = portal
        self._world = world
        self._failed = False

    @initialize()
    def open(self) -> None:
        self._do(self._world.open)

    @rule(n=_boards, transport=st.sampled_from(TRANSPORTS), kind=st.sampled_from(KINDS), chosen=figures())
    def command(self, n: int, transport: str, kind: str, chosen: Figures) -> None:
        self._command(n, transport, kind, chosen)

    @rule(n=_boards, transport=st.sampled_from(TRANSPORTS), kind=st.sampled_from(KINDS), chosen=figures())
    def another_command(self, n: int, transport: str, kind: str, chosen: Figures) -> None:
        self._command(n, transport, kind, chosen)

    @rule(happening=_happenings, transport=_transports, keyed=st.booleans())
    def event(self, happening: Any, transport: str, keyed: bool) -> None:
        self._do(self._world.ingest, happening, transport=transport, keyed=keyed)

    @rule(happening=_happenings, transport=_transports)
    def another_event(self, happening: Any, transport: str) -> None:
        self._do(self._world.ingest, happening, transport=transport)

    @rule(happenings=st.lists(_happenings, min_size=2, max_size=6), transport=_transports, keyed=st.booleans())
    def batch(self, happenings: list[Any], transport: str, keyed: bool) -> None:
        self._do(self._world.ingest, *happenings, transport=transport, keyed=keyed)

    @rule(n=_boards, transport=_transports, chosen=st.integers(0, 9), stops=st.booleans())
    def attempt(self, n: int, transport: str, chosen: int, stops: bool) -> None:
        board, other = self._world.boards[n].model, self._world.boards[1 - n].model
        known = [*board.attempts] if stops else [*board.cards, *other.cards]
        step = self._world.stop_attempt if stops else self._world.queue_attempt
        self._do(step, n, transport, [*known, "unknown"][chosen % (len(known) + 1)])

    @rule(n=_boards, chosen=st.integers(0, 9), back=st.none() | st.integers(-1, 20))
    def come_back(self, n: int, chosen: int, back: int | None) -> None:
        self._do(self._world.come_back, n, chosen, back)

    @rule(n=_boards, rare=st.sampled_from(_RARE), chosen=st.integers(0, 9), happening=_happenings)
    def rarely(self, n: int, rare: str, chosen: int, happening: Any) -> None:
        match rare:
            case "repeat":
                self._do(self._world.repeat, chosen)
            case "nonsense":
                self._do(self._world.report_nonsense, *happening)
            case "get_state":
                self._do(self._world.ask_for_state, n)
            case "rename":
                self._do(self._world.rename, n, ("rest", "graphql")[chosen % 2], _PROJECT_NAMES[chosen % 3])
            case "delete":
                self._do(self._world.delete_board, n, ("rest", "ingest", "graphql")[chosen % 3])
            case _:
                self._do(self._world.look, n)

    def teardown(self) -> None:
        """Delete both boards, unless a step has failed; close everything in any case."""
        try:
            if not self._failed and self._world.boards:
                self._do(self._world.finish)
        finally:
            self._portal.call(self._world.aclose)

    def _command(self, n: int, transport: str, kind: str, chosen: Figures) -> None:
        board, other = self._world.boards[n].model, self._world.boards[1 - n].model
        self._do(self._world.command, n, transport, *commands_of(kind, transport, board, other, chosen))

    def _do(self, step: Callable[..., Awaitable[None]], *arguments: Any, **named: Any) -> None:
        """Run a step on the server's loop, within a deadline."""

        async def run() -> None:
            async with deadline(_STEP_UNITS):
                await step(*arguments, **named)

        try:
            self._portal.call(run)
        except BaseException as error:
            self._failed = True
            # If the repeated run fails differently, Hypothesis reports the difference and hides this failure.
            print(f"{step.__name__} {arguments}: {error!r}")
            raise
