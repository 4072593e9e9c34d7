"""What a change of ``openapi.yaml`` breaks for clients, and what the change log says that it breaks."""

import re
from pathlib import Path
from typing import Any

import yaml

from tests.contract.document import operations
from tests.node import finished, installed

_BROKEN = re.compile(r"^x ([A-Z]+ /\S*): ", re.MULTILINE)
_UNRELEASED = re.compile(r"^## Unreleased\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_DECLARATION = re.compile(r"^- \*\*Breaking:\*\* (.*?)(?=^- |\Z)", re.MULTILINE | re.DOTALL)


def broken(before: Path, after: Path) -> set[str]:
    """Return the operations (``GET /reports``) and components (``Report``) that clients cannot use as before."""
    if before.read_bytes() == after.read_bytes():
        return set()
    return _broken_answers(before, after) | _lost_names(*(yaml.safe_load(file.read_text()) for file in (before, after)))


def declared(change_log: str) -> set[str]:
    """Return what the change log names, in backquotes, in the lines about breaking changes since the last release."""
    unreleased = _UNRELEASED.search(change_log)
    lines = _DECLARATION.findall(unreleased[1]) if unreleased else []
    return {name for line in lines for name in re.findall(r"`([^`]+)`", line)}


def _broken_answers(before: Path, after: Path) -> set[str]:
    """Return the operations whose requests or answers optic finds to be incompatible."""
    optic = installed(Path(__file__).parent / "linters") / ".bin" / "optic"
    done = finished(optic, "diff", before, after, "--check", cwd=before.parent)
    assert "Operations: " in done.stdout, done.stdout
    found = set(_BROKEN.findall(done.stdout))
    assert bool(found) == bool(done.returncode), done.stdout
    return found


def _lost_names(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    """Return what an SDK has under another name: a method by its operation id, a class by its component's name."""
    method_of = {(path, method): name for name, (path, method, _) in operations(after).items()}
    return {
        f"{method.upper()} {path}"
        for name, (path, method, _) in operations(before).items()
        if method_of.get((path, method)) != name
    } | (before["components"]["schemas"].keys() - after["components"]["schemas"].keys())
