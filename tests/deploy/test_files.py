"""The files of `deploy/` that cannot run in a test: they parse, and agree with the settings and with each other.

There is no container engine here, and no service manager.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from configparser import RawConfigParser
from functools import cache
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # its types are a package of their own, for this one import

from server.serve import LAST_RESORT_SECONDS
from server.settings import Settings
from tests.kit.proxies import DEPLOY

_ROOT = DEPLOY.parent
_VARIABLE = re.compile(r"\$\{(\w+):\?[^}]+\}")
#: Those of a stream in which nothing happens.
_TIMEOUT = re.compile(r"(?:_read_timeout|_send_timeout|timeout (?:client|server|tunnel)) (\d+)s")
_GIVEN = {"POSTGRES_PASSWORD": "a-password", "BOARDCAST_TOKENS": "a-secret-of-16-characters"}


@cache
def _compose() -> Any:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))


def _unit() -> RawConfigParser:
    unit = RawConfigParser()
    unit.optionxform = str  # type: ignore[method-assign,assignment]  # its names have capitals
    unit.read_string((DEPLOY / "systemd" / "boardcast@.service").read_text(encoding="utf-8"))
    return unit


def _environment() -> dict[str, str]:
    lines = (DEPLOY / "systemd" / "boardcast.env").read_text(encoding="utf-8").splitlines()
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name: value for name, _, value in pairs}


def _settings(monkeypatch: pytest.MonkeyPatch, environment: Mapping[str, str]) -> Settings:
    """Return the settings, and require that each of our variables is one of them."""
    ours = {name: value for name, value in environment.items() if name.startswith("BOARDCAST_")}
    assert {name.removeprefix("BOARDCAST_").lower() for name in ours} <= set(Settings.model_fields)
    for name, value in ours.items():
        monkeypatch.setenv(name, value)
    return Settings()


def _stop_seconds() -> float:
    return Settings().shutdown_grace_seconds + LAST_RESORT_SECONDS


@pytest.mark.parametrize("node", ["node-1", "node-2"])
def test_compose_file_gives_nodes_valid_settings(monkeypatch: pytest.MonkeyPatch, node: str) -> None:
    environment = _compose()["services"][node]["environment"]
    given = {name: _VARIABLE.sub(lambda hit: _GIVEN[hit[1]], value) for name, value in environment.items()}
    settings = _settings(monkeypatch, given)
    assert settings.host == "0.0.0.0"
    assert settings.authenticates
    assert settings.database_url == "postgresql://boardcast@postgres/boardcast"


def test_compose_file_agrees_with_itself() -> None:
    services = _compose()["services"]
    assert set(services) == {"node-1", "node-2", "postgres", "redis", "nginx"}
    assert {name for one in services.values() for name in one.get("depends_on", ())} == set(services) - {"nginx"}
    nginx, node = services["nginx"], services["node-1"]
    (network,) = _compose()["networks"]["default"]["ipam"]["config"]
    address = nginx["networks"]["default"]["ipv4_address"]
    assert ip_address(address) in ip_network(network["subnet"])
    assert node["environment"]["BOARDCAST_TRUSTED_PROXIES"] == address
    assert int(node["stop_grace_period"].removesuffix("s")) > _stop_seconds()
    assert (DEPLOY / node["build"]["context"] / node["build"]["dockerfile"]).is_file()


def test_compose_file_names_the_nodes_in_the_file_of_nginx(tmp_path: Path) -> None:
    nginx = _compose()["services"]["nginx"]
    (volume,) = nginx["volumes"]
    source = DEPLOY / volume.partition(":")[0]
    command = nginx["command"][-1].partition("exec ")[0]
    for path, here in (("/boardcast.conf", source), ("/etc/nginx/conf.d/default.conf", tmp_path / "out")):
        assert path in command
        command = command.replace(f" {path}", f" {here}")
    subprocess.run([*nginx["command"][:-1], command], check=True)
    text = (tmp_path / "out").read_text(encoding="utf-8")
    assert "127.0.0.1" not in text
    assert text.count("server node-1:8000 ") == text.count("server node-2:8000 ") == 2


def test_image_has_files_that_there_are() -> None:
    copied = re.findall(r"^COPY (.+) \S+$", (DEPLOY / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    assert copied
    assert [name for line in copied for name in line.split() if not (_ROOT / name).exists()] == []


def test_unit_of_systemd_stops_later_than_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    service = _unit()["Service"]
    assert float(service["TimeoutStopSec"]) > _stop_seconds()
    assert int(service["LimitNOFILE"]) > Settings().max_connections
    assert service["EnvironmentFile"].endswith("/boardcast.env")
    settings = _settings(monkeypatch, _environment())
    assert settings.authenticates


@pytest.mark.parametrize("path", ["nginx/boardcast.conf", "haproxy/haproxy.cfg"])
def test_timeouts_of_proxies_are_above_the_pauses_of_streams(path: str) -> None:
    text = (DEPLOY / path).read_text(encoding="utf-8")
    found = [int(hit) for hit in _TIMEOUT.findall(text)]
    assert found
    assert min(found) > 2 * max(Settings().heartbeat_seconds, Settings().ping_seconds)


def test_page_of_the_folder_links_to_each_file() -> None:
    page = (DEPLOY / "README.md").read_text(encoding="utf-8")
    files = {str(path.relative_to(DEPLOY)) for path in DEPLOY.rglob("*") if path.is_file()} - {"README.md"}
    assert {name for name in files if f"]({name})" not in page} == set()
