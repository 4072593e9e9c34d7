"""Tests that a page names as the proof of a line."""

import ast
import re
from functools import cache
from pathlib import Path

from django.conf import settings

_TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+)(?:::(\w+))?)?`")


def require_named_tests(cell: str, *, of: str) -> None:
    """Assert that a table's cell names tests and nothing else, and that each is there."""
    named = _TEST.findall(cell)
    assert named, of
    assert _TEST.sub("", cell).replace("<br>", "").strip(" ,") == "", of
    for file, *names in named:
        path = settings.BASE_DIR / file
        assert path.is_file(), file
        assert _names_in(path) >= set(filter(None, names)), (file, names)


@cache
def _names_in(file: Path) -> set[str]:
    """Return the names of a file's classes and functions."""
    kinds = ast.FunctionDef | ast.ClassDef
    return {node.name for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, kinds)}
