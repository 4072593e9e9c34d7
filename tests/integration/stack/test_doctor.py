"""`manage.py doctor`, as an operator runs it."""

import os
import subprocess
import sys
from collections.abc import Mapping

import pytest

from stack.configuration import ROOT
from stack.ports import LOCALHOST, Port
from stack.process import wait_for
from tests.counted import COUNTED
from tests.live import LiveStack


def _doctor(environment: Mapping[str, str], *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "doctor", *options],
        cwd=ROOT,
        env={**os.environ, **COUNTED, "DJANGO_SETTINGS_MODULE": "config.settings", **environment},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_an_installation_that_works(stack: LiveStack) -> None:
    done = subprocess.CompletedProcess[str]([], 1)

    def is_well() -> bool:
        nonlocal done
        done = _doctor({})
        return done.returncode == 0

    assert wait_for(is_well, 60), done.stdout + done.stderr  # as soon as the worker has shown up
    assert done.stdout.splitlines()[-1] == "Nothing is wrong."
    assert "wrong  " not in done.stdout
    assert "1 worker alive, for 2 tasks at once." in done.stdout
    assert "All migrations are applied." in done.stdout


@pytest.mark.once
def test_one_where_nothing_answers_is_told_without_secrets() -> None:
    nobody = f"{LOCALHOST}:{Port.any().number}"
    secret = "hush-hush-hush"
    done = _doctor(
        {
            "DATABASE_URL": f"postgres://actions:{secret}@{nobody}/actions",
            "BROKER_URL": f"redis://actions:{secret}@{nobody}/0",
            "REDIS_URL": f"redis://actions:{secret}@{nobody}/1",
        }
    )
    assert done.returncode == 1
    assert done.stderr == "CommandError: 3 things wrong.\n"
    for what in ("The database does not answer: ", "The broker does not answer: ", "Redis does not answer: "):
        assert f"wrong   {what}" in done.stdout
    assert secret not in done.stdout


@pytest.mark.once
def test_one_without_tables(tmp_path: object, valkey: object) -> None:
    done = _doctor({"DATABASE_URL": f"sqlite:///{tmp_path}/new.sqlite3"})
    assert done.returncode == 1
    assert "wrong   Migrations are not applied: " in done.stdout
    assert "python manage.py migrate" in done.stdout
