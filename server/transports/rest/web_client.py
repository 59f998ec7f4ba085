"""Calls of the web client: what the web client of kanban-ai asks for before it shows anything.

The answers are true for this server, and nobody can change them: `POST`, `PUT`, `PATCH` and `DELETE` are answered 404.

The other modules of kanban-ai are not here: its file system, editors, terminals, enhancements, images and access to
GitHub. Their addresses answer 404.
"""

# The shapes of the answers are the types of the client (activadee/kanban-ai, `shared/src/types`). The order of keys is
# that of the recordings.

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from realtime.clock import iso
from realtime.kanban.board import Board
from realtime.kanban.ids import BoardId, CardId
from realtime.kanban.models import Project
from realtime.service.access import board_not_found
from server.problem import Problem
from server.routing import resource
from server.transports.callers import asked_by
from server.transports.rest.calls import RestCall, Work
from server.transports.rest.refusals import BOARD_NOT_FOUND, CARD_NOT_FOUND, PROJECT_NOT_FOUND, Refusal, refusals

__all__ = ["web_client_routes"]

READ_ONLY = "This server only answers what the web client reads here; it changes nothing of it"
GITHUB = "github.com"
#: The original's defaults for modules that this server does not have, at the revision of the recordings.
APP_SETTINGS = {
    "id": "singleton",
    "theme": "system",
    "language": "browser",
    "telemetryEnabled": False,
    "notificationsAgentCompletionSound": False,
    "notificationsDesktop": False,
    "autoStartAgentOnInProgress": False,
    "editorType": "VS_CODE",
    "editorCommand": None,
    "gitUserName": None,
    "gitUserEmail": None,
    "branchTemplate": "{prefix}/{ticketKey}-{slug}",
    "ghPrTitleTemplate": None,
    "ghPrBodyTemplate": None,
    "ghAutolinkTickets": True,
    "opencodePort": 4097,
    "streamdownAssistantEnabled": True,
    "streamdownUserEnabled": True,
    "streamdownSystemEnabled": True,
    "streamdownThinkingEnabled": True,
}
_SCRIPTS: dict[str, Any] = {
    "baseBranch": "main",
    "preferredRemote": None,
    "setupScript": None,
    "devScript": None,
    "cleanupScript": None,
    "copyFiles": None,
    "allowScriptsToFail": False,
    "allowCopyFilesToFail": False,
    "allowSetupScriptToFail": False,
    "allowDevScriptToFail": False,
    "allowCleanupScriptToFail": False,
    "defaultAgent": None,
    "defaultProfileId": None,
    "inlineAgent": None,
    "inlineProfileId": None,
    "inlineAgentProfileMapping": {},
    "autoCommitOnFinish": False,
    "autoPushOnAutocommit": False,
}
_GITHUB_SYNC = {
    "githubIssueSyncEnabled": False,
    "githubIssueSyncState": "open",
    "githubIssueSyncIntervalMinutes": 15,
    "githubIssueAutoCreateEnabled": False,
    "autoCloseTicketOnPRMerge": False,
    "autoCloseTicketOnIssueClose": False,
    "lastGithubPrAutoCloseAt": None,
    "lastGithubPrAutoCloseStatus": "idle",
    "lastGithubIssueAutoCloseAt": None,
    "lastGithubIssueAutoCloseStatus": "idle",
    "lastGithubIssueSyncAt": None,
    "lastGithubIssueSyncStatus": "idle",
}


def web_client_routes() -> list[BaseRoute]:
    """Return the routes."""
    return [
        _read_only("/onboarding/status", onboarding_status),
        _read_only("/settings", app_settings),
        _read_only("/auth/github/check", github_check),
        _read_only("/auth/github/app", github_app),
        _read_only("/agents/profiles", agent_profiles),
        _read_only("/projects/{id}/settings", project_settings, PROJECT_NOT_FOUND),
        _read_only("/projects/{id}/enhancements", enhancements, PROJECT_NOT_FOUND),
        _read_only("/projects/{id}/tickets/next-key", next_ticket_key, PROJECT_NOT_FOUND),
        _read_only("/projects/{id}/github/origin", github_origin, PROJECT_NOT_FOUND),
        _read_only("/projects/{id}/git/branches", branches, PROJECT_NOT_FOUND),
        _read_only("/projects/{id}/terminals/eligible", terminals, PROJECT_NOT_FOUND),
        _read_only("/boards/{id}/cards/{card}/images", card_images, BOARD_NOT_FOUND, CARD_NOT_FOUND),
    ]


def _read_only(path: str, found: Work, *refusals: Refusal) -> BaseRoute:
    return resource(
        path, get=RestCall(found, refusals=refusals), post=_refuse, put=_refuse, patch=_refuse, delete=_refuse
    )


async def _refuse(request: Request) -> Response:
    raise Problem(404, READ_ONLY)


