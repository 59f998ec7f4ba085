"""The rows of GraphQL: each field of Query, Mutation and Subscription."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from realtime.global_ids import Kind, global_id
from tests.doors.rows import CONTENT, KNOWN, Row, needs, needs_everywhere

__all__ = ["FieldRow", "field_rows", "variables_of"]

_READ, _WRITE, _ADMIN, _PUBLISH = needs("read"), needs("write"), needs("admin"), needs("publish")
_ALL_ADMIN, _DASHBOARD = needs_everywhere("admin"), needs_everywhere("dashboard")
_FULL, _NO_BOARD, _NO_PROJECT = f"data{CONTENT}", "BoardNotFound", "ProjectNotFound"
_DECLARED = re.compile(r"\$(\w+):")


@dataclass(frozen=True, kw_only=True)
class FieldRow(Row):
    """A field of a root type; `name` is `Type.field`."""

    #: The document; its variables are some of `variables_of`.
    document: str
    forbidden: str = "FORBIDDEN"
    #: The outcome over HTTP for every valid token, if the field is for WebSockets only.
    over_http: str | None = None

    @property
    def kind(self) -> str:
        """The kind of operation."""
        return self.name.partition(".")[0].lower()

    @property
    def field(self) -> str:
        """The field."""
        return self.name.partition(".")[2]

    def variables(self, word: str, spare: str) -> dict[str, Any]:
        """Return the variables for the board whose ids end with `word`."""
        known = variables_of(word, spare)
        return {name: known[name] for name in _DECLARED.findall(self.document)}


def variables_of(word: str, spare: str = "") -> dict[str, Any]:
    """Return all variables, by name."""
    board, column, card, attempt = f"board-{word}", f"column-{word}", f"free-{word}", f"attempt-{word}"
    owner = {"boardId": board, "attemptId": attempt}
    of = {Kind.BOARD: board, Kind.PROJECT: board, Kind.COLUMN: column, Kind.CARD: card, Kind.ATTEMPT: attempt}
    events = {
        "projectEvent": {"projectSettingsUpdated": {"projectId": board}},
        "boardEvent": {"boardColumnsInitialized": {"boardId": board, "columnIds": [column]}},
        "cardEvent": {"cardDeleted": {"boardId": board, "cardId": card}},
        "attemptEvent": {"attemptLogAppended": {**owner, "level": "INFO", "message": "made"}},
        "gitEvent": {"gitStatusChanged": {"projectId": board}},
        "githubEvent": {"githubIssuesImported": {"projectId": board, "importedCount": 1}},
        "agentEvent": {"agentRegistered": {"agentKey": "CODEX", "label": "Quartz"}},
        "workspaceEvent": {"worktreeRemoved": {"projectId": board, "path": "/made"}},
    }
    return {
        **events,
        "board": board,
        "attempt": attempt,
        "attemptNode": global_id(Kind.ATTEMPT, board, attempt),
        "card": card,
        "ids": [global_id(kind, board, id) for kind, id in of.items()],
        "cardNode": global_id(Kind.CARD, board, card),
        "events": [{"name": "git.status.changed", "payload": {"projectId": board}}],
        "create": {"columnId": column, "title": "Made"},
        "update": {"cardId": card, "title": "Quartz changed"},
        "move": {"cardId": card, "toColumnId": f"done-{word}", "toIndex": 0},
        "delete": {"cardId": card},
        "queue": {"cardId": card, "agentKey": "CODEX"},
        "stop": {"attemptId": attempt},
        "stopOnBoard": {"attemptId": attempt, "boardId": board},
        "newProject": {"name": "Made", "repositoryPath": "/made", "idempotencyKey": "once"},
        "project": {"name": "Quartz changed"},
        "newToken": {"name": "made", "boards": [board], "can": ["READ"]},
        "spare": spare,
        "wrong": "wrong",
    }


def _queries() -> list[FieldRow]:
    def row(field: str, document: str, granted: str = _FULL, hidden: str = "null", **more: Any) -> FieldRow:
        name = f"Query.{field}"
        return FieldRow(name=name, document=document, granted=granted, hidden=hidden, **{"needs": _READ, **more})

    agents: Any = {"needs": _DASHBOARD, "forbidden": "data", "reason": "the list is empty without the grant"}
    return [
        row("board", "query ($board: ID!) { board(boardId: $board) { columns { cards { title } } } }"),
        row("node", "query ($cardNode: ID!) { node(id: $cardNode) { ... on Card { title } } }"),
        row("nodes", "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Card { title } } }", hidden="data"),
        row("projects", "{ projects { nodes { name } } }", hidden="data"),
        row("project", "query ($board: ID!) { project(projectId: $board) { name } }"),
        row("attempt", "query ($attempt: ID!) { attempt(attemptId: $attempt) { branchName } }"),
        row("attempt", "query ($attemptNode: ID!) { attempt(attemptId: $attemptNode) { branchName } }"),
        row(
            "attempt",
            "query ($attempt: ID!, $board: ID!) { attempt(attemptId: $attempt, boardId: $board) { branchName } }",
        ),
        row("attempts", "query ($board: ID!) { attempts(boardId: $board) { nodes { branchName } } }"),
        row("accessTokens", "{ accessTokens { name } }", needs=_ALL_ADMIN),
        row("agents", "{ agents { label } }", **agents),
        row("events", "query ($board: ID!) { events(boardId: $board) { nodes { payload } } }"),
        row(
            "dashboardOverview",
            "{ dashboardOverview { projectSnapshots { name } } }",
            needs=_DASHBOARD,
        ),
    ]


def _mutations() -> list[FieldRow]:
    def row(field: str, arguments: str, needed: Any, hidden: str = _NO_BOARD, **more: Any) -> FieldRow:
        declared = ", ".join(f"${name}: {kind}" for name, kind in re.findall(r"\$(\w+):([\w[\]!]+)", arguments))
        used = re.sub(r":[\w\[\]!]+!", "", arguments.replace("=", ": "))
        document = f"mutation ({declared}) {{ {field}({used}) {{ __typename }} }}"
        granted = field[0].upper() + field[1:] + "Payload"
        return FieldRow(
            name=f"Mutation.{field}", document=document, needs=needed, granted=granted, hidden=hidden, **more
        )

    changes: Any = {"changes": True}
    board = "boardId=$board:ID!, input="
    return [
        row("createCard", f"{board}$create:CreateCardInput!", _WRITE, **changes),
        row("updateCard", f"{board}$update:UpdateCardInput!", _WRITE, **changes),
        row("moveCard", f"{board}$move:MoveCardInput!", _WRITE, **changes),
        row("deleteCard", f"{board}$delete:DeleteCardInput!", _WRITE, **changes),
        row("queueAttempt", f"{board}$queue:QueueAttemptInput!", _WRITE, **changes),
        row("stopAttempt", "input=$stop:StopAttemptInput!", _WRITE, "AttemptNotFound", **changes),
        row("stopAttempt", "input=$stopOnBoard:StopAttemptInput!", _WRITE, **changes),
        row("createProject", "input=$newProject:CreateProjectInput!", _ALL_ADMIN, **changes),
        row(
            "updateProject", "projectId=$board:ID!, input=$project:UpdateProjectInput!", _ADMIN, _NO_PROJECT, **changes
        ),
        row("deleteProject", "projectId=$board:ID!", _ADMIN, _NO_PROJECT, **changes),
        row("createAccessToken", "input=$newToken:CreateAccessTokenInput!", _ALL_ADMIN),
        row("revokeAccessToken", "tokenId=$spare:ID!", _ALL_ADMIN, **changes),
        FieldRow(
            name="Mutation.authenticate",
            document="mutation ($wrong: String!) { authenticate(token: $wrong) { __typename } }",
            needs=KNOWN,
            granted="UNAUTHENTICATED",
            over_http="OPERATION_NOT_AVAILABLE",
            reason="a wrong token, which changes nothing",
        ),
        row("publishEvents", "events=$events:[EventInput!]!", _PUBLISH, "InvalidInput", **changes),
        *(
            FieldRow(
                name=f"Mutation.publish{family}Event",
                document=f"mutation (${family.lower()}Event: {family}EventInput!) "
                f"{{ publish{family}Event(event: ${family.lower()}Event) {{ __typename }} }}",
                needs=needs_everywhere("publish") if family == "Agent" else _PUBLISH,
                granted="PublishEventPayload",
                hidden="InvalidInput",
                changes=True,
            )
            for family in ("Project", "Board", "Card", "Attempt", "Git", "Github", "Agent", "Workspace")
        ),
    ]


def _subscriptions() -> list[FieldRow]:
    def row(field: str, document: str, granted: str, **more: Any) -> FieldRow:
        name, hidden = f"Subscription.{field}", "BOARD_NOT_FOUND"
        return FieldRow(name=name, document=document, granted=granted, hidden=hidden, **{"needs": _READ, **more})

    board = "subscription ($board: ID!)"
    both = "subscription ($board: ID!, $attempt: ID!)"
    only = "(boardId: $board, attemptId: $attempt)"
    return [
        row("boardState", f"{board} {{ boardState(boardId: $board) {{ columns {{ cards {{ title }} }} }} }}", _FULL),
        row("boardEvents", f"{board} {{ boardEvents(boardId: $board) {{ __typename }} }}", "Hello"),
        row("boardEvents", f"{both} {{ boardEvents{only} {{ __typename }} }}", "Hello"),
        row("boardChanges", f"{board} {{ boardChanges(boardId: $board) {{ __typename }} }}", "Hello"),
        row("attemptEvents", f"{both} {{ attemptEvents{only} {{ __typename }} }}", "Hello"),
        row(
            "dashboardOverview",
            "subscription { dashboardOverview { projectSnapshots { name } } }",
            _FULL,
            needs=_DASHBOARD,
        ),
        row("dashboardEvents", "subscription { dashboardEvents { __typename } }", "Hello", needs=_DASHBOARD),
    ]


def field_rows() -> list[FieldRow]:
    """Return all rows."""
    return [*_queries(), *_mutations(), *_subscriptions()]
