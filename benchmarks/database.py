"""A PostgreSQL of a benchmark's own, gone with it."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from stack.postgres import Postgres


def run_on_own_database(module: str) -> int:
    """Run a module with an empty PostgreSQL as its DATABASE_URL. Returns its exit code."""
    folder = Path(tempfile.mkdtemp(prefix="benchmark-"))
    folder.chmod(0o755)  # PostgreSQL runs as another user where root starts it
    server = Postgres(folder / "data", log=folder / "log")
    try:
        server.launch()
        server.wait_until_ready()
        server.create_database("benchmark")
        environment = {
            **os.environ,
            "DATABASE_URL": server.url("benchmark"),
            "SECRET_KEY": "of no use here",
            "DJANGO_SETTINGS_MODULE": "config.settings",
        }
        return subprocess.run([sys.executable, "-m", module], env=environment, check=False).returncode
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)
