"""Show that clients who wait keep nobody from asking: CLIENTS (500) of them on PROCESSES (2) web processes.

Starts a PostgreSQL, a Valkey and web processes of its own. Measures how fast others submit and poll, without and then
with the clients that wait; cancels what these wait for, and measures how soon each hears of it.
"""

import asyncio
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import httpx
import psutil
from django.db import connection

from stack.assembly import Stack
from stack.postgres import Postgres
from stack.preparation import new_token, prepare
from stack.valkey import Valkey
from stack.web import Web

CLIENTS = int(os.environ.get("CLIENTS", "500"))
PROCESSES = int(os.environ.get("PROCESSES", "2"))
THREADS = int(os.environ.get("THREADS", "288"))
WAIT = 120  # seconds that each client prefers to wait
OTHERS = 4  # clients that submit and poll meanwhile
SECONDS = 5.0  # for which they are measured
QUICK = 0.2  # seconds for an answer, so often in a row, that show that nobody is in front
IN_A_ROW = 20
NEXT_YEAR = 366 * 24 * 3600  # nothing runs: all that is measured is the web


def main() -> int:
    folder = Path(tempfile.mkdtemp(prefix="waiters-"))
    folder.chmod(0o755)  # PostgreSQL runs as another user where root starts it
    postgres = Postgres(folder / "postgres", log=folder / "postgres.log")
    valkey = Valkey(folder / "valkey", log=folder / "valkey.log")
    try:
        with Stack([postgres, valkey]):
            postgres.create_database("waiters")
            environment = {
                **os.environ,
                "DATABASE_URL": postgres.url("waiters"),
                "BROKER_URL": valkey.url(0),
                "REDIS_URL": valkey.url(1),
                "SECRET_KEY": "of no use here",
                "HTTPS": "0",
                "REQUEST_MAX_WAIT": str(WAIT),
                "DJANGO_SETTINGS_MODULE": "config.settings",
            }
            prepare(environment)
            with Web(environment, log=folder / "web.log", processes=PROCESSES, threads=THREADS) as web:
                return asyncio.run(_show(web, new_token("waiters")))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _show(web: Web, token: str) -> int:
    options: dict[str, Any] = {
        "base_url": web.url,
        "headers": {"Authorization": f"Bearer {token}"},
        "timeout": WAIT + 30,
        "trust_env": False,
        "limits": httpx.Limits(max_connections=None),
    }
    async with httpx.AsyncClient(**options) as waiting, httpx.AsyncClient(**options) as asking:
        reports = [await _submit(asking) for _ in range(CLIENTS)]
        _print(f"{CLIENTS} clients, {PROCESSES} web processes, {THREADS} threads each\n")
        _print("Others, while nobody waits:")
        await _measure(asking)
        before = _megabytes(web)

        waits = [asyncio.create_task(_wait(waiting, report)) for report in reports]
        await _until_quiet(asking)
        at_once = sum(task.done() for task in waits)
        _print(f"\nOthers, while {CLIENTS - at_once} clients are held and {at_once} were answered at once:")
        await _measure(asking)
        _print(f"  the web processes take {_megabytes(web)} MB of memory, {before} before, and have")
        _print(f"  {await asyncio.to_thread(_connections)} connections to the database")

        _print("\nTheir actions are cancelled, one after the other:")
        cancelled_at = {report: await _cancelled(asking, report) for report in reports}
        answers = await asyncio.gather(*waits)
        held = [answer for answer in answers if "Preference-Applied" in answer.headers]
        heard = [answer for answer in held if answer.json()["status"] == "cancelled"]
        after = [answer.extensions["at"] - cancelled_at[answer.url.path] for answer in heard]
        _print(f"  {len(heard)} of the {len(held)} that were held have heard of it, ms from asking: {_shown(after)}")
        refused = [answer for answer in answers if answer not in held]
        seconds = sorted({int(answer.headers["Retry-After"]) for answer in refused})
        _print(f"  {len(refused)} were answered at once, to ask again after {seconds} s")
        good = len(heard) == len(held) and all(answer.status_code == httpx.codes.OK for answer in answers)
    return 0 if good else 1


async def _measure(client: httpx.AsyncClient) -> None:
    seen: dict[str, list[float]] = {"submit": [], "poll": []}
    end = perf_counter() + SECONDS

    async def ask() -> None:
        while perf_counter() < end:
            begun = perf_counter()
            report = await _submit(client)
            submitted = perf_counter()
            (await client.get(report)).raise_for_status()
            seen["submit"].append(submitted - begun)
            seen["poll"].append(perf_counter() - submitted)

    await asyncio.gather(*(ask() for _ in range(OTHERS)))
    for name, times in seen.items():
        _print(f"  {name:<6} {len(times) / SECONDS:6.0f}/s, ms: {_shown(times)}")


async def _submit(client: httpx.AsyncClient) -> str:
    answer = await client.post(f"/actions/sync-invoices?delay={NEXT_YEAR}", json={"customer_id": "cus_ada"})
    return answer.raise_for_status().headers["Location"]


async def _wait(client: httpx.AsyncClient, report: str) -> httpx.Response:
    answer = await client.get(report, headers={"Prefer": f"wait={WAIT}"})
    answer.extensions["at"] = perf_counter()
    return answer


async def _cancelled(client: httpx.AsyncClient, report: str) -> float:
    begun = perf_counter()
    (await client.post(f"{report}/cancel", json={})).raise_for_status()
    return begun


async def _until_quiet(client: httpx.AsyncClient) -> None:
    """Wait until the web processes have no more to do for those who came to wait."""
    await asyncio.sleep(2)
    quick = 0
    while quick < IN_A_ROW:
        begun = perf_counter()
        await _submit(client)
        quick = quick + 1 if perf_counter() - begun < QUICK else 0


def _megabytes(web: Web) -> int:
    processes = psutil.Process(web.pid).children(recursive=True)
    return round(sum(process.memory_info().rss for process in processes) / 2**20)


def _connections() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = 'waiters' AND pid <> pg_backend_pid()")
        [count] = cursor.fetchone()
    connection.close()
    return int(count)


def _shown(seconds: Sequence[float]) -> str:
    if not seconds:
        return "none"
    ordered = sorted(1000 * second for second in seconds)
    p95 = ordered[int(len(ordered) * 0.95)]
    return f"p50 {statistics.median(ordered):.1f}, p95 {p95:.1f}, max {ordered[-1]:.1f}"


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
