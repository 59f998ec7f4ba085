"""The tests of a client that is not installed are skipped, or fail if clients are required."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clients.requirements import PACKAGES, find_missing, require_chromium, require_node


def install(scripts: Path, *names: str) -> None:
    for name in names:
        package = scripts / "node_modules" / name
        package.mkdir(parents=True)
        (package / "package.json").write_text("{}")


@pytest.fixture
def node_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A search path that contains `node` and nothing else."""
    node = tmp_path / "bin" / "node"
    node.parent.mkdir()
    node.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(node.parent))
    return node


def test_missing_node_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_missing(with_chromium=False) == "Node.js is not installed"


def test_missing_packages_are_named(tmp_path: Path, node_only: Path) -> None:
    install(tmp_path, *PACKAGES[1:])
    assert (
        find_missing(tmp_path, with_chromium=False) == f"npm packages are not installed in tests/clients: {PACKAGES[0]}"
    )


def test_chromium_is_asked_for_only_when_needed(tmp_path: Path, node_only: Path) -> None:
    install(tmp_path, *PACKAGES)
    assert find_missing(tmp_path, with_chromium=False) is None
    assert find_missing(tmp_path, with_chromium=True) == "Chromium is not installed"


def test_missing_client_skips_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("BOARDCAST_REQUIRE_CLIENTS", raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"Node\.js is not installed"):
        require_node()


def test_missing_client_fails_when_required(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("BOARDCAST_REQUIRE_CLIENTS", "1")
    with pytest.raises(pytest.fail.Exception, match="BOARDCAST_REQUIRE_CLIENTS=1"):
        require_chromium()
