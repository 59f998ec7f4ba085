"""The changelog has a section per release, with the package's version on top, and features, changes and fixes apart."""

from __future__ import annotations

import re

from tests.rules.dependencies import project_table
from tests.rules.trees import REPOSITORY

_TEXT = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
_RELEASES = re.split(r"^## ", _TEXT, flags=re.MULTILINE)[1:]


def test_version_of_the_package_is_the_release_on_top() -> None:
    assert _RELEASES[0].startswith(f"[{project_table(REPOSITORY)['version']}] - ")


def test_releases_get_older_and_have_a_date_once_they_are_out() -> None:
    heads = [re.match(r"\[(\d+)\.(\d+)\.(\d+)\] - (not released yet|\d{4}-\d{2}-\d{2})\n", one) for one in _RELEASES]
    versions = [tuple(map(int, head.groups()[:3])) for head in heads if head]
    assert len(versions) == len(_RELEASES)
    assert versions == sorted(set(versions), reverse=True)
    assert [head[4] for head in heads[1:] if head and head[4] == "not released yet"] == []


def test_kinds_of_changes_stand_apart_and_in_order() -> None:
    for release in _RELEASES:
        kinds = re.findall(r"^### (.+)$", release, flags=re.MULTILINE)
        assert kinds == [kind for kind in ("Added", "Changed", "Removed", "Fixed") if kind in kinds]


def test_each_change_is_listed_once() -> None:
    lines = re.findall(r"^- .+$", _TEXT, flags=re.MULTILINE)
    assert sorted({line for line in lines if lines.count(line) > 1}) == []
