"""openapi.yaml is clean under the two linters that clients' teams use."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from django.conf import settings

LINTERS = Path(__file__).parent / "linters"
# Beside the other things that can be made anew; node_modules has no place in the source tree.
FOLDER = settings.BASE_DIR / "var" / "linters"
ENVIRONMENT = {**os.environ, "REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "NO_COLOR": "1"}


@pytest.fixture(scope="module")
def linters() -> Path:
    """Return the folder of the installed linters: what their lock file says, installed once."""
    npm = shutil.which("npm")
    if npm is None:
        if os.environ.get("CI") == "true":
            pytest.fail("npm is not installed; the linters of openapi.yaml need Node.js 20 or newer.")
        pytest.skip("npm is not installed")
    FOLDER.mkdir(parents=True, exist_ok=True)
    lock, installed = LINTERS / "package-lock.json", FOLDER / "package-lock.json"
    if not installed.exists() or installed.read_bytes() != lock.read_bytes():
        shutil.copy(LINTERS / "package.json", FOLDER)
        shutil.copy(lock, FOLDER / "package-lock.json")
        try:
            run(npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent")
        except BaseException:
            installed.unlink()
            raise
    return FOLDER / "node_modules" / ".bin"


def run(*command: str | Path) -> None:
    """Run a command; what it prints is shown when it fails."""
    done = subprocess.run(
        command, cwd=FOLDER, env=ENVIRONMENT, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert done.returncode == 0, done.stdout


def test_both_linters_are_satisfied(linters):
    document = settings.BASE_DIR / "openapi.yaml"

    run(linters / "redocly", "lint", document, "--config", LINTERS / "redocly.yaml")
    run(linters / "spectral", "lint", document, "--ruleset", LINTERS / "spectral.yaml", "--fail-severity", "hint")
