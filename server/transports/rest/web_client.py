"""The answers that the original's web client needs before it shows anything (docs/rest.md, "Calls of the web client").

The answers are read-only and true: this server does not enhance cards, connect to GitHub or open terminals, and says
so. Their shapes are the types of the client (activadee/kanban-ai, `shared/src/types`), with keys in the order of the
recordings.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from realtime.clock import iso
from realtime.kanban.board import Board
from realtime.kanban.ids import BoardId, CardId
from realtime.kanban.models import Project
from server.problem import Problem
from server.routing import resource
from server.transports.bodies import answer
from server.transports.callers import asked_by
from server.transports.rest.refusals import refusals

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
_Answer = Callable[[Request], Awaitable[dict[str, Any]]]


def web_client_routes() -> list[BaseRoute]:
    """Return the routes."""
    answers: dict[str, _Answer] = {
        "/onboarding/status": onboarding_status,
        "/settings": app_settings,
        "/auth/github/check": github_check,
        "/auth/github/app": github_app,
        "/agents/profiles": agent_profiles,
        "/projects/{id}/settings": project_settings,
        "/projects/{id}/enhancements": _of_project({"enhancements": {}}),
        "/projects/{id}/tickets/next-key": next_ticket_key,
        "/projects/{id}/github/origin": github_origin,
        "/projects/{id}/git/branches": _of_project({"branches": []}),
        "/projects/{id}/terminals/eligible": _of_project({"eligible": []}),
        "/boards/{id}/cards/{card}/images": card_images,
    }
    return [_read_only(path, found) for path, found in answers.items()]


def _read_only(path: str, found: _Answer) -> BaseRoute:
    async def get(request: Request) -> Response:
        return answer(await found(request))

    return resource(path, get=get, post=_refuse, put=_refuse, patch=_refuse, delete=_refuse)


async def _refuse(request: Request) -> Response:
    raise Problem(404, READ_ONLY)


async def onboarding_status(request: Request) -> dict[str, Any]:
    """Nothing needs a set-up."""
    return {"status": {"status": "completed", "lastStep": None, "startedAt": None, "completedAt": None}}


async def app_settings(request: Request) -> dict[str, Any]:
    """The fixed defaults, with the time when the server started."""
    started = iso(request.app.state.started_at)
    return {"settings": {**APP_SETTINGS, "createdAt": started, "updatedAt": started}}


async def github_check(request: Request) -> dict[str, Any]:
    """No GitHub account is connected."""
    return {"status": "invalid"}


async def github_app(request: Request) -> dict[str, Any]:
    """No GitHub application is registered."""
    return {"clientId": None, "hasClientSecret": False, "updatedAt": None, "source": "unset"}


async def agent_profiles(request: Request) -> dict[str, Any]:
    """The profiles that runners have reported, without their configuration, which stays with the runners."""
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
    """The project's ticket prefix and number, and the defaults of modules that this server does not have."""
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
    """The key of the next card, unless another client creates a card first."""
    board = await _board(request)
    prefix, number = board.project.ticket_prefix, board.next_ticket_number
    return {"preview": {"key": f"{prefix}-{number}", "prefix": prefix, "number": number}}


async def github_origin(request: Request) -> dict[str, Any]:
    """The project's repository; its owner and name too, if it is on GitHub."""
    project = await _project(request)
    owner, name = _github_names(project.repository_url)
    return {"originUrl": project.repository_url, "owner": owner, "repo": name}


async def card_images(request: Request) -> dict[str, Any]:
    """No images: cards of this server have none."""
    service, caller = asked_by(request)
    board_id, card_id = BoardId(request.path_params["id"]), CardId(request.path_params["card"])
    if await service.projects.find(caller, board_id) is None:
        raise Problem(404, "Board not found")
    if board_id not in await service.boards.boards_of_card(caller, card_id):
        raise Problem(404, "Card not found")
    return {"images": []}


def _of_project(nothing: dict[str, Any]) -> _Answer:
    """Answer `nothing` for each existing project."""

    async def found(request: Request) -> dict[str, Any]:
        await _project(request)
        return nothing

    return found


async def _project(request: Request) -> Project:
    service, caller = asked_by(request)
    with refusals():
        return await service.projects.get(caller, BoardId(request.path_params["id"]))


async def _board(request: Request) -> Board:
    service, caller = asked_by(request)
    found = await service.boards.current(caller, BoardId(request.path_params["id"]))
    if found is None:
        raise Problem(404, "Project not found")
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
