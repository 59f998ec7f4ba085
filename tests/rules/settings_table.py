"""Every setting of the server has a row in the table of settings of `docs/operating.md`."""

from __future__ import annotations

import importlib
import importlib.util
import re

from pydantic_settings import BaseSettings

__all__ = ["find_undocumented", "server_settings"]


def server_settings() -> type[BaseSettings] | None:
    """Return the settings class of the server, None if there is no `server.settings`."""
    if importlib.util.find_spec("server.settings") is None:
        return None
    settings: object = importlib.import_module("server.settings").Settings
    assert isinstance(settings, type)
    assert issubclass(settings, BaseSettings)
    return settings


def find_undocumented(settings: type[BaseSettings], page: str) -> list[str]:
    """Return the environment variables of `settings` that no table row of `page` names in backquotes."""
    rows = [line for line in page.splitlines() if line.lstrip().startswith("|")]
    documented = {name for row in rows for name in re.findall(r"`([A-Z][A-Z0-9_]*)`", row)}
    prefix = settings.model_config.get("env_prefix", "")
    variables = [f"{prefix}{field}".upper() for field in settings.model_fields]
    return [variable for variable in variables if variable not in documented]
