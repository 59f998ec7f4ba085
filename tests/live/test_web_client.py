"""The original's web client, and its first calls (docs/rest.md, "Calls of the web client")."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer, live_server
from tests.kit.raw_http import Address, Answer, exchange

_PROJECT_PATHS = {
    "settings": "settings",
    "enhancements": "enhancements",
    "tickets/next-key": "preview",
    "github/origin": "originUrl",
    "git/branches": "branches",
    "terminals/eligible": "eligible",
}
_PLAIN_PATHS = ("onboarding/status", "settings", "auth/github/check", "auth/github/app", "agents/profiles")
_PREFIXES = ("/api/v1", "/api")


async def _get(address: Address, target: str, *, status: int = 200) -> Any:
    answer = await exchange(address, "GET", target)
    assert answer.status == status, (target, answer)
    return answer.json()


async def _project(address: Address, name: str = "Alpha Board", **more: str) -> str:
    body = orjson.dumps({"name": name, "repositoryPath": "/r/alpha", **more})
    created: Any = (await exchange(address, "POST", "/api/v1/projects", body)).json()
    id: str = created["id"]
    return id


async def _card(address: Address, project: str) -> tuple[str, str]:
    """Make a card; return its id and ticket key."""
    state: Any = await _get(address, f"/api/v1/boards/{project}")
    body = orjson.dumps({"title": "t", "columnId": state["state"]["columnOrder"][0]})
    made: Any = (await exchange(address, "POST", f"/api/v1/boards/{project}/cards", body)).json()
    return made["cardId"], made["state"]["cards"][made["cardId"]]["ticketKey"]


@pytest.fixture
async def live() -> AsyncIterator[LiveServer]:
    async with live_server() as server, deadline(20):
        yield server


@pytest.fixture
def client_folder(tmp_path: Path) -> Path:
    """Return a folder as Vite builds it, with a private file next to it."""
    (tmp_path / "secret.txt").write_text("secret")
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>the client</title>")
    (folder / "assets" / "index-1a2b.js").write_text("export {}")
    (folder / "assets" / "index-1a2b.css").write_text("body {}")
    (folder / "assets" / "font.woff2").write_bytes(b"wOF2")
    (folder / "vite.svg").write_text("<svg/>")
    (folder / "site.webmanifest").write_text("{}")
    (folder / ".env").write_text("secret")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "up").symlink_to(tmp_path)
    return folder


@pytest.mark.parametrize("prefix", _PREFIXES)
async def test_plain_answers_are_what_the_client_expects(prefix: str, live: LiveServer) -> None:
    profile = {"kind": "created", "profileId": "ap-1", "agent": "CODEX", "label": "Careful"}
    event = orjson.dumps({"name": "agent.profile.changed", "payload": profile})
    assert (await exchange(live.address, "POST", "/api/v1/events", event)).status == 202
    said = {path: await _get(live.address, f"{prefix}/{path}") for path in _PLAIN_PATHS}
    status = {"status": "completed", "lastStep": None, "startedAt": None, "completedAt": None}
    assert said["onboarding/status"] == {"status": status}
    assert said["auth/github/check"] == {"status": "invalid"}
    app = {"clientId": None, "hasClientSecret": False, "updatedAt": None, "source": "unset"}
    assert said["auth/github/app"] == app
    expected = {"id": "ap-1", "projectId": "global", "agent": "CODEX", "name": "Careful", "configJson": "{}"}
    assert said["agents/profiles"] == {"profiles": [expected]}
    assert said["settings"]["settings"]["branchTemplate"] == "{prefix}/{ticketKey}-{slug}"
    assert said["settings"] == await _get(live.address, f"{prefix}/settings")


@pytest.mark.parametrize("prefix", _PREFIXES)
async def test_answers_about_a_project_are_true(prefix: str, live: LiveServer) -> None:
    project = await _project(live.address, repositoryUrl="https://github.com/octo/cat.git")
    await _card(live.address, project)
    at = f"{prefix}/projects/{project}"
    assert await _get(live.address, f"{at}/enhancements") == {"enhancements": {}}
    assert await _get(live.address, f"{at}/git/branches") == {"branches": []}
    assert await _get(live.address, f"{at}/terminals/eligible") == {"eligible": []}
    origin = {"originUrl": "https://github.com/octo/cat.git", "owner": "octo", "repo": "cat"}
    assert await _get(live.address, f"{at}/github/origin") == origin
    assert await _get(live.address, f"{at}/tickets/next-key") == {
        "preview": {"key": "AB-2", "prefix": "AB", "number": 2}
    }
    settings = (await _get(live.address, f"{at}/settings"))["settings"]
    known: Any = await _get(live.address, at)
    assert (settings["projectId"], settings["boardId"], settings["createdAt"]) == (project, project, known["createdAt"])
    assert (settings["ticketPrefix"], settings["nextTicketNumber"]) == ("AB", 2)
    card, key = await _card(live.address, project)
    assert key == "AB-2"
    assert await _get(live.address, f"{prefix}/boards/{project}/cards/{card}/images") == {"images": []}


@pytest.mark.parametrize(
    ("url", "owner", "repo"),
    [
        ("https://github.com/octo/cat", "octo", "cat"),
        ("https://user@github.com:443/octo/cat.git", "octo", "cat"),
        ("ssh://git@github.com/octo/cat.git", "octo", "cat"),
        ("https://gitlab.com/octo/cat", None, None),
        ("https://github.com/octo", None, None),
        ("https://github.com/octo/cat/tree/main", None, None),
        ("https://notgithub.com/octo/cat", None, None),
    ],
)
async def test_origin_names_owner_and_repository_at_github_only(
    url: str, owner: str | None, repo: str | None, live: LiveServer
) -> None:
    project = await _project(live.address, repositoryUrl=url)
    said = await _get(live.address, f"/api/v1/projects/{project}/github/origin")
    assert said == {"originUrl": url, "owner": owner, "repo": repo}


async def test_address_of_a_repository_that_is_none_names_nobody(live: LiveServer) -> None:
    payload = {"projectId": "p", "name": "P", "repositoryPath": "/srv/p", "repositoryUrl": "https://["}
    event = orjson.dumps({"name": "project.created", "payload": payload})
    assert (await exchange(live.address, "POST", "/api/v1/events", event)).status == 202
    said = await _get(live.address, "/api/v1/projects/p/github/origin")
    assert said == {"originUrl": "https://[", "owner": None, "repo": None}
    assert (await _get(live.address, "/api/v1/projects/p"))["repositorySlug"] == "p"


@pytest.mark.parametrize("prefix", _PREFIXES)
async def test_missing_object_is_a_404_problem(prefix: str, live: LiveServer) -> None:
    project = await _project(live.address)
    other = await _project(live.address)
    card, _ = await _card(live.address, other)
    for path in _PROJECT_PATHS:
        said = await _get(live.address, f"{prefix}/projects/nope/{path}", status=404)
        assert said["detail"] == "Project not found"
    said = await _get(live.address, f"{prefix}/boards/nope/cards/{card}/images", status=404)
    assert said["detail"] == "Board not found"
    for absent in ("nope", card):
        said = await _get(live.address, f"{prefix}/boards/{project}/cards/{absent}/images", status=404)
        assert said["detail"] == "Card not found"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_writing_is_a_404_problem_that_says_so(method: str, live: LiveServer) -> None:
    project = await _project(live.address)
    card, _ = await _card(live.address, project)
    paths = [*_PLAIN_PATHS, *(f"projects/{project}/{path}" for path in _PROJECT_PATHS)]
    for path in [*paths, f"boards/{project}/cards/{card}/images", "projects/nope/settings"]:
        for prefix in _PREFIXES:
            answer = await exchange(live.address, method, f"{prefix}/{path}", b'{"theme":"dark"}')
            said: Any = answer.json()
            assert (answer.status, answer.header("Content-Type")) == (404, "application/problem+json")
            assert "changes nothing" in said["detail"]


async def test_head_answers_without_a_body(live: LiveServer) -> None:
    project = await _project(live.address)
    for path in [*_PLAIN_PATHS, *(f"projects/{project}/{path}" for path in _PROJECT_PATHS)]:
        head = await exchange(live.address, "HEAD", f"/api/v1/{path}")
        whole = await exchange(live.address, "GET", f"/api/v1/{path}")
        assert (head.status, head.body) == (200, b"")
        assert head.header("Content-Length") == whole.header("Content-Length")


async def _client(address: Address, target: str, accept: str = "*/*", method: str = "GET") -> Answer:
    return await exchange(address, method, target, headers=[("Accept", accept)])


async def test_client_is_served_at_the_root_and_own_page_under_boardcast(client_folder: Path) -> None:
    async with live_server(web_client=client_folder) as live, deadline(20):
        for target in ("/", "/index.html", "/projects/p1", "/projects/p1?cardId=c", "/settings/", "/a.b/c"):
            answer = await _client(live.address, target, "text/html,*/*;q=0.8")
            assert (answer.status, answer.header("Content-Type")) == (200, "text/html; charset=utf-8"), target
            assert b"the client" in answer.body
            assert answer.header("Cache-Control") == "no-cache"
            assert "frame-ancestors 'none'" in (answer.header("Content-Security-Policy") or "")
            head = await _client(live.address, target, "text/html", "HEAD")
            assert (head.status, head.body, head.header("Content-Length")) == (200, b"", str(len(answer.body)))
        assert b"the client" in (await _client(live.address, "/projects/p1")).body
        for target in ("/boardcast", "/boardcast/dashboard", "/boardcast/inspector"):
            own = await _client(live.address, target, "text/html")
            assert (own.status, b"/static/index.js" in own.body) == (200, True)
        assert (await _client(live.address, "/static/index.js")).status == 200
        assert (await _client(live.address, "/graphql", "text/html")).status == 200
        assert (await _client(live.address, "/metrics")).status == 200
        assert (await _client(live.address, "/api/v1/readyz")).body == b'{"ok":true}'


async def test_assets_have_their_types_and_may_be_kept(client_folder: Path) -> None:
    types = {
        "/assets/index-1a2b.js": ("text/javascript; charset=utf-8", "public, max-age=31536000, immutable"),
        "/assets/index-1a2b.css": ("text/css; charset=utf-8", "public, max-age=31536000, immutable"),
        "/assets/font.woff2": ("font/woff2", "public, max-age=31536000, immutable"),
        "/vite.svg": ("image/svg+xml", "no-cache"),
        "/site.webmanifest": ("application/manifest+json", "no-cache"),
    }
    async with live_server(web_client=client_folder) as live, deadline(20):
        for target, (media_type, cache) in types.items():
            answer = await _client(live.address, target)
            assert (answer.status, answer.header("Content-Type")) == (200, media_type), target
            assert answer.header("Cache-Control") == cache
            known = [("If-None-Match", answer.header("ETag") or "")]
            assert (await exchange(live.address, "GET", target, headers=known)).status == 304
        assert (await _client(live.address, "/assets/index-gone.js")).status == 404
        assert (await _client(live.address, "/gone.png")).status == 404


@pytest.mark.parametrize(
    "target",
    [
        *("/api/nope", "/api/v1/nope", "/api", "/graphql/nope", "/metrics/x", "/static/nope.js", "/static/"),
        *("/boardcast/x", "/.env", "/%2eenv", "/up/secret.txt/.x", "/.git/config", "/%2e%2e/secret.txt"),
    ],
)
async def test_addresses_of_the_server_and_hidden_files_are_no_page(target: str, client_folder: Path) -> None:
    async with live_server(web_client=client_folder) as live, deadline(20):
        answer = await _client(live.address, target, "text/html")
        assert (answer.status, answer.header("Content-Type")) == (404, "application/problem+json")


@pytest.mark.parametrize(
    "target",
    [
        *("/../secret.txt", "/..%2fsecret.txt", "/%2e%2e%2fsecret.txt", "/assets/../../secret.txt"),
        *(
            "/assets/%2e%2e/%2e%2e/secret.txt",
            "/link.txt",
            "/up/secret.txt",
            "/..%5csecret.txt",
            "/%00",
            "//secret.txt",
        ),
        *("/assets%2f..%2f..%2fsecret.txt", "/%252e%252e/secret.txt", "/" + "a" * 5000),
    ],
)
async def test_nothing_outside_of_the_folder_is_served(target: str, client_folder: Path) -> None:
    async with live_server(web_client=client_folder) as live, deadline(20):
        for accept in ("text/html", "*/*"):
            answer = await _client(live.address, target, accept)
            assert answer.status in {200, 400, 404}, answer
            assert b"secret" not in answer.body


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_client_is_read_only(method: str, client_folder: Path) -> None:
    async with live_server(web_client=client_folder) as live, deadline(20):
        for target in ("/", "/projects/p1", "/vite.svg"):
            answer = await exchange(live.address, method, target)
            assert (answer.status, answer.header("Content-Type")) == (405, "application/problem+json")
            assert answer.header("Allow") == "GET, HEAD"


async def test_client_is_there_without_a_token_and_the_api_is_not(client_folder: Path) -> None:
    async with live_server(web_client=client_folder, tokens="a-secret-of-16-chars") as live, deadline(20):
        for target in ("/", "/projects/p1", "/assets/index-1a2b.js", "/boardcast"):
            assert (await _client(live.address, target, "text/html")).status == 200
        for target in ("/api/v1/projects", "/api/v1/settings", "/metrics", "/graphql?query={__typename}", "/api/nope"):
            assert (await _client(live.address, target, "text/html")).status == 401


async def test_without_a_client_own_page_stays_where_it_was(live: LiveServer) -> None:
    assert b"/static/index.js" in (await _client(live.address, "/", "text/html")).body
    assert (await _client(live.address, "/boardcast", "text/html")).status == 404
    assert (await _client(live.address, "/projects/p1", "text/html")).status == 404
