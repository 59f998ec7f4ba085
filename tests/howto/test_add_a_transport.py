"""`docs/howto/add-a-transport.md`: its steps are taken in a copy of the repository, and its commands succeed.

The commands run real servers with the new transport, and read it over real sockets.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.kit.pages import REPOSITORY, changed_paths, copy_repository, first_column, follow

PAGE = REPOSITORY / "docs" / "howto" / "add-a-transport.md"


@pytest.mark.timeout(600)  # it runs pytest three times, with slow subscribers
def test_steps_add_a_transport_that_passes_the_tests_of_all_exits(tmp_path: Path) -> None:
    in_tables, own = follow(PAGE, copy_repository(tmp_path))
    assert len(re.findall(r"=+ \d+ passed", in_tables)) == 2, in_tables
    # One row in the table of exits enters it everywhere.
    for name in ("disconnects", "silent_subscribers", "slow_subscribers", "slow_is_not_dead", "write_paths"):
        assert re.search(rf"tests/live/test_{name}\.py \.+ ", in_tables), in_tables
    assert re.search(r"=+ \d+ passed in", own), own


def test_files_of_the_first_table_are_those_of_the_steps() -> None:
    assert first_column(PAGE, "The files") == changed_paths(PAGE)
