"""`docs/howto/add-a-backend.md`: its steps are taken in a copy of the repository, and its commands succeed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Protocol

import pytest

from realtime import ports
from tests.kit.pages import REPOSITORY, changed_paths, copy_repository, first_column, follow

PAGE = REPOSITORY / "docs" / "howto" / "add-a-backend.md"
#: Ports that are no ability of a store, and the one that joins those that are.
_OTHERS = {"Broker", "Store", "WriteSpans"}


@pytest.mark.timeout(300)  # it runs pytest twice
def test_steps_add_a_broker_that_passes_its_tests(tmp_path: Path) -> None:
    contract, own = follow(PAGE, copy_repository(tmp_path))
    for printed in (contract, own):
        assert re.search(r"=+ \d+ passed in", printed), printed


def test_files_of_the_first_table_are_those_of_the_steps() -> None:
    assert first_column(PAGE, "The files") == changed_paths(PAGE)


def test_every_ability_of_a_store_has_a_row() -> None:
    protocols = {name for name in ports.__all__ if Protocol in getattr(getattr(ports, name), "__bases__", ())}
    assert protocols - _OTHERS <= set(first_column(PAGE, "A store"))


def test_tests_of_a_store_that_are_named_exist() -> None:
    named = set(re.findall(r"`(test_\w+\.py)`", PAGE.read_text(encoding="utf-8")))
    assert named
    assert named <= {path.name for path in (REPOSITORY / "tests" / "contract").iterdir()}
