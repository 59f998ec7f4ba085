"""Each test asserts, and no package does. Trees that break this are found."""

from __future__ import annotations

from pathlib import Path

from tests.rules.assertions import find_removable_assertions, find_tests_that_assert_nothing
from tests.rules.trees import REPOSITORY, plant


def test_packages_have_no_assertion_that_python_removes() -> None:
    assert find_removable_assertions(REPOSITORY) == []


def test_each_test_asserts() -> None:
    assert find_tests_that_assert_nothing(REPOSITORY) == []


def test_assertion_in_a_package_is_caught(tmp_path: Path) -> None:
    tree = plant(tmp_path, {"realtime/a.py": "def f(x):\n    assert x\n", "tests/test_a.py": "assert True"})
    assert find_removable_assertions(tree) == ["realtime/a.py:2: an assertion that python -O removes"]


def test_test_that_asserts_nothing_is_caught(tmp_path: Path) -> None:
    tree = plant(
        tmp_path,
        {
            "tests/test_a.py": """
                def test_idle(): run()
                async def test_idle_too(): await helper.look()
                def test_own(): assert run()
                def test_raised():
                    with pytest.raises(ValueError): run()
                async def test_helped(): await _check_all()
                def _check_all(): assert run()
                def check_nothing(): run()
                async def expect_end():
                    async with deadline(5): await run()
            """,
            "tests/helper.py": "def test_of_no_file_of_tests(): run()",
        },
    )
    assert find_tests_that_assert_nothing(tree) == [
        "tests/test_a.py:2: test_idle asserts nothing",
        "tests/test_a.py:3: test_idle_too asserts nothing",
        "tests/test_a.py:9: check_nothing asserts nothing",
    ]
