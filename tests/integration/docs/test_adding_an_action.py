"""The three files of docs/adding-an-action.md are as few as it says, and do what it shows."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from stack.valkey import Valkey
from tests.integration.docs import package
from tests.integration.docs.package import PAGE
from tests.live import LiveStack

_MOST_FILES = 3
_FEWER_LINES_THAN = 60


@pytest.mark.once
def test_an_action_takes_as_many_files_and_lines_as_the_page_says() -> None:
    files = PAGE.section("The three files").files()
    said = re.search(r"(\d+) files and (\d+) lines", PAGE.text)
    assert said
    names, lines = {file.name for file in files}, sum(len(file.code.splitlines()) for file in files)
    assert (len(names), lines) == (int(said[1]), int(said[2]))
    assert len(names) <= _MOST_FILES
    assert lines < _FEWER_LINES_THAN


@pytest.mark.once
def test_all_code_of_the_page_belongs_to_a_file_that_is_run() -> None:
    assert [file.code for file in PAGE.files()] == PAGE.blocks("python")


def test_the_action_is_asked_for_as_on_the_page(
    newcomer: Path, tmp_path: Path, valkey: Valkey, transactional_db: None
) -> None:
    environment = {
        **package.environment(newcomer),
        "VAR_DIR": str(tmp_path / "var"),
        "TASK_DEFAULT_QUEUE": "newcomer",  # not for the worker of the other tests in this folder, where it runs
    }
    live = LiveStack(valkey, os.environ["DATABASE_URL"], tmp_path / "logs", environment)
    try:
        live.start()
        (tmp_path / "var").mkdir()
        (tmp_path / "var" / "demo.token").write_text(live.token())
        done = _pasted(live.url, tmp_path)
    finally:
        live.stop()
    assert done.returncode == 0, done.stderr + live.worker.log_tail()
    [shown] = map(json.loads, PAGE.section("Ask for it").blocks("json"))
    report = json.loads(done.stdout)
    assert {name: report[name] for name in shown} == shown


def _pasted(url: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the page's commands as they stand there, but for the address; the last one when the report is final."""
    *ask, read = PAGE.section("Ask for it").blocks("sh")
    lines = [
        "set -euo pipefail",
        'curl() { command curl --fail --noproxy "*" "$@"; }',
        *(block.replace("URL=http://127.0.0.1:8000", f"URL={url}") for block in ask),
        f'until grep -q \'"finished_at":"\' <<< $({read.strip()}); do :; done',
        read,
    ]
    return subprocess.run(
        ["bash", "-c", "\n".join(lines)], cwd=folder, check=False, capture_output=True, text=True, timeout=30
    )


@pytest.mark.once
def test_the_tests_of_the_page_pass(newcomer: Path) -> None:
    [command] = PAGE.section("Test it without Celery").blocks("sh")
    done = subprocess.run(
        ["bash", "-c", command.replace("../team", str(newcomer)).replace(".venv/bin/python", sys.executable)],
        cwd=settings.BASE_DIR,
        env={"PATH": os.environ["PATH"]},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "6 passed" in done.stdout


@pytest.mark.once
def test_the_defaults_of_the_two_settings() -> None:
    rows = {name.strip("`"): default.strip("`") for name, _, default in PAGE.section("Run it").rows()}
    assert rows == {name: ",".join(getattr(settings, name)) for name in ("ACTION_MODULES", "ACTION_APPS")}
