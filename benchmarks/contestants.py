"""Who is compared: this service and its alternatives, each with web and worker processes and a database of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil
import redis

from stack.postgres import Postgres
from stack.process import Service
from stack.valkey import Valkey
from stack.web import Web
from stack.worker import Worker

WEB_PROCESSES = 2
WORKER_SLOTS = 2


class AlternativeWeb(Web):
    def command(self) -> Sequence[str]:
        *before, _ = super().command()
        return [*before, "benchmarks.alternatives.wsgi:application"]


class AlternativeWorker(Worker):
    def command(self) -> Sequence[str]:
        return ["benchmarks.alternatives.celery" if part == "config" else part for part in super().command()]


class Contestant:
    """One of those who are compared. ``setting`` names its settings module, ``own`` are environment variables."""

    def __init__(  # noqa: PLR0913
        self, name: str, setting: str, *, folder: Path, postgres: Postgres, valkey: Valkey, number: int, **own: str
    ) -> None:
        self.name = name
        self.database = f"of_{name}"
        self.queue = "async-actions" if setting == "config.settings" else "celery"
        is_service = setting == "config.settings"
        postgres.create_database(self.database)
        self.broker = valkey.url(2 * number)
        self.environment: Mapping[str, str] = {
            **os.environ,
            "DATABASE_URL": postgres.url(self.database),
            "BROKER_URL": self.broker,
            "REDIS_URL": valkey.url(2 * number + 1),
            "SECRET_KEY": "of no use here",
            "HTTPS": "0",
            "LOG_LEVEL": "WARNING",
            "ACTION_MODULES": "benchmarks.actions",
            "ACTION_APPS": "",
            # Counted as ever, and never used up.
            "THROTTLE_READ": "100000000/minute",
            "THROTTLE_SUBMIT": "100000000/minute",
            "DJANGO_SETTINGS_MODULE": setting,
            **own,
        }
        log = folder / f"{name}.log"
        web, worker = (Web, Worker) if is_service else (AlternativeWeb, AlternativeWorker)
        self.web = web(self.environment, log=log, processes=WEB_PROCESSES)
        self.worker = worker(self.environment, log=folder / f"{name}-worker.log", processes=WORKER_SLOTS)
        self._redis = redis.Redis.from_url(self.broker)
        self.manage("migrate", "--verbosity", "0")

    def manage(self, *command: str, code: str | None = None) -> str:
        """Run a management command, or ``code`` in Django's shell, and return what it prints."""
        arguments = [sys.executable, "-m", "django", *(("shell", "-v", "0", "-c", code) if code else command)]
        done = subprocess.run(
            arguments,
            env=dict(self.environment),
            capture_output=True,
            check=False,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"{self.name}: {' '.join(command) or code}\n{done.stderr}")
        return done.stdout.strip()

    def queued(self) -> int:
        """Return how many messages wait."""
        return int(self._redis.llen(self.queue))  # type: ignore[arg-type]

    def forget_messages(self) -> None:
        """Empty its queue."""
        self._redis.delete(self.queue)


def cpu_seconds(services: Sequence[Service]) -> float:
    """Return the processor time that the services have used so far, with all the processes that they have started.

    PostgreSQL's for each connection count as well, those that have ended too: what a process leaves is its parent's.
    """
    spent = 0.0
    for service in services:
        main = psutil.Process(service.pid)
        for process in [main, *main.children(recursive=True)]:
            with suppress(psutil.Error):
                spent += sum(process.cpu_times()[:4])  # its own and what its children have left, in user and system
    return spent


def memory(service: Service) -> dict[str, list[float]]:
    """Return the resident memory of a service's processes in MB: its main one, and its children."""
    main = psutil.Process(service.pid)
    children = [child for child in main.children(recursive=True) if child.status() != psutil.STATUS_ZOMBIE]
    return {"main": [main.memory_info().rss / 1e6], "children": [child.memory_info().rss / 1e6 for child in children]}
