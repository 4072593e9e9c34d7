import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from celery import current_app
from django.conf import settings

from stack.valkey import Valkey
from tests.counted import COUNTED
from tests.integration.docs import package
from tests.integration.engine.engine import Engine
from tests.live import LiveStack


def _written(files: Mapping[str, str], folder: Path) -> Path:
    for name, code in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(code)
    return folder


@pytest.fixture
def newcomer(tmp_path: Path) -> Path:
    """Return the folder of a package that has the page's three files and their test, and nothing else."""
    return _written(package.first_files(), tmp_path / "team")


@pytest.fixture(scope="package")
def team(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a package that has all that the page adds."""
    return _written(package.all_files(), tmp_path_factory.mktemp("page") / "team")


@pytest.fixture(scope="package")
def tasks(team: Path) -> Iterator[ModuleType]:
    """Return the page's tasks, which this process knows as long as the tests in this folder run."""
    sys.path.insert(0, str(team))
    try:
        import_module("backups.rows")
        yield sys.modules["backups.tasks"]
    finally:
        sys.path.remove(str(team))
        for name in [name for name in sys.modules if name.partition(".")[0] == "backups"]:
            del sys.modules[name]
        for name in [name for name in current_app.tasks if name.startswith("backups.")]:
            del current_app.tasks[name]


@pytest.fixture(scope="package")
def package_stack(team: Path, session_valkey: Valkey, django_db_setup: None) -> Iterator[LiveStack]:
    """The service with all of the page's package; it ends before any other test, which it could disturb."""
    shown = package.environment(team)
    environment = {**COUNTED, **shown, "ACTION_MODULES": f"{shown['ACTION_MODULES']},backups.rows"}
    stack = LiveStack(session_valkey, os.environ["DATABASE_URL"], Path(settings.TEST_FOLDER) / "page", environment)
    yield stack
    stack.stop()


@pytest.fixture
def live(package_stack: LiveStack, valkey: Valkey, transactional_db: None) -> LiveStack:
    """The service with all of the page's package, running, whatever the test before did to it."""
    package_stack.start()
    return package_stack


@pytest.fixture
def engine(live: LiveStack, tasks: ModuleType, valkey: Valkey) -> Engine:
    """A worker that has all of the page's package."""
    return Engine(live.worker, valkey)


@pytest.fixture
def backup() -> Iterator[Callable[..., Path]]:
    """Return a function that makes a backup of files that have changed since, and returns its folder."""
    backups = Path(settings.VAR_DIR) / "backups"

    def make(name: str, *files: str) -> Path:
        sums = "".join(f"{'0' * 64}  {file}\n" for file in files)
        return _written({**dict.fromkeys(files, "changed"), "SHA256SUMS": sums}, backups / name)

    backups.mkdir()
    yield make
    shutil.rmtree(backups)
