"""Start a PostgreSQL of its own, and have ``benchmarks.plans`` fill and question it."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from stack.postgres import Postgres


def main() -> int:
    folder = Path(tempfile.mkdtemp(prefix="explain-"))
    folder.chmod(0o755)  # PostgreSQL runs as another user where root starts it
    server = Postgres(folder / "data", log=folder / "log")
    try:
        server.launch()
        server.wait_until_ready()
        server.create_database("explain")
        environment = {
            **os.environ,
            "DATABASE_URL": server.url("explain"),
            "SECRET_KEY": "of no use here",
            "DJANGO_SETTINGS_MODULE": "config.settings",
        }
        return subprocess.run([sys.executable, "-m", "benchmarks.plans"], env=environment, check=False).returncode
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
