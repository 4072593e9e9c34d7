"""Tools that come from the npm registry, for tests: what a folder's lock file says, installed once for all runs."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings

# Beside the other things that can be made anew; node_modules has no place in the source tree.
INSTALLED = settings.BASE_DIR / "var" / "node"
ENVIRONMENT = {
    **os.environ,
    "NO_COLOR": "1",
    # None of the tools is to call home.
    "OPTIC_TELEMETRY_LEVEL": "off",
    "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true",
    "REDOCLY_TELEMETRY": "off",
}


def installed(sources: Path) -> Path:
    """Return the ``node_modules`` of what ``sources`` locks. Without npm the test is skipped; in CI it fails."""
    npm = shutil.which("npm")
    if npm is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("npm is not installed: Node.js 20 or newer is needed.")
    folder = INSTALLED / sources.name
    folder.mkdir(parents=True, exist_ok=True)
    lock, done = sources / "package-lock.json", folder / "package-lock.json"
    with _alone_in(folder):
        if not done.exists() or done.read_bytes() != lock.read_bytes():
            done.unlink(missing_ok=True)
            scratch = folder / "scratch"
            shutil.rmtree(scratch, ignore_errors=True)
            scratch.mkdir()
            for file in (sources / "package.json", lock):
                shutil.copy(file, scratch)
            run(npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", cwd=scratch)
            shutil.rmtree(folder / "node_modules", ignore_errors=True)
            (scratch / "node_modules").rename(folder / "node_modules")
            shutil.rmtree(scratch)
            shutil.copy(lock, done)
    return folder / "node_modules"


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """Run a command and return what it prints, which is shown when it fails."""
    done = finished(*command, cwd=cwd, **environment)
    assert done.returncode == 0, done.stdout
    return done.stdout


def finished(*command: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command, whether it succeeds or not."""
    return subprocess.run(
        command,
        cwd=cwd,
        env={**ENVIRONMENT, **environment},
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Keep other test processes out, which may want to install the same."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
