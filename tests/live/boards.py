"""Two boards for tests, and a snapshot of the store that shows whether anything changed."""

from __future__ import annotations

from dataclasses import dataclass

from realtime.kanban.ids import BoardId
from realtime.kanban.models import Project
from realtime.messages.channels import EVERYBODY
from realtime.node import Node
from realtime.ports import Agent, StoredBoard
from tests.kit.publishing import Publisher, event
from tests.kit.raw_http import Address
from tests.kit.recordings import Json

__all__ = ["BOARD", "DOING", "DONE", "OTHER", "TODO", "Everything", "board_as_events", "everything", "make_boards"]

BOARD, OTHER = "board-1", "board-2"
TODO, DOING, DONE = "col-todo", "col-doing", "col-done"
_AT = "2025-01-02T03:04:05.678Z"


def _card(id: str, number: int, **more: object) -> Json:
    times = {"createdAt": _AT, "updatedAt": _AT}
    return {"id": id, "ticketKey": f"AB-{number}", "title": f"Title of {id}", **more, **times}


def _state(prefix: str) -> Json:
    """Return a state with a free card, a card that depends on it, and a card that is done."""
    free, waiting, done = f"{prefix}free", f"{prefix}waiting", f"{prefix}done"
    columns = {
        f"{prefix}{TODO}": ("Backlog", [free, waiting]),
        f"{prefix}{DOING}": ("In Progress", []),
        f"{prefix}{DONE}": ("Done", [done]),
    }
    return {
        "columns": {id: {"id": id, "title": title, "cardIds": ids} for id, (title, ids) in columns.items()},
        "columnOrder": list(columns),
        "cards": {
            free: _card(free, 1, description="to be cleared"),
            waiting: _card(waiting, 2, dependsOn=[free]),
            done: _card(done, 3),
        },
    }


def board_as_events(id: str, name: str, prefix: str) -> list[Json]:
    """Return the events that make a board with three cards, whose ids begin with `prefix`."""
    project = {"projectId": id, "name": name, "repositoryPath": f"/repositories/{id}"}
    state = {"boardId": id, "state": _state(prefix)}
    return [event("project.created", project, _AT), event("board.state.changed", state, _AT)]


async def make_boards(address: Address) -> None:
    """Make `BOARD` with the cards `free`, `waiting`, `done`, and `OTHER`, where every id begins with `other-`."""
    one, other = board_as_events(BOARD, "Alpha Board", ""), board_as_events(OTHER, "Beta Board", "other-")
    await Publisher(address).publish(*one, *other)


@dataclass(frozen=True)
class Everything:
    """The content of the store: rows, and the length of each channel's log."""

    boards: dict[BoardId, StoredBoard]
    projects: list[Project]
    agents: list[Agent]
    global_offset: int


async def everything(node: Node) -> Everything:
    """Read the whole store. Two results are equal if nothing happened in between."""
    projects = await node.store.projects()
    found = {project.id: await node.store.board(project.id) for project in projects}
    boards = {id: board for id, board in found.items() if board is not None}
    agents, _ = await node.store.agents()
    return Everything(boards, projects, agents, await node.store.offset(EVERYBODY))
