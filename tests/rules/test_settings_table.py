"""The table of settings in `docs/operating.md` is complete, and a missing row is found."""

from __future__ import annotations

from pydantic_settings import BaseSettings, SettingsConfigDict

from tests.rules.settings_table import find_undocumented, server_settings
from tests.rules.trees import REPOSITORY


class Sample(BaseSettings):
    """Two settings, declared like those of the server."""

    model_config = SettingsConfigDict(env_prefix="BOARDCAST_")

    host: str = "127.0.0.1"
    heartbeat_seconds: float = 30


def test_operating_page_documents_every_setting() -> None:
    settings = server_settings()
    page = (REPOSITORY / "docs" / "operating.md").read_text(encoding="utf-8")
    assert settings is None or find_undocumented(settings, page) == []


def test_setting_without_a_row_is_caught() -> None:
    page = "`BOARDCAST_HEARTBEAT_SECONDS` is for later\n\n| `BOARDCAST_HOST` | `--host` | 127.0.0.1 |\n"
    assert find_undocumented(Sample, page) == ["BOARDCAST_HEARTBEAT_SECONDS"]


def test_setting_with_a_row_is_accepted() -> None:
    page = "| variable | default |\n| --- | --- |\n| `BOARDCAST_HOST` | x |\n| `BOARDCAST_HEARTBEAT_SECONDS` | 30 |"
    assert find_undocumented(Sample, page) == []
