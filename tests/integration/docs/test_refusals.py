"""What docs/adding-an-action.md says is refused is refused, in these words; and what it says to write is not."""

import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import celery
import pytest
from celery import chain, current_app, group, signature
from django.core.exceptions import ImproperlyConfigured

import config.urls  # noqa: F401  the actions join the catalogue before a test replaces it
from api import catalogue
from reports.models import FINAL, AsyncActionReport
from reports.plan import ChainNode
from tasks import declaration
from tasks.base import BaseTask
from tasks.canvas import plan_of
from tasks.chainable import chainable
from tests.integration.docs.package import PAGE, first_files, task_of_row
from tests.integration.docs.page import code_in
from tests.integration.engine.engine import Engine


@pytest.mark.once
@pytest.mark.parametrize(("wrote", "says", "write"), PAGE.section("When the service starts").rows())
def test_what_stops_the_start(
    tasks: ModuleType, wrote: str, says: str, write: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "_actions", dict(catalogue._actions))
    with pytest.raises(ImproperlyConfigured) as refused:
        _declare(_code(wrote), in_place_of=_code(write))
    assert str(refused.value) == f"backups.api.CheckBackupApi: {says}"
    _declare(_code(write), in_place_of=_code(write))


@pytest.mark.once
@pytest.mark.parametrize(("wrote", "says", "write"), PAGE.section("When the service starts, in a task").rows())
def test_what_stops_the_start_in_a_task(tasks: ModuleType, wrote: str, says: str, write: str) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        _check_task(_code(wrote))
    assert str(refused.value) == f"Task backups.lone: {says}"
    _check_task(code_in(write) or "")


@pytest.mark.once
@pytest.mark.parametrize(("wrote", "says", "write"), PAGE.section("When the plan is built").rows())
def test_what_no_plan_can_have(tasks: ModuleType, wrote: str, says: str, write: str) -> None:
    with pytest.raises(Exception, match=_pattern(says)):
        _plan(_code(wrote), tasks)
    instead = code_in(write)
    assert instead is None or _plan(instead, tasks)


@pytest.mark.parametrize(("wrote", "says", "write"), PAGE.section("While a task runs").rows())
def test_what_no_task_may_do(engine: Engine, monday: Path, wrote: str, says: str, write: str) -> None:
    task = task_of_row(_code(wrote))
    error = engine.run(task).error
    assert error is not None
    assert error.message.replace(task.task, "backups.find_damaged") == says
    if code_in(write):
        root = engine.request(task_of_row(_code(write)))
        put_off = AsyncActionReport.objects.filter(root_id=root, not_before__isnull=False)
        engine.wait_until(lambda: engine.report(root).status in FINAL or put_off.exists())
        assert engine.report(root).error is None


@pytest.mark.once
@pytest.mark.parametrize(("written", "made", "stays"), PAGE.section("Groups and chords").rows())
def test_what_celery_makes_of_a_group(tasks: ModuleType, written: str, made: str, stays: str) -> None:
    by_celery, shown, in_a_tuple = (_plan(f"return {_code(cell)}", tasks) for cell in (written, made, stays))
    assert by_celery == shown
    assert by_celery != in_a_tuple


@pytest.fixture
def monday(backup: Callable[..., Path]) -> Path:
    return backup("monday", "letter.txt")


def _code(cell: str) -> str:
    code = code_in(cell)
    assert code, cell
    return code


def _pattern(says: str) -> str:
    return f"^{'.*'.join(map(re.escape, says.split('…')))}$"


def _declare(line: str, *, in_place_of: str) -> None:
    """Run the page's endpoint with one line changed."""
    begins = re.match(r'"""|\w+ = ', in_place_of)
    assert begins
    code = first_files()["backups/api.py"]
    changed, count = re.subn(rf"^( +){begins[0]}.*$", lambda old: old[1] + line, code, flags=re.MULTILINE)
    assert count == 1
    exec(changed, {"__name__": "backups.api"})  # noqa: S102  the page's own code


def _check_task(options: str) -> None:
    """Declare a task with these options of its decorator, and have it checked as a start does."""
    scope: dict[str, Any] = {"shared_task": celery.shared_task}
    exec(f'@shared_task(name="backups.lone", {options})\ndef lone(): ...', scope)  # noqa: S102  the page's own code
    try:
        declaration.check("backups.lone", current_app.tasks["backups.lone"])
    finally:
        del current_app.tasks["backups.lone"]


def _plan(code: str, tasks: ModuleType) -> ChainNode:
    """Return the plan of the body of a ``@chainable``, or of the task that a decorator makes."""
    scope = {
        "BaseTask": BaseTask,
        "Path": Path,
        "celery": celery,
        "chain": chain,
        "chainable": chainable,
        "find": vars(tasks)["__find_damaged"],
        "group": group,
        "read": vars(tasks)["__read_sums"],
        "shared_task": celery.shared_task,
        "signature": signature,
    }
    if code.startswith("@"):
        code = f"{code}\ndef lone(backup): ...\n@chainable\ndef check_backup(backup): return lone.si(backup)"
    else:
        code = f"@chainable\ndef check_backup(backup):\n    {code}"
    exec(code, scope)  # noqa: S102  the page's own code
    try:
        return plan_of(scope["check_backup"]("monday"))
    finally:
        current_app.tasks.pop("backups.lone", None)
