"""The page of all events is complete and deterministic, and outdated ones are found."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar, Literal

import pytest
from pydantic import Field

from realtime import export as exporting
from realtime.export import PAGE_PATH, check, export, page
from realtime.kanban.events import EVENT_MODELS
from realtime.kanban.events.base import DomainEvent, EventPart
from realtime.kanban.input.fields import AsItCame
from realtime.kanban.input.many import Many
from realtime.messages.payloads import PAYLOADS
from realtime.messages.payloads.base import Payload, key, optional_key, payload
from tests.kit.page_check import check_copy


class Oven(EventPart):
    """A part of a payload."""

    degrees: int | float = Field(description="Its heat.")


class CakeBaked(DomainEvent):
    """A cake is ready."""

    type: Literal["cake.baked"] = "cake.baked"
    ovens: Annotated[tuple[Oven, ...], Many] = Field(description="Where it was.")
    last: Annotated[dict[str, object], AsItCame(Oven)] | None = Field(default=None, description="Where it was last.")
    taste: Literal["good", "bad"] = Field(default="good", description="How it is.")


class CakeLost(DomainEvent):
    """A cake of a kind that the page does not describe."""

    type: Literal["cake.lost"] = "cake.lost"
    crumbs: bytes = Field(description="The rest of it.")


@payload
class CakeCut(Payload):
    """A cake is in pieces."""

    type: ClassVar[str] = "cake_cut"
    oven: Annotated[dict[str, object], AsItCame(Oven)] = key("Where it was.")
    cut_at: str | None = optional_key("When it was cut.")


@payload
class CakeGone(Payload):
    """Nothing is left."""

    type: ClassVar[str] = "cake_gone"


def test_page_names_each_envelope_and_each_key() -> None:
    _, _, text = page().partition("\n## Envelopes\n")
    assert [name for name in PAYLOADS if f"### `{name}`" not in text] == []
    keys = {key.name for kind in PAYLOADS.values() for key in kind.wire_keys()}
    assert {name for name in keys if f"| `{name}` |" not in text} == set()


def test_page_names_each_event_and_each_field() -> None:
    text = page()
    assert [name for name in EVENT_MODELS if f"### `{name}`" not in text] == []
    fields = {field.alias for model in EVENT_MODELS.values() for field in model.model_fields.values()} - {"type"}
    assert {name for name in fields if f"| `{name}` |" not in text} == set()


def test_page_shows_a_new_event_and_new_envelopes_with_their_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "EVENT_MODELS", {"cake.baked": CakeBaked})
    monkeypatch.setattr(exporting, "PAYLOADS", {one.type: one for one in (CakeCut, CakeGone)})
    _, _, shown = page().partition(
        "## The page of all events is complete and deterministic, and outdated ones are found\n"
    )
    table = "| field | kind | needed | meaning |\n| --- | --- | --- | --- |"
    assert (
        shown
        == f"""
### `cake.baked`

A cake is ready. It belongs to no board.

{table}
| `ovens` | list: [Oven](#oven) | yes | Where it was. |
| `last` | [Oven](#oven) or null | | Where it was last. |
| `taste` | `good`, `bad` | | How it is. |

{exporting.ENVELOPES}
### `cake_cut`

A cake is in pieces.

{table}
| `oven` | [Oven](#oven) | yes | Where it was. |
| `cutAt` | text | | When it was cut. |

### `cake_gone`

Nothing is left.

## Parts of payloads

### Oven

A part of a payload.

{table}
| `degrees` | whole number or number | yes | Its heat. |
"""
    )


def test_field_of_a_kind_without_words_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "EVENT_MODELS", {"cake.lost": CakeLost})
    with pytest.raises(TypeError, match="expected a kind of field that the page has words for, got <class 'bytes'>"):
        page()


def test_outdated_page_is_reported_with_its_lines(tmp_path: Path) -> None:
    stale = tmp_path / "events.md"
    export(stale)
    assert check(stale) == ""
    stale.write_text(stale.read_text(encoding="utf-8").replace("An agent can be used.", "Old."), encoding="utf-8")
    assert "\n-Old. It belongs to no board.\n+An agent can be used. It belongs to no board." in check(stale)


@pytest.mark.parametrize(("added", "code", "begin"), [("", 0, "up to date"), ("\nnews\n", 1, "--- the file")])
def test_check_on_the_command_line_exits_by_its_finding(tmp_path: Path, added: str, code: int, begin: str) -> None:
    found, printed = check_copy("realtime.export", PAGE_PATH, tmp_path / "events.md", added)
    assert (found, printed.startswith(begin)) == (code, True), printed