async def onboarding_status(request: Request) -> dict[str, Any]:
    """Answer `{"status"}`: the set-up is completed."""
    return {"status": {"status": "completed", "lastStep": None, "startedAt": None, "completedAt": None}}


async def app_settings(request: Request) -> dict[str, Any]:
    """Answer `{"settings"}`: the defaults of kanban-ai, with the time when the server started."""
    started = iso(request.app.state.started_at)
    return {"settings": {**APP_SETTINGS, "createdAt": started, "updatedAt": started}}


async def github_check(request: Request) -> dict[str, Any]:
    """Answer `{"status": "invalid"}`: no account of GitHub is connected."""
    return {"status": "invalid"}


async def github_app(request: Request) -> dict[str, Any]:
    """Answer that no application of GitHub is registered."""
    return {"clientId": None, "hasClientSecret": False, "updatedAt": None, "source": "unset"}


async def agent_profiles(request: Request) -> dict[str, Any]:
    """Answer `{"profiles"}`: those that events have named. Their configuration stays with the runners."""
    service, caller = asked_by(request)
    _, profiles = await service.dashboard.agents(caller)
    return {
        "profiles": [
            {
                "id": one.id,
                "projectId": "global",
                "agent": one.agent,
                "name": one.label or one.id,
                "configJson": "{}",
            }
            for one in profiles
        ]
    }


async def project_settings(request: Request) -> dict[str, Any]:
    """Answer `{"settings"}`: prefix and next number of the tickets, else the defaults of kanban-ai."""
    board = await _board(request)
    project = board.project
    created = iso(project.created_at)
    return {
        "settings": {
            "projectId": project.id,
            "boardId": project.id,
            **_SCRIPTS,
            "ticketPrefix": project.ticket_prefix,
            "nextTicketNumber": board.next_ticket_number,
            **_GITHUB_SYNC,
            "createdAt": created,
            "updatedAt": created,
        }
    }


async def next_ticket_key(request: Request) -> dict[str, Any]:
    """Answer `{"preview"}`: `key`, `prefix` and `number` of the next card, unless another client makes one first."""
    board = await _board(request)
    prefix, number = board.project.ticket_prefix, board.next_ticket_number
    return {"preview": {"key": f"{prefix}-{number}", "prefix": prefix, "number": number}}


async def github_origin(request: Request) -> dict[str, Any]:
    """Answer `originUrl` of the repository or null, and its `owner` and `repo` if it is at GitHub, else null."""
    project = await _project(request)
    owner, name = _github_names(project.repository_url)
    return {"originUrl": project.repository_url, "owner": owner, "repo": name}


async def card_images(request: Request) -> dict[str, Any]:
    """Answer `{"images": []}`: cards of this server have no images."""
    service, caller = asked_by(request)
    board_id, card_id = BoardId(request.path_params["id"]), CardId(request.path_params["card"])
    if await service.projects.find(caller, board_id) is None:
        raise Problem(*BOARD_NOT_FOUND) from board_not_found()
    if board_id not in await service.boards.boards_of_card(caller, card_id):
        raise Problem(*CARD_NOT_FOUND)
    return {"images": []}


async def enhancements(request: Request) -> dict[str, Any]:
    """Answer `{"enhancements": {}}`: this server enhances no cards."""
    await _project(request)
    return {"enhancements": {}}


async def branches(request: Request) -> dict[str, Any]:
    """Answer `{"branches": []}`: this server reads no repositories."""
    await _project(request)
    return {"branches": []}


async def terminals(request: Request) -> dict[str, Any]:
    """Answer `{"eligible": []}`: this server opens no terminals."""
    await _project(request)
    return {"eligible": []}


async def _project(request: Request) -> Project:
    service, caller = asked_by(request)
    with refusals():
        return await service.projects.get(caller, BoardId(request.path_params["id"]))


async def _board(request: Request) -> Board:
    service, caller = asked_by(request)
    found = await service.boards.current(caller, BoardId(request.path_params["id"]))
    if found is None:
        raise Problem(*PROJECT_NOT_FOUND) from board_not_found()
    return found.board


def _github_names(url: str | None) -> tuple[str | None, str | None]:
    """Return owner and name of a repository at GitHub: both `https://github.com/o/r.git` and `git@github.com:o/r`."""
    host, _, path = _place_of(url or "").partition("/")
    names = path.strip("/").removesuffix(".git").split("/")
    return (names[0], names[1]) if host == GITHUB and len(names) == 2 and all(names) else (None, None)


def _place_of(url: str) -> str:
    if "://" in url:
        try:
            parts = urlsplit(url)
        except ValueError:  # an ingested event may contain any text
            return ""
        return f"{parts.hostname}{parts.path}"
    return url.rpartition("@")[2].replace(":", "/", 1)
