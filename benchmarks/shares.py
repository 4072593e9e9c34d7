"""Show where the time goes, part by part, of a poll, an accepted action and a task: shares of this process's own time.

Starts a PostgreSQL and a Valkey of its own, and calls the service within one process. A profiler makes whatever is
written in Python look dearer than it is, and PostgreSQL's own time is in none of it.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks.database import run_on_own_database
from stack.valkey import Valkey


def main() -> int:
    """Returns the exit code of ``benchmarks.sharing``, which does it."""
    folder = Path(tempfile.mkdtemp(prefix="benchmark-"))
    valkey = Valkey(folder, log=folder / "log")
    try:
        valkey.launch()
        valkey.wait_until_ready()
        os.environ |= {
            "BROKER_URL": valkey.url(0),
            "REDIS_URL": valkey.url(1),
            "HTTPS": "0",
            "LOG_LEVEL": "WARNING",
            "ACTION_MODULES": "benchmarks.actions",
            "ACTION_APPS": "",
            # Counted as ever, and never used up.
            "THROTTLE_READ": "100000000/minute",
            "THROTTLE_SUBMIT": "100000000/minute",
        }
        return run_on_own_database("benchmarks.sharing")
    finally:
        valkey.kill()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
