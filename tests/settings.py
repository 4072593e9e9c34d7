"""Settings of the tests: the service's own, for a database and a broker that belong to this test process alone.

Every pytest-xdist worker has its own. ``TEST_DATABASE`` chooses ``sqlite`` (the default) or ``postgres``. What is set
here is set in the environment, so that the web servers and workers that tests start use the same database and broker.
"""

import os
import shutil
import tempfile
from pathlib import Path

from stack.ports import LOCALHOST, Port

TEST_DATABASE = os.environ.get("TEST_DATABASE", "sqlite")
if TEST_DATABASE not in {"sqlite", "postgres"}:
    raise SystemExit("TEST_DATABASE is neither sqlite nor postgres.")

TEST_FOLDER = Path(tempfile.mkdtemp(prefix="async-actions-tests-"))
TEST_FOLDER.chmod(0o755)  # PostgreSQL runs as another user where root runs the tests
_OWNER = os.getpid()


def remove_test_folder() -> None:
    """Remove what the tests wrote, in the process that made it and not in those it forked."""
    if os.getpid() == _OWNER:
        shutil.rmtree(TEST_FOLDER, ignore_errors=True)


POSTGRES_PORT = Port.any()
VALKEY_PORT = Port.any()
DATABASE_URLS = {
    "sqlite": f"sqlite:///{TEST_FOLDER}/async-actions.sqlite3",
    "postgres": f"postgres://postgres@{LOCALHOST}:{POSTGRES_PORT.number}/async_actions",
}

os.environ.update(
    {
        "SECRET_KEY": "of-the-tests-only-and-long-enough-for-every-check-of-django",
        "DEBUG": "0",
        "HTTPS": "0",
        "VAR_DIR": str(TEST_FOLDER),
        "DATABASE_URL": DATABASE_URLS[TEST_DATABASE],
        "BROKER_URL": f"redis://{LOCALHOST}:{VALKEY_PORT.number}/0",
        "REDIS_URL": f"redis://{LOCALHOST}:{VALKEY_PORT.number}/1",
        "INVOICES_PLUS_API_KEY": "sandbox-key",
        "LOG_LEVEL": "INFO",
        "GRANIAN_BLOCKING_THREADS": "96",  # of which 64 may wait
        # The same promises as in production, kept sooner.
        "RECOVERY_INTERVAL": "0.2",
        "RECOVERY_HEARTBEAT_INTERVAL": "0.5",
        "RECOVERY_LEASE": "3",
        "RECOVERY_REPUBLISH_AFTER": "3",
    }
)

from config.settings import *  # noqa: E402, F403  they read the environment

# In this process, what a test changes counts at once, and nobody counts requests; tests that are about it say so.
TOKEN_CACHE_SECONDS = 0
THROTTLE_SUBMIT = THROTTLE_READ = THROTTLE_FAILED_AUTHENTICATIONS = THROTTLE_FAILED_LOGINS = None

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
