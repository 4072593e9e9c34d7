"""Show how long a batch of 1,000 requests takes: a real web server, PostgreSQL or SQLite, and a broker, or none.

``DATABASE=sqlite python -m benchmarks.batch`` does it on SQLite. Fails where that typically takes two seconds or more.
The seconds of processor time, of the web server and what it started, tell more on a machine that is busy.
"""

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import httpx
import psutil

from stack.postgres import Postgres
from stack.preparation import new_token, prepare
from stack.valkey import Valkey
from stack.web import Web

REQUESTS = 1000
ROUNDS = 5
BOUND = 2.0  # seconds


def main() -> int:
    folder = Path(tempfile.mkdtemp(prefix="batch-"))
    folder.chmod(0o755)  # PostgreSQL runs as another user where root starts it
    postgres = Postgres(folder / "data", log=folder / "postgres.log")
    valkey = Valkey(folder / "valkey", log=folder / "valkey.log")
    address = f"sqlite:///{folder}/async-actions.sqlite3"
    try:
        if os.environ.get("DATABASE", "postgres") == "postgres":
            postgres.launch()
            postgres.wait_until_ready()
            postgres.create_database("batch")
            address = postgres.url("batch")
        valkey.start()
        environment = {
            **os.environ,
            "DATABASE_URL": address,
            "BROKER_URL": valkey.url(),
            "REDIS_URL": valkey.url(),
            "SECRET_KEY": "of no use here",
            "HTTPS": "0",
            "DJANGO_SETTINGS_MODULE": "config.settings",
        }
        prepare(environment)
        with Web(environment, log=folder / "web.log") as web:
            return measure(web, valkey, new_token("benchmark"))
    finally:
        valkey.kill()
        postgres.kill()
        shutil.rmtree(folder, ignore_errors=True)


def measure(web: Web, valkey: Valkey, token: str) -> int:
    """Send some batches, the first one again, and one without a broker. Returns 1 where they take too long."""
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=web.url, headers=headers, timeout=60, trust_env=False) as client:
        typical = median(_post(client, web, f"batch {number}") for number in range(1, ROUNDS + 1))
        _post(client, web, "batch 1", "batch 1 repeated")
        valkey.kill()
        alone = _post(client, web, "batch without a broker")
    return int(max(typical, alone) >= BOUND)


def _post(client: httpx.Client, web: Web, name: str, shown: str = "") -> float:
    requests = [
        {"parameters": {"customer_id": f"cus_{number}"}, "idempotency_key": f"{name}, {number}"}
        for number in range(REQUESTS)
    ]
    begun, used = time.perf_counter(), _processor_time(web)
    answer = client.post("/actions/sync-invoices/batch", json={"requests": requests})
    seconds = time.perf_counter() - begun
    answer.raise_for_status()
    refused = answer.json()["refused"]
    if refused:
        sys.exit(f"{refused} of the requests of {name} were refused.")
    used = _processor_time(web) - used
    sys.stdout.write(f"{shown or name}: {REQUESTS:,} requests in {seconds:.2f} s, of the processor {used:.2f} s\n")
    return seconds


def _processor_time(web: Web) -> float:
    process = psutil.Process(web.pid)
    times = [one.cpu_times() for one in (process, *process.children(recursive=True))]
    return sum(spent.user + spent.system for spent in times)


if __name__ == "__main__":
    sys.exit(main())
