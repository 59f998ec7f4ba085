"""Random commands on the cards of a board, valid and invalid, in the form that the raw socket accepts."""

from __future__ import annotations

from tests.equivalence.happenings import TEXTS, Figures, marked
from tests.equivalence.mapping import Json
from tests.equivalence.model import BoardModel

__all__ = ["KINDS", "TRANSPORTS", "commands_of"]

#: Kinds of commands. Those that fill a board are more frequent.
KINDS = ("create", "create", "create_dependent", "update", "update", "depend", "move", "move", "delete", "both")
TRANSPORTS = ("socket", "rest", "graphql")
_TICKET_TYPES = ("feat", "fix", "revert", None)
_INDICES = (0, 1, 2, 99, -1)
_UPDATES: tuple[Json, ...] = (
    {"title": "  another title  "},
    {"title": "ünïcödé 🚀", "description": "text"},
    {"description": None},
    {"ticketType": "docs", "isEnhanced": True},
    {"ticketType": None},
    {"disableAutoCloseOnPRMerge": True, "isEnhanced": False},
    {"title": " "},
    {"title": "x" * 501},
    {"description": ""},
)


def commands_of(kind: str, transport: str, board: BoardModel, other: BoardModel, chosen: Figures) -> list[Json]:
    """Return one command, or for REST sometimes an update and a move of one card together."""
    cards = [*board.cards, *list(other.cards)[:1], "unknown"]
    card_id, needed = cards[chosen.a % len(cards)], cards[chosen.b % len(cards)]
    columns = [*board.columns, *board.columns, "unknown"]
    move = {
        "type": "move_card",
        "cardId": card_id,
        "toColumnId": columns[chosen.c % len(columns)],
        "toIndex": _INDICES[chosen.b % len(_INDICES)],
    }
    update = {"type": "update_card", "cardId": card_id, **_of_board(_UPDATES[chosen.b], board)}
    match kind:
        case "create" | "create_dependent":
            needs = [needed, needed] if kind == "create_dependent" else []
            return [_for(transport, _creation(board, columns[chosen.a % len(columns)], needs, chosen))]
        case "update":
            return [_for(transport, update)]
        case "depend" if transport != "socket":
            return [{"type": "update_card", "cardId": card_id, "dependsOn": [needed] if chosen.c % 4 else []}]
        case "both" if transport == "rest":
            return [update, move]
        case "delete":
            return [{"type": "delete_card", "cardId": card_id}]
        case _:
            return [move]


def _of_board(fields: Json, board: BoardModel) -> Json:
    texts = {name: marked(fields[name], board.id) for name in ("title", "description") if fields.get(name)}
    return fields | texts


def _creation(board: BoardModel, column_id: str, needs: list[str], chosen: Figures) -> Json:
    made: Json = {
        "type": "create_card",
        "columnId": column_id,
        "title": (" trimmed ", "t", "")[0 if chosen.c % 5 else chosen.b % 3],
        "ticketType": _TICKET_TYPES[chosen.b % len(_TICKET_TYPES)],
        "description": TEXTS[chosen.c % len(TEXTS)] if chosen.a % 2 else None,
        "dependsOn": needs,
    }
    return _of_board(made, board)


def _for(transport: str, command: Json) -> Json:
    # The raw socket has no dependencies (docs/protocol.md, "Commands").
    return {key: value for key, value in command.items() if key != "dependsOn" or transport != "socket"}
