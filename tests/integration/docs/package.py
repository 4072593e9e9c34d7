"""The package of docs/adding-an-action.md: what stands there, and a task for each thing that a task may not do."""

import re
from collections.abc import Mapping
from pathlib import Path

from celery import current_app
from celery.canvas import Signature
from django.conf import settings

from tests.integration.docs.page import Page, code_in

PAGE = Page.read(settings.BASE_DIR / "docs" / "adding-an-action.md")

# What the cells of the page's last table take for granted: they stand in a task.
_ROWS = """
from celery import shared_task
from celery.exceptions import Ignore

from backups import tasks

read = vars(tasks)["__read_sums"]
find = vars(tasks)["__find_damaged"]
"""
_ROW = """

@shared_task(bind=True, name="backups.row_{number}")
def row_{number}(self, sums, backup):
    {code}
"""


def first_files() -> Mapping[str, str]:
    """Return the code of the page's three files and of their tests, by name."""
    sections = (PAGE.section(name) for name in ("The three files", "Test it without Celery", "Run it in a test"))
    return {file.name: file.code for section in sections for file in section.files()}


def all_files() -> Mapping[str, str]:
    """Return the code of all of the page's files, and of ``backups.rows``."""
    files: dict[str, str] = {}
    for file in PAGE.files():
        files[file.name] = "\n\n".join(filter(None, [files.get(file.name), file.code]))
    rows = [_ROW.format(number=number, code=code) for number, code in enumerate(_code_in_tasks())]
    return {**files, "backups/rows.py": "".join([_ROWS, *rows])}


def environment(team: Path) -> Mapping[str, str]:
    """Return the settings that the page exports, for a package in the folder ``team``."""
    [command] = PAGE.section("Run it").blocks("sh")
    shown = dict(re.findall(r"(\w+)=(\S+)", command))
    assert shown["PYTHONPATH"] == "../team"
    return {**shown, "PYTHONPATH": str(team)}


def task_of_row(code: str) -> Signature:
    """Return the task of ``backups.rows`` that runs this code."""
    task = current_app.tasks[f"backups.row_{_code_in_tasks().index(code)}"]
    return task.si([["0123", "letter.txt"]], "monday")


def _code_in_tasks() -> list[str]:
    cells = [cell for row in PAGE.section("While a task runs").rows() for cell in (row[0], row[2])]
    return list(dict.fromkeys(code for code in map(code_in, cells) if code))
