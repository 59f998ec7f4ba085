"""The effect of commands on cards, in plain JSON: a refusal or a change (docs/protocol.md, "Commands")."""

from __future__ import annotations

from copy import deepcopy

from tests.equivalence.model import BoardModel, Expected, Json

__all__ = ["FIELDS", "apply", "refusal"]

#: Fields of a card that a command may set.
FIELDS = ("title", "description", "ticketType", "isEnhanced", "disableAutoCloseOnPRMerge", "dependsOn")


def refusal(board: BoardModel, *commands: Json) -> str | None:
    """Return the code of the expected refusal of all these commands, None if they are to be accepted."""
    for command in commands:
        if not _fits(command):
            return "invalid_payload"
    trial = deepcopy(board)
    for n, command in enumerate(commands):
        if code := _refusal(trial, command):
            return code
        apply(trial, command, "then", f"new-{n}")
    return None


def apply(board: BoardModel, command: Json, now: str, new_id: str) -> list[Expected]:
    """Apply an accepted command. `new_id` is the id of the card that it makes."""
    match command["type"]:
        case "create_card":
            return _create(board, command, now, new_id)
        case "update_card":
            return _update(board, command, now)
        case "move_card":
            others = [one for one in board.columns[command["toColumnId"]]["cardIds"] if one != command["cardId"]]
            index = min(command["toIndex"], len(others))
            return board.place(command["cardId"], command["toColumnId"], index, now)
        case _:
            return _delete(board, command["cardId"], now)


def _fits(command: Json) -> bool:
    title = command.get("title", "title")
    return 1 <= len(title.strip()) <= 500 and command.get("toIndex", 0) >= 0


def _refusal(board: BoardModel, command: Json) -> str | None:
    if "cardId" in command and command["cardId"] not in board.cards:
        return "card_not_found"
    column_id = command.get("columnId") or command.get("toColumnId")
    if column_id is not None and column_id not in board.columns:
        return "column_not_found"
    if command["type"] == "move_card":
        return _move_refusal(board, command["cardId"], board.columns[command["toColumnId"]])
    return _dependency_refusal(board, command.get("cardId", "new"), command.get("dependsOn", []))


def _move_refusal(board: BoardModel, card_id: str, target: Json) -> str | None:
    if board.is_done(card_id):
        return "card_is_done"
    return "card_blocked" if board.plays(target, "In Progress") and board.is_blocked(card_id) else None


def _dependency_refusal(board: BoardModel, card_id: str, depends_on: list[str]) -> str | None:
    if any(other not in board.cards and other != card_id for other in depends_on):
        return "dependency_board_mismatch"
    reached, waiting = set(), list(depends_on)
    while waiting:
        other = waiting.pop()
        if other not in reached:
            reached.add(other)
            waiting += board.cards[other].get("dependsOn", ()) if other != card_id else ()
    return "dependency_cycle" if card_id in reached else None


def _create(board: BoardModel, command: Json, now: str, new_id: str) -> list[Expected]:
    card = {
        "id": new_id,
        "ticketKey": f"{board.prefix}-{board.next_number}",
        "disableAutoCloseOnPRMerge": False,
        "ticketType": command.get("ticketType"),
        "isEnhanced": False,
        "title": command["title"].strip(),
        "createdAt": now,
        "updatedAt": now,
    }
    if command.get("description") is not None:
        card["description"] = command["description"]
    if command.get("dependsOn"):
        card["dependsOn"] = list(dict.fromkeys(command["dependsOn"]))
    board.cards[new_id] = card
    board.columns[command["columnId"]]["cardIds"].append(new_id)
    board.next_number += 1
    return [board.state_envelope()]


def _update(board: BoardModel, command: Json, now: str) -> list[Expected]:
    card = board.cards[command["cardId"]]
    given = {key: _value(key, command[key]) for key in FIELDS if key in command}
    changed = {key: value for key, value in given.items() if card.get(key) != value}
    if not changed:
        return []
    if changed.keys() - {"dependsOn"}:
        changed["updatedAt"] = now  # a change of dependencies alone does not change the time
    for key, value in changed.items():
        if value is None and key != "ticketType":
            card.pop(key, None)
        else:
            card[key] = value
    return [board.state_envelope()]


def _value(key: str, value: object) -> object:
    if key == "title" and isinstance(value, str):
        return value.strip()
    if key == "dependsOn" and isinstance(value, list):
        return list(dict.fromkeys(value)) or None  # a card without dependencies has no such key
    return value


def _delete(board: BoardModel, card_id: str, now: str) -> list[Expected]:
    for other in board.cards.values():
        if card_id in other.get("dependsOn", ()):
            other["dependsOn"] = [one for one in other["dependsOn"] if one != card_id]
            if not other["dependsOn"]:
                del other["dependsOn"]
    board.remove(card_id, now)
    return [board.state_envelope()]
