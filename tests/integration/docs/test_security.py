"""docs/security.md names a test for each of its lines, and each is there."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings

from tests.integration.docs.page import Page

PAGE = Page.read(settings.BASE_DIR / "docs" / "security.md")
ROWS = PAGE.section("OWASP API Security Top 10 (2023)").rows()
TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+)(?:::(\w+))?)?`")


@cache
def names_in(file: Path) -> set[str]:
    """Return the names of a file's classes and functions."""
    kinds = ast.FunctionDef | ast.ClassDef
    return {node.name for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, kinds)}


def test_all_ten_are_there() -> None:
    assert [re.match(r"API\d+", risk)[0] for risk, _, _ in ROWS] == [f"API{number}" for number in range(1, 11)]


@pytest.mark.parametrize(("what", "shown"), [(risk, shown) for risk, _, shown in ROWS])
def test_each_line_names_tests_that_are_there(what: str, shown: str) -> None:
    named = TEST.findall(shown)
    assert named, what
    assert TEST.sub("", shown).replace("<br>", "").strip(" ,") == ""
    for file, *names in named:
        path = settings.BASE_DIR / file
        assert path.is_file(), file
        assert names_in(path) >= set(filter(None, names)), (file, names)
