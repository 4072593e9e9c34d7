"""`manage.py new_action`: what it writes works as it is, in a package of a team's own and inside a repository."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

pytestmark = pytest.mark.once

ROOT = Path(settings.BASE_DIR)
PARTS = ("api", "chaos", "config", "console", "reports", "sandbox", "services", "stack", "tasks", "testing", "tests")
FILES = ("manage.py", "openapi.yaml", "pyproject.toml", "compose.yaml")
NEWCOMER = {"PATH": os.environ["PATH"], "DEBUG": "1"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a folder with a project of its own: this one, as somebody has just cloned it."""
    project = tmp_path / "project"
    project.mkdir()
    for name in FILES:
        shutil.copy(ROOT / name, project / name)
    for name in PARTS:
        shutil.copytree(ROOT / name, project / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    return project


def run(folder: Path, *command: str, environment: Mapping[str, str] | None = None) -> str:
    """Run Python with a command, as a newcomer does, and return what it prints."""
    done = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env={**NEWCOMER, **(environment or {})},
        check=False,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def lint(folder: Path, *files: Path) -> None:
    """See that files are formatted, and written, as the project wants it."""
    for check in (["format", "--check"], ["check"]):
        run(folder, "-m", "ruff", *check, "--no-cache", "--config", str(ROOT / "pyproject.toml"), *map(str, files))


def test_a_package_of_a_team_s_own(tmp_path: Path) -> None:
    team = tmp_path / "team"
    told = run(ROOT, "manage.py", "new_action", "check-backup", "--domain", "backups", "--folder", str(team))

    made = sorted(str(path.relative_to(team)) for path in team.rglob("*.py"))
    package = ["backups/__init__.py", "backups/api.py", "backups/services.py", "backups/tasks.py"]
    assert made == [*package, "test_backups.py"]
    *_, test, serve = told.splitlines()
    assert serve.endswith(" ACTION_MODULES=api.invoices,backups.api make run")
    environment = {"DJANGO_SETTINGS_MODULE": "config.settings", "PYTHONPATH": str(team)}
    for name, value in environment.items():
        assert f"{name}={value if name != 'PYTHONPATH' else os.path.relpath(team, ROOT)}" in test
    assert "9 passed" in run(ROOT, "-m", "pytest", str(team), environment=environment)
    assert "check-backup" in run(
        ROOT, "manage.py", "actions", "check-backup", environment={**environment, "ACTION_MODULES": "backups.api"}
    )
    lint(ROOT, *(team / name for name in package))


def test_inside_a_repository(project: Path) -> None:
    told = run(project, "manage.py", "new_action", "check-backup")

    made = [line.removeprefix("  + ") for line in told.splitlines() if line.startswith("  + ")]
    assert sorted(made) == [
        "api/check_backup.py",
        "services/check_backup/__init__.py",
        "services/check_backup/steps.py",
        "tasks/check_backup.py",
        "tests/unit/tasks/test_check_backup.py",
    ]
    *_, test, serve = told.splitlines()
    assert test == "Test it:   python -m pytest tests/unit/tasks/test_check_backup.py"
    assert serve == "Serve it:  ACTION_MODULES=api.invoices,api.check_backup make run"
    assert "9 passed" in run(project, *test.removeprefix("Test it:   python ").split())
    listed = run(
        project, "manage.py", "actions", "check-backup", environment={"ACTION_MODULES": "api.invoices,api.check_backup"}
    )
    assert "check_backup.find_words async-actions soft 60 s, hard 90 s runs again" in " ".join(listed.split())
    lint(project, *map(Path, made))


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["Check"], "Give it a name of lower-case words with hyphens, such as name = \"sync-invoices\", not 'Check'."),
        (["check_backup"], "Give it a name of lower-case words with hyphens"),
        (["c" * 93], "Give it a name of lower-case words with hyphens"),
        (["list-reports"], "Give it another name; 'list-reports' stands for something else in the API."),
        (["sync-invoices"], "sync-invoices is taken: api.invoices.SyncInvoicesApi is sync-invoices. Choose another"),
        (["sync-invoices-batch"], "sync-invoices-batch is taken: api.invoices.SyncInvoicesApi is sync-invoices. "),
        (["import"], "import is something else in Python already. Choose a name of two words or more."),
        (["list"], "list is something else in Python already."),
        (["services"], "services is something else in Python already."),
        (["check-backup", "--domain", "../x"], "'../x' is no name of a package. Choose one by --domain, such as"),
        (["check-backup", "--domain", "class"], "'class' is no name of a package."),
        (["check-backup", "--domain", "json"], "There is a package json already. Choose another name by --domain."),
        (["check-backup", "--domain", "tasks"], "There is a package tasks already."),
        (["check-backup", "--domain", "there"], "exists already, and nothing was written. Choose another --domain."),
        (["check-backup", "--domain", "below"], "below/__init__.py cannot be written: "),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_is_refused_with_a_line(tmp_path: Path, arguments: list[str], line: str) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "tasks.py").touch()
    (tmp_path / "below").touch()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(CommandError) as refused:
        call_command("new_action", *arguments, folder=tmp_path, stdout=StringIO())
    assert line in str(refused.value)
    assert "\n" not in str(refused.value)
    assert sorted(tmp_path.rglob("*")) == before


def test_what_is_there_in_the_repository_is_left_alone() -> None:
    with pytest.raises(CommandError, match=r"services/invoices/__init__\.py exists already, and nothing was written"):
        call_command("new_action", "check-backup", domain="invoices", stdout=StringIO())
