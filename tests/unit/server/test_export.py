"""The page of the REST calls is made of routes, docstrings and types, and outdated ones are found."""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path
from typing import TypedDict

import pytest
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.routing import BaseRoute

from server.export import PAGE_PATH, check, export, page
from server.routing import Resource, SegmentRoute, resource
from server.transports.descriptions import calls
from server.transports.descriptions.calls import Entry, entries
from server.transports.rest import refusals, rest_routes
from server.transports.rest.calls import rest_call
from server.transports.rest.pages import PAGE
from server.transports.rest.refusals import CARD_NOT_FOUND, Refusal
from tests.kit.page_check import check_copy
from tests.rules.pages import read_page, table_rows

_SECTIONS = (
    *(
        "Projects",
        "Boards and cards",
        "Attempts",
        "Dashboard and agents",
        "Access tokens",
        "Sessions",
        "The server",
        "Calls of the web client",
    ),
)


class Bake(BaseModel):
    """Bake a cake."""

    degrees: int = Field(description="The heat.")
    sugar: bool = Field(default=True, description="Whether it is sweet.")


class CakeJson(TypedDict):
    """A cake."""

    taste: str | None


@rest_call(status=201, body=(Bake,), query=PAGE, refusals=(CARD_NOT_FOUND, Refusal(400, "Too hot")))
async def bake(request: Request) -> CakeJson:
    """Bake a cake.

    It takes
    an hour.
    """
    raise NotImplementedError


def test_every_call_of_the_routes_has_a_row() -> None:
    rows = [row for heading in _SECTIONS for row in table_rows(read_page("rest.md"), heading)]
    shown = {re.findall(r"`([A-Z]+ /[^`]*)`", row.split("|")[1])[0] for row in rows if "/" in row.split("|")[1]}
    # A write to an address of the web client is always refused. The page says so once for all of them.
    routes = [route for route in rest_routes() if isinstance(route, SegmentRoute)]
    refused = {route.path for route in routes if "PUT" in (route.methods or ())}
    served = {
        f"{method} {route.path}"
        for route in routes
        for method in (route.methods or set()) - {"HEAD"}
        if method == "GET" or route.path not in refused
    }
    others = {f"{one.method} {path}" for one in entries() for path in one.others}
    assert shown == served - others
    assert others <= served


def test_page_shows_what_a_new_call_takes_and_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    routes: list[BaseRoute] = [resource("/boards/{id}/cakes", post=bake), resource("/b/{id}/cakes", post=bake)]
    monkeypatch.setattr(calls, "rest_routes", lambda: routes)
    _, _, shown = page().partition("besides these.\n\n")
    after, limit = (one.meaning for one in PAGE)
    title = str(sys.modules[__name__].__doc__)
    notes = inspect.getdoc(sys.modules["server.transports.rest.pages"]) or ""
    pages_text = " ".join(notes.split("\n\n")[1].split())
    assert shown.startswith(f"""\
## {title}

| call | what it does | body | query | answer | errors |
| --- | --- | --- | --- | --- | --- |
| `POST /boards/{{id}}/cakes` | Bake a cake. | `degrees`, `sugar`? | `after`, `limit` | 201: [Cake](#cake) | 400: \
`Too hot`; 404: `Card not found` |

- `/b/{{id}}` is another spelling of `/boards/{{id}}` here.
- `POST /boards/{{id}}/cakes`: It takes an hour.

The body of `POST /boards/{{id}}/cakes`:

| field | kind | needed | meaning |
| --- | --- | --- | --- |
| `degrees` | whole number | yes | The heat. |
| `sugar` | true or false | | Whether it is sweet. |

| parameter | meaning |
| --- | --- |
| `after` | {after} |
| `limit` | {limit} |

### Pages of a list

{pages_text}

## Parts of answers

### Cake

A cake.

| key | kind |
| --- | --- |
| `taste` | text or null |
""")


def test_route_whose_calls_are_unknown_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "rest_routes", lambda: [SegmentRoute("/cakes", bake)])
    with pytest.raises(TypeError, match="expected a resource"):
        entries()


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.title)
def test_handler_reads_what_the_page_says(entry: Entry) -> None:
    source = inspect.getsource(entry.call.work)
    assert [model.__name__ for model in entry.call.body if f"_of({model.__name__}, " not in source] == []
    assert ("json_object" in source) == bool(entry.call.body)
    assert ("page_of(" in source) == (set(PAGE) <= set(entry.call.query))


def test_every_refusal_belongs_to_a_call() -> None:
    known = {one for one in vars(refusals).values() if isinstance(one, Refusal)}
    assert known == {one for entry in entries() for one in entry.call.refusals}


def test_every_route_of_rest_is_a_resource() -> None:
    assert [route for route in rest_routes() if not isinstance(route, Resource)] == []


def test_outdated_page_is_reported_with_its_lines(tmp_path: Path) -> None:
    stale = tmp_path / "rest.md"
    export(stale)
    assert check(stale) == ""
    stale.write_text(stale.read_text(encoding="utf-8").replace("| `ok` | true or false |", "| `ok` | text |"))
    assert "\n-| `ok` | text |\n+| `ok` | true or false |" in check(stale)


@pytest.mark.parametrize(("added", "code", "begin"), [("", 0, "up to date"), ("\nnews\n", 1, "--- the file")])
def test_check_on_the_command_line_exits_by_its_finding(tmp_path: Path, added: str, code: int, begin: str) -> None:
    found, printed = check_copy("server.export", PAGE_PATH, tmp_path / "rest.md", added)
    assert (found, printed.startswith(begin)) == (code, True), printed
