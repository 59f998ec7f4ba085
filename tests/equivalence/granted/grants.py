"""The grants of the readers, and what they allow, from docs/access.md."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["EVERYWHERE", "SHAPES", "Grants", "grants_of"]

EVERYWHERE = "*"
#: Forms of grants: the boards by number (None = all, 2 = one that does not exist), and the actions.
SHAPES: tuple[tuple[tuple[int, ...] | None, tuple[str, ...]], ...] = (
    (None, ("read", "dashboard")),
    ((0,), ("read",)),
    (None, ("read",)),
    ((2,), ("read",)),
    ((1,), ("read", "write")),
    ((0, 1), ("read",)),
    (None, ("publish",)),
    (None, ("dashboard",)),
)


@dataclass(frozen=True)
class Grants:
    """The boards by id, and the actions."""

    boards: frozenset[str]
    can: tuple[str, ...]

    def may_read(self, board_id: str) -> bool:
        """Return whether a reader sees a board."""
        return "read" in self.can and bool(self.boards & {EVERYWHERE, board_id})

    @property
    def may_see_dashboard(self) -> bool:
        """Whether a reader sees the dashboard and the agents."""
        return "dashboard" in self.can and EVERYWHERE in self.boards

    def may(self, board_id: str) -> bool:
        """Return whether a reader sees a stream: of a board, or (without an id) of the dashboard."""
        return self.may_read(board_id) if board_id else self.may_see_dashboard


def grants_of(shape: int, board_ids: list[str]) -> Grants:
    """Return the grants of a form, for these boards."""
    numbers, can = SHAPES[shape]
    known = [*board_ids, "no-such-board"]
    return Grants(frozenset([EVERYWHERE] if numbers is None else (known[n] for n in numbers)), can)
